"""study/split.py: one series becomes stacks of one plane, shape and spacing; headers only.

Localizers are set apart first. Where positions repeat, a stack is split further, by what tells its
acquisitions apart, and only where that leaves no position twice.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.study.geometry import planes, unit_axes
from wetread.study.series import ordered, placed_rows, positions_mm
from wetread.study.unit import units_of

SAME_POSITION_MM = 0.01
SPACING_TOLERANCE_MM = 1e-3
LOCALIZER_SLICES = 3  # a scout has a picture or three
LOCALIZER_DEGREES = 45.0
_OUTVOTED = 4  # times as many slices in the other plane
_ABUTS = 2.0  # usual distances
_ACQUISITION_KEYS = (
    ("AcquisitionNumber",),
    ("EchoTime",),
    ("ConvolutionKernel",),
    ("content_time_s",),
    ("AcquisitionNumber", "EchoTime"),
    ("AcquisitionNumber", "ConvolutionKernel"),
)


@dataclass(frozen=True, eq=False)
class Parts:
    """One series, taken apart; every row is in one part.

    stacks:     rows in order along the normal, the stack with the most slices first.
    localizers: rows that are a scout of the rest; empty for a series of nothing else.
    told_by:    the columns that told acquisitions apart; empty where none were.
    """

    stacks: tuple[pl.DataFrame, ...]
    localizers: pl.DataFrame
    told_by: tuple[str, ...]


def split_series(rows: pl.DataFrame) -> Parts:
    """The parts of one series' rows, which come in any order."""
    rows = ordered(rows)
    scout = _is_localizer(rows)
    stacks: list[pl.DataFrame] = []
    told_by: tuple[str, ...] = ()
    for part in _uniform(rows.filter(~scout) if scout.any() else rows):
        own, keys = _acquisitions(part)
        stacks += own
        told_by = told_by or keys
    stacks.sort(key=lambda stack: -stack.height)  # stable: else in order of plane and place
    return Parts(tuple(stacks), rows.filter(scout), told_by)


def _is_localizer(rows: pl.DataFrame) -> np.ndarray:
    """(N,) named so by (0008,0008), or in a plane far off that few slices have."""
    kinds = [(kind or "").split("\\")[2:3] for kind in rows["ImageType"].to_list()]
    scout = np.array([[word.strip() for word in kind] == ["LOCALIZER"] for kind in kinds])
    if scout.all():
        return np.zeros(rows.height, bool)
    placed = placed_rows(rows)
    placed = placed[~scout[placed]]
    if len(placed) < 2:
        return scout
    turns = np.array(rows["orientation"].gather(placed).to_list())
    plane = planes(turns)
    usual = unit_axes(turns[np.argmax(plane == 0)])[2]
    for number in range(1, int(plane.max()) + 1):
        own = plane == number
        normal = unit_axes(turns[np.argmax(own)])[2]
        turned = np.degrees(np.arccos(min(abs(float(usual @ normal)), 1.0)))
        few = own.sum() <= LOCALIZER_SLICES and _OUTVOTED * own.sum() <= (plane == 0).sum()
        if few and turned > LOCALIZER_DEGREES:
            scout[placed[own]] = True
    return scout


def _uniform(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """One table a plane, shape, spacing, declared stack and unit; slices without a place are one
    plane more."""
    plane = np.full(rows.height, -1)
    placed = placed_rows(rows)
    if len(placed):
        plane[placed] = planes(np.array(rows["orientation"].gather(placed).to_list()))
    keys = [
        plane.tolist(),
        *(rows[name].to_list() for name in ("Rows", "Columns")),
        *(_stepped(rows[name].to_list()) for name in ("row_spacing_mm", "column_spacing_mm")),
        *(rows[name].to_list() for name in ("stack_id",) if name in rows.columns),
        units_of(rows),
    ]
    parts: dict[tuple[object, ...], list[int]] = {}
    for number, key in enumerate(zip(*keys, strict=True)):
        parts.setdefault(key, []).append(number)
    if len(parts) == 1:
        return [rows]
    return [ordered(rows[numbers]) for numbers in parts.values()]


def _stepped(values: list[float | None]) -> list[int | None]:
    """Each value's number among runs of values that are closer than the tolerance."""
    distinct = sorted({value for value in values if value is not None})
    starts = np.diff(distinct, prepend=distinct[:1]) > SPACING_TOLERANCE_MM
    number = dict(zip(distinct, np.cumsum(starts).tolist(), strict=True))
    return [None if value is None else number[value] for value in values]


def _acquisitions(rows: pl.DataFrame) -> tuple[list[pl.DataFrame], tuple[str, ...]]:
    """The rows of one plane as acquisitions without a position twice, and what told them apart;
    where nothing does, the rows as they are."""
    along = positions_mm(rows)
    if rows.height < 2 or not repeats(along):
        return [rows], ()
    for keys in _ACQUISITION_KEYS:
        if rows.select(keys).n_unique() < 2:
            continue
        groups = [np.sort(group) for group in _groups(rows, keys)]
        if keys == ("content_time_s",) and any(repeats(along[group]) for group in groups):
            continue
        stacks = _joined(along, groups)
        if stacks is None or (keys == ("content_time_s",) and not _one_pass(along, stacks)):
            continue
        return [rows[stack] for stack in stacks], keys
    return [rows], ()


def _groups(rows: pl.DataFrame, keys: tuple[str, ...]) -> list[np.ndarray]:
    """Row numbers of equal keys, in order of the keys."""
    grouped = rows.select(keys).with_row_index("_at").group_by(keys).agg("_at").sort(keys)
    return [np.array(at) for at in grouped["_at"].to_list()]


def _joined(along: np.ndarray, groups: list[np.ndarray]) -> list[np.ndarray] | None:
    """Groups as stacks; None where one holds a position twice.

    A number may change inside one pass of the table: a group joins the latest stack that it
    abuts and that holds none of its positions.
    """
    distinct = np.diff(np.unique(np.round(along / SAME_POSITION_MM))) * SAME_POSITION_MM
    near = _ABUTS * float(np.median(distinct)) if len(distinct) else 0.0
    stacks: list[np.ndarray] = []
    for group in groups:
        if repeats(along[group]):
            return None
        for number, stack in reversed(list(enumerate(stacks))):
            apart = np.abs(along[group][:, None] - along[stack][None]).min()
            if apart <= near and not repeats(np.concatenate([along[stack], along[group]])):
                stacks[number] = np.sort(np.concatenate([stack, group]))
                break
        else:
            stacks.append(group)
    return stacks


def _one_pass(along: np.ndarray, stacks: list[np.ndarray]) -> bool:
    """Whether a stack holds every position: times differ from slice to slice within a pass."""
    distinct = 1 + int((np.diff(np.sort(along)) >= SAME_POSITION_MM).sum())
    return max(map(len, stacks)) == distinct


def repeats(along: np.ndarray) -> bool:
    """Whether two of (N,) mm are one position."""
    return bool((np.diff(np.sort(along)) < SAME_POSITION_MM).any())
