"""inputs/study_traits.py: rows of an index and packed slices in, the traits of each series out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from wetread.inputs.body_part import part_of
from wetread.study.traits import Traits, series_traits


def study_traits(series: Sequence[pl.DataFrame], slices: pl.DataFrame) -> dict[str, list[Traits]]:
    """Read the traits of every series that has packed slices, by study.

    series: rows of the index, series by series. slices: rows of a store's table, with their boxes.
    """
    boxes = {
        str(series): own["box"].to_list()
        for (series,), own in slices.group_by("SeriesInstanceUID", maintain_order=True)
    }
    study_of = dict(slices.select("SeriesInstanceUID", "StudyInstanceUID").iter_rows())
    found: dict[str, list[Traits]] = {}
    for rows in series:
        uid = rows["SeriesInstanceUID"][0]
        if uid in boxes:
            traits = series_traits(rows, boxes[uid], part_of)
            found.setdefault(str(study_of[uid]), []).append(traits)
    return found
