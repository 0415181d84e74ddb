"""study/header_content.py: body part and kind of picture, as headers name them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wetread.archive.types import Row
from wetread.study.geometry import unit_axes

Rows = Sequence[Row]

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # SOP class; its multi-frame kinds lie below it
AXIAL = 0.7  # of the normal's length along the body: an axial slice leans no more than 45 degrees


def is_localizer(row: Row) -> bool:
    """Whether ImageType (0008,0008), value 3, says LOCALIZER (PS3.3 C.8.2.1.1.1), or a maker's name
    for one stands there."""
    kind = [value.strip().upper() for value in (row["ImageType"] or "").split("\\")]
    named = ("LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM")
    return any(value in named for value in kind[2:]) or "REF_SURVIEW" in kind


def is_axial(row: Row) -> bool | None:
    """Whether the slice lies across the body; None where ImageOrientationPatient is missing or no
    orientation."""
    orientation = row["orientation"]
    if orientation is None or len(orientation) != 6 or not np.isfinite(orientation).all():
        return None
    try:
        normal = unit_axes(np.asarray(orientation, np.float64))[2]
    except ValueError:
        return None
    return bool(abs(normal[2]) >= AXIAL) if np.isfinite(normal).all() else None


def names_body_part(rows: Rows, words: Sequence[str]) -> bool | None:
    """Whether BodyPartExamined (0018,0015) holds one of the words, in most rows that have one; None
    where no row says."""
    named = [str(row["BodyPartExamined"]).upper() for row in rows if row["BodyPartExamined"]]
    if not named:
        return None
    return 2 * sum(any(word in part for word in words) for part in named) > len(named)


def spacing_mm(row: Row, usual: float) -> tuple[float, float]:
    """Read (between rows, between columns) mm of a slice; `usual` where the header has none."""
    down, across = row["row_spacing_mm"], row["column_spacing_mm"]
    if not down or not across or not 0.01 < down < 20 or not 0.01 < across < 20:
        return usual, usual
    return down, across
