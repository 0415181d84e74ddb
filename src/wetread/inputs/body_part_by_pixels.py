"""inputs/body_part_by_pixels.py: which part of the body an archive's CT shows, by the pixels of
some series, where headers do not say."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl

from wetread.anatomy.presence import lungs_absent_in_pixels, shows_head_only
from wetread.archive.rejects import RejectError
from wetread.study.series import series_slices
from wetread.study.slices import slice_from_row

SERIES = 5  # that are looked at, spread evenly over their UIDs
SLICES = 16  # of each, spread evenly


def find_body_part(images: pl.DataFrame) -> tuple[str, int, int]:
    """Find the part of the body that most of some CT series show: HEAD, CHEST, or "" where it is
    neither; how many series show it, and how many were looked at.

    images: rows of an index. Series that cannot be read, or are not in HU, are left out.
    """
    of_ct = images.filter(pl.col("Modality") == "CT")
    uids = of_ct["SeriesInstanceUID"].drop_nulls().unique().sort()
    places = np.unique(np.linspace(0, max(len(uids) - 1, 0), SERIES).round().astype(int))
    chosen = of_ct.filter(pl.col("SeriesInstanceUID").is_in(uids.gather(places[: len(uids)])))
    parts = [part for rows in series_slices(chosen) if (part := _part(rows)) is not None]
    if not parts:
        return "", 0, 0
    part, count = Counter(parts).most_common(1)[0]
    return (part, count, len(parts)) if 2 * count > len(parts) else ("", 0, len(parts))


def _part(rows: pl.DataFrame) -> str | None:
    """Tell which part one series shows; None where none of its slices can be read in HU."""
    places = np.linspace(0, rows.height - 1, min(rows.height, SLICES)).round().astype(int)
    slices = []
    for row in rows[places].iter_rows(named=True):
        try:
            read = slice_from_row(row)
        except (RejectError, OSError):
            continue
        if read.unit == "HU":
            slices.append(read.values())
    slices = [one for one in slices if one.shape == slices[0].shape]
    down, across = rows.select("row_spacing_mm", "column_spacing_mm").row(0)
    if not slices or not down or not across:
        return None
    hu = np.stack(slices)
    if shows_head_only(hu, (down, across)):
        return "HEAD"
    return "CHEST" if lungs_absent_in_pixels(hu, (down, across)) is None else ""
