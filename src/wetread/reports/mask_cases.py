"""reports/mask_cases.py: the masks that a run drew best and worst, as cases of its page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray
from wetread.evaluation.decision import apply_thresholds
from wetread.labels.mask_text import decode_masks
from wetread.outputs.pictures import PREDICTION_COLOR, TRUTH_COLOR, outlined, png_bytes
from wetread.pages.page import PageCase
from wetread.pages.panel import Panel
from wetread.reports.slice_panels import EdgeLetters
from wetread.store.store import Store
from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize
from wetread.study.display import WHITE
from wetread.training.decide import DecidedFinding
from wetread.training.mask_table import unpack_map
from wetread.view.uncrop import uncrop
from wetread.view.window import Window, apply_window, as_uint8

CASES = 3  # a group
SIDE = 320  # pixels
DISPLAY = Window(WHITE / 2, WHITE)


def mask_cases(
    store: Store, finding: str, decided: DecidedFinding, letters: EdgeLetters
) -> tuple[PageCase, ...]:
    """Show the masks with the highest and the lowest Dice, and the likeliest where nothing is: the
    film alone, and with outlines, truth green and the drawn mask orange.

    letters: at the pictures' edges, by series.
    """
    area = decided.rows["truth_pixels"].fill_null(np.nan).to_numpy()
    dice, probability = decided.dice, np.asarray(decided.probability, np.float64)
    positive, empty = np.flatnonzero(area > 0), np.flatnonzero((area == 0) & (dice < 1))
    groups = {
        "drawn best": positive[np.argsort(-dice[positive], kind="stable")],
        "drawn worst": positive[np.argsort(dice[positive], kind="stable")],
        "drawn where nothing is": empty[np.argsort(-probability[empty], kind="stable")],
    }
    films = _Films(store, finding, decided, letters)
    return tuple(
        films.case(int(place), group) for group, order in groups.items() for place in order[:CASES]
    )


@dataclass(frozen=True, eq=False)
class _Films:
    """The films of a store with what was drawn in them of one finding."""

    store: Store
    finding: str
    decided: DecidedFinding
    letters: EdgeLetters

    def case(self, place: int, group: str) -> PageCase:
        """Show the film at a place among the decided rows."""
        row = self.decided.rows.row(place, named=True)
        slices = self.store.slices.row(row["row"], named=True)
        box, shape = PixelBox(*slices["box"]), (row["rows"], row["columns"])
        probability = uncrop(unpack_map(row["map"]), box, shape)
        mask = apply_thresholds(probability, self.decided.image_thresholds[place])
        truth = decode_masks(row["runs"], shape, row["form"])
        outlines = (
            (mask_in_box(truth, box, SIDE), TRUTH_COLOR),
            (mask_in_box(mask, box, SIDE), PREDICTION_COLOR),
        )
        hu = self.store.read_hu([row["row"]])[0]
        film = as_uint8(apply_window(crop_and_resize(hu, None, SIDE), DISPLAY))
        pictures = {
            "the film as displayed": film,
            "outlines: truth green, what was drawn orange": outlined(film, outlines),
        }
        where = f"study {slices['StudyInstanceUID']}, image {slices['SOPInstanceUID']}"
        title = (
            f"{self.finding}: probability {self.decided.probability[place]:.2f}, "
            f"Dice {self.decided.dice[place]:.2f}"
        )
        edges = self.letters.get(slices["SeriesInstanceUID"], ("", ""))
        return PageCase(
            panels=tuple(
                Panel(png_bytes(picture), label, f"{where}; {title}; {label}", *edges)
                for label, picture in pictures.items()
            ),
            title=title,
            caption=f"truth: {_share(truth)}; drawn: {_share(mask)}",
            group=group,
            where=where,
        )


def mask_in_box(mask: BoolArray, box: PixelBox, side: int) -> BoolArray:
    """Crop a mask (rows, columns) of a picture to the square of a box, as (side, side) bool."""
    return crop_and_resize(mask.astype(np.float32), box, side, outside=0.0) >= 0.5


def _share(mask: BoolArray) -> str:
    return f"{100 * mask.mean():.2f} % of the picture"
