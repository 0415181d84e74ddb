"""reports/mask_cases.py: a run's store and what it drew in, pictures of the best and worst out."""

from __future__ import annotations

import numpy as np

from wetread.evaluation.decision import apply_thresholds
from wetread.labels.rle import decode_union
from wetread.outputs.pictures import PREDICTION_COLOR, TRUTH_COLOR, outlined, png_bytes
from wetread.pages.page import PageCase
from wetread.pages.panel import Panel
from wetread.reports.slice_panels import EdgeLetters
from wetread.store.store import Store
from wetread.study.boxes import PixelBox
from wetread.study.display import WHITE
from wetread.training.decide import DecidedFinding
from wetread.training.mask_table import unpack_map
from wetread.view.crop import crop_and_resize
from wetread.view.uncrop import uncrop
from wetread.view.window import Window, apply_window, as_uint8

CASES = 3  # a group
SIDE = 320  # pixels
DISPLAY = Window(WHITE / 2, WHITE)


def mask_cases(
    store: Store, finding: str, decided: DecidedFinding, sides: EdgeLetters
) -> tuple[PageCase, ...]:
    """The best and the worst drawn, and masks where nothing is; the film alone, and
    with outlines: truth green, what was drawn orange. sides: of its series, as slice_panels.py."""
    area = decided.rows["truth_pixels"].fill_null(np.nan).to_numpy()
    dice = decided.dice
    positive, empty = np.flatnonzero(area > 0), np.flatnonzero((area == 0) & (dice < 1))
    groups = (
        ("drawn best", positive[np.argsort(-dice[positive], kind="stable")]),
        ("drawn worst", positive[np.argsort(dice[positive], kind="stable")]),
        ("drawn where nothing is", empty[np.argsort(-_said(decided)[empty], kind="stable")]),
    )
    return tuple(
        _case(store, finding, decided, sides, int(place), group)
        for group, order in groups
        for place in order[:CASES]
    )


def _said(decided: DecidedFinding) -> np.ndarray:
    return np.asarray(decided.probability, np.float64)


def _case(
    store: Store, finding: str, decided: DecidedFinding, sides: EdgeLetters, place: int, group: str
) -> PageCase:
    row = decided.rows.row(place, named=True)
    shape = row["rows"], row["columns"]
    box = PixelBox(*store.slices["box"][row["row"]].to_list())
    told = apply_thresholds(uncrop(unpack_map(row["map"]), box, shape), decided.triplets[place])
    true = decode_union(row["runs"], shape, row["form"])
    said, truth = (
        crop_and_resize(mask.astype(np.float32), box, SIDE, outside=0.0) >= 0.5
        for mask in (told, true)
    )
    values = store.read_hu([row["row"]])[0]
    grey = as_uint8(apply_window(crop_and_resize(values, None, SIDE), DISPLAY))
    drawn = outlined(grey, ((truth, TRUTH_COLOR), (said, PREDICTION_COLOR)))
    uids = store.slices.row(row["row"], named=True)
    where = f"study {uids['StudyInstanceUID']}, image {uids['SOPInstanceUID']}"
    title = (
        f"{finding}: probability {decided.probability[place]:.2f}, Dice {decided.dice[place]:.2f}"
    )
    outlines = "outlines: truth green, what was drawn orange"
    edges = sides.get(uids["SeriesInstanceUID"], ("", ""))
    pictures = ((grey, "the film as displayed"), (drawn, outlines))
    return PageCase(
        panels=tuple(
            Panel(png_bytes(picture), label, f"{where}; {title}; {label}", *edges)
            for picture, label in pictures
        ),
        title=title,
        caption=f"truth: {_share(true)}; drawn: {_share(told)}",
        group=group,
        where=where,
    )


def _share(mask: np.ndarray) -> str:
    return f"{100 * mask.mean():.2f} % of the picture"
