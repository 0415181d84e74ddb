"""study/split.py: one series becomes stacks of one plane, shape and spacing; headers only.

Captures and localizers are split off first, then the acquisitions of each stack
(study/acquisitions.py).
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.pixels.color import PALETTE
from wetread.archive.types import BoolArray
from wetread.study.acquisitions import find_acquisitions
from wetread.study.geometry import plane_numbers, unit_axes
from wetread.study.header_content import SECONDARY_CAPTURE
from wetread.study.series import order_slices, placed_rows, positions_mm
from wetread.study.unit import read_units

ACQUISITION = "acquisition"  # a column added to those of the index
SPACING_TOLERANCE_MM = 1e-3
LOCALIZER_SLICES = 3  # a scout has a picture or three
STRAY_SLICES = 3
CAPTURE = "a picture of a screen or a page among slices: it is no slice of a volume"
STRAY = "unlike the other slices in plane, shape, spacing or unit, or without a place: left out"
LOCALIZER_DEGREES = 45.0
_OUTVOTED = 4  # times as many slices that are no scout, or no stray
_CAPTURE_WORDS = ("SCREEN SAVE", "SCREENSAVE", "SCREEN SHOT", "DOSE_INFO")  # of ImageType


@dataclass(frozen=True, eq=False)
class SeriesParts:
    """One series, split; every row is in one part.

    stacks:     rows in order along the normal, the stack with the most slices first.
    localizers: rows that are a scout of the rest; empty for a series of nothing else.
    captures:   rows that are pictures of a screen or a page; empty for a series of nothing else.
    strays:     rows of the stacks that are few and unlike all others: of another shape, plane,
                spacing or unit, or without a place; no more than three, a fourth of the others.
    split_by:   the columns that acquisitions differ in; empty where there is one.
    names:      of the stacks, by those columns: `acquisition 2`; "" where there is one.
    """

    stacks: tuple[pl.DataFrame, ...]
    localizers: pl.DataFrame
    captures: pl.DataFrame
    strays: pl.DataFrame
    split_by: tuple[str, ...]
    names: tuple[str, ...]


def split_series(rows: pl.DataFrame) -> SeriesParts:
    """Split one series' rows, which come in any order."""
    rows = order_slices(rows)
    capture = is_capture(rows)
    captures, rows = rows.filter(capture), rows.filter(~capture) if capture.any() else rows
    scout = _is_localizer(rows)
    stacks: list[tuple[pl.DataFrame, str]] = []
    split_by: tuple[str, ...] = ()
    uniform = _uniform(rows.filter(~scout) if scout.any() else rows)
    for part in uniform:
        found = find_acquisitions(part, positions_mm(part))
        names = found.names or [""] * len(found.groups)
        if len(found.groups) == 1:
            stacks.append((part, ""))
        else:
            stacks += [(part[at], name) for at, name in zip(found.groups, names, strict=True)]
        split_by = split_by or found.split_by
    stacks.sort(key=lambda stack: -stack[0].height)  # stable: else in order of plane and place
    tables, called = zip(*stacks, strict=True)
    return SeriesParts(tables, rows.filter(scout), captures, _strays(uniform), split_by, called)


def _strays(uniform: list[pl.DataFrame]) -> pl.DataFrame:
    """List the slices outside the largest part, where these are few."""
    largest = max(range(len(uniform)), key=lambda at: uniform[at].height)
    others = [part for at, part in enumerate(uniform) if at != largest]
    count = sum(part.height for part in others)
    few = 0 < count <= STRAY_SLICES and _OUTVOTED * count <= uniform[largest].height
    return pl.concat(others) if few else uniform[largest].clear()


