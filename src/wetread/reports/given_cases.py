"""reports/given_cases.py: images of given data that were read best and worst, as pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray
from wetread.labels.mask_text import decode_masks
from wetread.labels.rle import RleError
from wetread.labels.table import LabelTable
from wetread.outputs.pictures import PREDICTION_COLOR, TRUTH_COLOR, outlined, panels, png_bytes
from wetread.pages.environment import spaced_words
from wetread.pages.page import PageCase
from wetread.pages.panel import Panel
from wetread.reports.mask_cases import mask_in_box
from wetread.reports.run_page import case_groups
from wetread.reports.slice_panels import EdgeLetters, PanelSettings, slice_panels
from wetread.store.store import Store
from wetread.study.boxes import PixelBox
from wetread.training.predictions import LevelPredictions
from wetread.view.window import Window

Masks = Mapping[str, tuple[str, tuple[str, ...]]]  # image to the form and texts of its mask


@dataclass(frozen=True, eq=False)
class CaseSources:
    """Slices, windows, letters and masks of which pictures of cases are made.

    store:   the packed slices; windows: one picture each.
    letters: at the pictures' edges, by series.
    truth, drawn: masks by image, of the finding that is shown; {} where none is known.
    """

    store: Store
    windows: tuple[Window, ...]
    letters: EdgeLetters
    truth: Masks
    drawn: Masks


def given_cases(
    images: LevelPredictions, column: int, sources: CaseSources
) -> tuple[PageCase, ...]:
    """Show the surest right and the surest wrong images of one finding, in the groups of
    run_page.case_groups; images that were not packed are left out.

    column: of the finding. Where a mask is known or drawn, the last picture has both outlines, the
    truth green and what was drawn orange.
    """
    rows = {uid: row for row, uid in enumerate(sources.store.slices["SOPInstanceUID"])}
    packed = [place for place, name in enumerate(images.ids) if name in rows]
    if not packed:
        return ()
    kept = replace(
        images,
        ids=tuple(images.ids[place] for place in packed),
        studies=tuple(images.studies[place] for place in packed),
        patients=tuple(images.patients[place] for place in packed),
        rows=np.array([rows[images.ids[place]] for place in packed]),
        truth=images.truth[packed],
        probability=images.probability[packed],
    )
    return tuple(
        _case(kept, place, column, group, sources)
        for group, places in case_groups(kept, column).items()
        for place in places
    )


def masks_by_image(table: LabelTable, finding: str) -> Masks:
    """Return the masks of one finding by image: the form and the texts to unite."""
    rows = table.masks.filter(pl.col("finding") == finding)
    return {
        image: (form, tuple(runs))
        for image, form, runs in rows.select("id", "form", "runs").iter_rows()
    }


def _case(
    images: LevelPredictions, place: int, column: int, group: str, sources: CaseSources
) -> PageCase:
    assert images.rows is not None  # given_cases has set them
    row, image = int(images.rows[place]), images.ids[place]
    slices = sources.store.slices.row(row, named=True)
    finding = images.findings[column].name
    true = "present" if images.truth[place, column] >= 0.5 else "absent"
    title = (
        f"{spaced_words(finding)}: probability {images.probability[place, column]:.2f}, "
        f"in truth {true}"
    )
    where = f"study {images.studies[place]}, image {image}"
    edges = sources.letters.get(slices["SeriesInstanceUID"], ("", ""))
    settings = PanelSettings(
        windows=sources.windows, finding=finding, about=f"{where}; {title}", letters=edges
    )
    hu = sources.store.read_hu([row])[0]
    shown = list(slice_panels(hu, None, settings))
    outlines = [
        (mask_in_box(mask, PixelBox(*slices["box"]), settings.size), color)
        for masks, color in ((sources.truth, TRUTH_COLOR), (sources.drawn, PREDICTION_COLOR))
        if (mask := _mask(masks, image, slices["source_rows"], slices["source_columns"]))
        is not None
    ]
    if any(mask.any() for mask, _ in outlines):
        gray = panels(hu, [sources.windows[0]], settings.size)
        words = "outlines: truth green, what was drawn orange"
        if gray.shape[:2] == (settings.size, settings.size):
            shown.append(
                Panel(png_bytes(outlined(gray, outlines)), words, f"{where}; {words}", *edges)
            )
    return PageCase(tuple(shown), title, "", group, where)


def _mask(masks: Masks, image: str, rows: int, columns: int) -> BoolArray | None:
    """Return the mask (rows, columns) of an image; None where there is none, or it does not fit."""
    if image not in masks:
        return None
    form, runs = masks[image]
    try:
        return decode_masks(runs, (rows, columns), form)
    except RleError:
        return None