def order_by_acquisition(rows: pl.DataFrame) -> pl.DataFrame:
    """Order the rows of one series by acquisition, each along the normal.

    The column ACQUISITION has the number of each, from 1; 0 for rows of none, which come last.
    """
    parts = split_series(rows)
    passes = [stack for stack, name in zip(parts.stacks, parts.names, strict=True) if name]
    if not passes:
        return rows.with_columns(pl.lit(0, pl.Int32).alias(ACQUISITION))
    keys = ["path", "member", "frame"]
    numbered = pl.concat(
        stack.select(*keys, pl.lit(number, pl.Int32).alias(ACQUISITION))
        for number, stack in enumerate(passes, start=1)
    )
    numbered_rows = rows.join(
        numbered, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    number = pl.col(ACQUISITION).fill_null(0)
    return numbered_rows.with_columns(number).sort(
        pl.when(number == 0).then(len(passes) + 1).otherwise(number), maintain_order=True
    )


def is_capture(rows: pl.DataFrame) -> BoolArray:
    """Find pictures of a screen or a page among slices: (N,) bool.

    They are in color, of the class of secondary captures, or named so by (0008,0008); where all
    are, none is."""
    sop_class, kind = pl.col("SOPClassUID"), pl.col("ImageType").str.to_uppercase()
    capture = (
        (pl.col("SamplesPerPixel").fill_null(1) != 1)
        | (pl.col("PhotometricInterpretation") == PALETTE)
        | sop_class.str.starts_with(SECONDARY_CAPTURE)
    ).fill_null(False) | pl.any_horizontal(
        kind.str.contains(word, literal=True).fill_null(False) for word in _CAPTURE_WORDS
    )
    found = rows.select(capture.alias("capture"))["capture"].to_numpy()
    return np.zeros(rows.height, bool) if found.all() else found


def _is_localizer(rows: pl.DataFrame) -> BoolArray:
    """Find localizers, named so by (0008,0008) or in a plane far off that few slices have: (N,)."""
    kinds = [(kind or "").split("\\")[2:3] for kind in rows["ImageType"].to_list()]
    scout = np.array([[word.strip() for word in kind] == ["LOCALIZER"] for kind in kinds])
    if scout.all():
        return np.zeros(rows.height, bool)
    placed = placed_rows(rows)
    placed = placed[~scout[placed]]
    if len(placed) < 2:
        return scout
    orientations = np.array(rows["orientation"].gather(placed).to_list())
    plane = plane_numbers(orientations)
    usual = unit_axes(orientations[np.argmax(plane == 0)])[2]
    for number in range(1, int(plane.max()) + 1):
        own = plane == number
        normal = unit_axes(orientations[np.argmax(own)])[2]
        turned = np.degrees(np.arccos(min(abs(float(usual @ normal)), 1.0)))
        few = own.sum() <= LOCALIZER_SLICES and _OUTVOTED * own.sum() <= (plane == 0).sum()
        if few and turned > LOCALIZER_DEGREES:
            scout[placed[own]] = True
    return scout


def _uniform(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Divide rows by plane, shape, spacing, declared stack and unit; slices without a place are one
    plane more."""
    plane = np.full(rows.height, -1)
    placed = placed_rows(rows)
    if len(placed):
        plane[placed] = plane_numbers(np.array(rows["orientation"].gather(placed).to_list()))
    keys = [
        plane.tolist(),
        *(rows[name].to_list() for name in ("Rows", "Columns")),
        *(_stepped(rows[name].to_list()) for name in ("row_spacing_mm", "column_spacing_mm")),
        *(rows[name].to_list() for name in ("stack_id",) if name in rows.columns),
        read_units(rows),
    ]
    parts: dict[tuple[object, ...], list[int]] = {}
    for number, key in enumerate(zip(*keys, strict=True)):
        parts.setdefault(key, []).append(number)
    if len(parts) == 1:
        return [rows]
    return [order_slices(rows[numbers]) for numbers in parts.values()]


def _stepped(values: list[float | None]) -> list[int | None]:
    """Number each value among runs of values that are closer than the tolerance."""
    distinct = sorted({value for value in values if value is not None})
    starts = np.diff(distinct, prepend=distinct[:1]) > SPACING_TOLERANCE_MM
    number = dict(zip(distinct, np.cumsum(starts).tolist(), strict=True))
    return [None if value is None else number[value] for value in values]
