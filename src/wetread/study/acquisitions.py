"""study/acquisitions.py: slices of one plane become the passes that made them; headers only.

Positions that repeat are split by what leaves none twice. Positions that do not repeat are split
where groups are each regular and run through one another, and the whole is not. Passes are never
split by a number that changes within one pass of the table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array, Int64Array

SAME_POSITION_MM = 0.01
_REGULAR_MM = 0.1
_LEAST = 3  # slices whose distances say that they are a stack
_GAPLESS = 0.7  # of a group's distances are the usual one; the others are multiples of it
_ABUTS = 2.0  # usual distances
_DEEPEST = 3  # columns that may differ at once

# What differs between the passes, and how a pass is called after it. Those of the first block are
# different pictures even where all their positions together are evenly spaced.
_PHYSICAL: dict[str, str] = {
    "TemporalPositionIdentifier": "temporal position {:d}",
    "TemporalPositionIndex": "temporal position {:d}",
    "cardiac_phase_percent": "phase {:g} %",
    "DiffusionBValue": "b {:g}",
    "EchoTime": "echo time {:g} ms",
    "EchoNumbers": "echo {:d}",
    "KVP": "{:g} kV",
}
_NUMBER = "AcquisitionNumber"
_CALLED: dict[str, str] = {
    **_PHYSICAL,
    _NUMBER: "acquisition {:d}",
    "ConvolutionKernel": "kernel {}",
    "ImageType": "image type {}",
    "TriggerTime": "trigger time {:g} ms",
    "SeriesDescription": "",  # may name a person: shown as an order number
}
# Told as an order number: a time of day is a patient's, and triggers differ from beat to beat.
_ORDERED = {
    "SeriesDescription": "description",
    "acquisition_time_s": "time",
    "content_time_s": "time",
}
_TIMES = ("TriggerTime", "acquisition_time_s", "content_time_s")
KEYWORDS = {
    "cardiac_phase_percent": "NominalPercentageOfCardiacPhase",
    "acquisition_time_s": "AcquisitionTime",
    "content_time_s": "ContentTime",
}

Groups = list[Int64Array]  # row numbers, ascending, of each group


@dataclass(frozen=True, eq=False)
class Acquisitions:
    """Rows of one plane, split into the passes that made them.

    groups:   row numbers of each, ascending.
    split_by: the columns that they differ in; empty where there is one, or no column differs.
    names:    by those columns: `acquisition 2`, `phase 40 %`; empty as split_by is.
    """

    groups: Groups
    split_by: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def find_acquisitions(rows: pl.DataFrame, along: Float64Array) -> Acquisitions:
    """Find the passes of rows at along (N,) mm, which are sorted by it."""
    if rows.height < 2 or np.isnan(along).any():
        return Acquisitions([np.arange(rows.height)])
    found = _of_repeated(rows, along) if repeats(along) else _of_interleaved(rows, along)
    for groups, columns in found:
        return Acquisitions(groups, columns, _names(rows, groups, columns))
    return Acquisitions([np.arange(rows.height)])


def repeats(along: Float64Array) -> bool:
    """Whether two of (N,) mm are one position."""
    return bool((np.diff(np.sort(along)) < SAME_POSITION_MM).any())


def _varying(rows: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if rows[name].n_unique() > 1]


def _chosen(rows: pl.DataFrame, columns: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    """Yield the columns that differ, one, then several at once."""
    differ = _varying(rows, columns)
    for count in range(1, min(most, len(differ)) + 1):
        yield from combinations(differ, count)


def _of_repeated(
    rows: pl.DataFrame, along: Float64Array
) -> Iterator[tuple[Groups, tuple[str, ...]]]:
    """Yield every way to split passes that leaves no position twice; the first is taken."""
    for columns in _chosen(rows, tuple(_CALLED), _DEEPEST):
        groups = _by_values(rows, along, columns)
        if groups is not None and len(groups) > 1 and _are_passes(along, groups):
            yield groups, columns
    times = [name for name in _varying(rows, _TIMES) if not rows[name].null_count()]
    for time in times:
        seconds = rows[time].to_numpy()
        for columns in ((), *_chosen(rows, [name for name in _CALLED if name != time], 1)):
            within = _equal(rows, columns) if columns else [np.arange(rows.height)]
            parts = [_passes(group, along, seconds) for group in within]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts):
                yield [group for part in known for group in part], (*columns, time)


def _of_interleaved(
    rows: pl.DataFrame, along: Float64Array
) -> Iterator[tuple[Groups, tuple[str, ...]]]:
    """Yield ways to split regular passes whose positions, no two alike, interleave."""
    if _on_a_line(along):  # one pass may take every second slice: other pictures it does not make
        for columns in _chosen(rows, tuple(_PHYSICAL), 2):
            groups = _equal(rows, columns)
            if _run_through(along, groups):
                yield groups, columns
        return
    for columns in _chosen(rows, (*_CALLED, *_TIMES[1:]), 2):
        groups = _equal(rows, columns)
        if _run_through(along, groups):
            yield groups, columns
    for time in _TIMES[1:]:
        if not rows[time].null_count():
            groups = _sweeps(along, rows[time].to_numpy())
            if _run_through(along, groups):
                yield groups, (time,)


def _are_passes(along: Float64Array, groups: Groups) -> bool:
    """Whether groups are few enough to be passes: a value that differs from slice to slice, as a
    trigger does, tells slices apart."""
    distinct, counts = np.unique(np.round(along / SAME_POSITION_MM), return_counts=True)
    alone = sum(len(group) == 1 for group in groups)
    return len(distinct) == 1 or (len(groups) <= 2 * counts.max() and 2 * alone <= len(groups))


def _equal(rows: pl.DataFrame, columns: Sequence[str]) -> Groups:
    """Group row numbers of equal values, ascending, in order of the values."""
    grouped = rows.select(columns).with_row_index("_at").group_by(columns).agg("_at").sort(columns)
    return [np.sort(np.array(at)) for at in grouped["_at"].to_list()]


def _by_values(rows: pl.DataFrame, along: Float64Array, columns: tuple[str, ...]) -> Groups | None:
    """Group rows of equal values; None where a group holds a position twice.

    AcquisitionNumber may change inside one pass of the table: its groups are joined.
    """
    if _NUMBER not in columns:
        groups = _equal(rows, columns)
        return None if any(repeats(along[group]) for group in groups) else groups
    others = [name for name in columns if name != _NUMBER]
    joined: Groups = []
    for part in _equal(rows, others) if others else [np.arange(rows.height)]:
        inside = [part[group] for group in _equal(rows[part], (_NUMBER,))]
        stacks = _joined(along, inside)
        if stacks is None:
            return None
        joined += stacks
    return joined


def _joined(along: Float64Array, groups: Groups) -> Groups | None:
    """Join groups to stacks; None where one holds a position twice.

    A group joins the latest stack that it abuts and that holds none of its positions, unless both
    are regular, run through one another, and are not so together.
    """
    distinct = np.diff(np.unique(np.round(along / SAME_POSITION_MM))) * SAME_POSITION_MM
    near = _ABUTS * float(np.median(distinct)) if len(distinct) else 0.0
    stacks: Groups = []
    for group in groups:
        if repeats(along[group]):
            return None
        for number, stack in reversed(list(enumerate(stacks))):
            union = np.sort(np.concatenate([stack, group]))
            apart = np.abs(along[group][:, None] - along[stack][None]).min()
            if apart > near or repeats(along[union]):
                continue
            if _run_through(along, [stack, group]) and not _on_a_line(along[union]):
                continue
            stacks[number] = union
            break
        else:
            stacks.append(group)
    return stacks


def _passes(group: Int64Array, along: Float64Array, seconds: Float64Array) -> Groups | None:
    """Split a group into passes by time: one after the other, or at each position in turn."""
    if not repeats(along[group]):
        return [group]
    order = group[np.argsort(seconds[group], kind="stable")]
    starts = np.flatnonzero(np.diff(seconds[order], prepend=-np.inf) > 0)
    moments = [np.sort(part) for part in np.split(order, starts[1:])]
    stacks = _joined(along, moments)
    if stacks is not None and _one_pass(along[group], stacks) and _in_turn(seconds, stacks):
        return stacks
    return _ranked(group, along, seconds)


def _one_pass(along: Float64Array, stacks: Groups) -> bool:
    """Whether a stack holds every position: times differ from slice to slice within a pass."""
    distinct = 1 + int((np.diff(np.sort(along)) >= SAME_POSITION_MM).sum())
    return max(map(len, stacks)) == distinct


def _in_turn(seconds: Float64Array, stacks: Groups) -> bool:
    """Whether each pass ends before the next begins."""
    spans = sorted((seconds[stack].min(), seconds[stack].max()) for stack in stacks)
    return all(before[1] <= after[0] for before, after in pairwise(spans))


def _ranked(group: Int64Array, along: Float64Array, seconds: Float64Array) -> Groups | None:
    """Group the first at each position, the second, and on; None where some have fewer, or two have
    one time."""
    place = np.cumsum(np.diff(along[group], prepend=along[group][0]) >= SAME_POSITION_MM)
    counts = np.bincount(place)
    if counts.min() != counts.max():
        return None
    order = np.lexsort((seconds[group], place)).reshape(len(counts), -1)
    if (np.diff(seconds[group][order], axis=1) <= 0).any():
        return None
    return [np.sort(group[column]) for column in order.T]


def _sweeps(along: Float64Array, seconds: Float64Array) -> Groups:
    """Split slices into runs of time in which the table moves in one direction."""
    order = np.argsort(seconds, kind="stable")
    direction = np.sign(np.diff(along[order]))
    usual = 1 if (direction > 0).sum() >= (direction < 0).sum() else -1
    return [np.sort(part) for part in np.split(order, np.flatnonzero(direction != usual) + 1)]


def _run_through(along: Float64Array, groups: Groups) -> bool:
    """Whether there are several groups, each regular, and each runs through another."""
    if len(groups) < 2 or not all(_is_regular(along[group]) for group in groups):
        return False
    return all(
        any(_is_among(along[group], along[other]) for other in groups if other is not group)
        for group in groups
    )


def _is_among(first: Float64Array, second: Float64Array) -> bool:
    """Whether half of the positions of the shorter lie between the ends of the longer, mm."""
    shorter, longer = sorted((first, second), key=len)
    inside = (shorter > longer.min()) & (shorter < longer.max())
    return bool(2 * inside.sum() >= len(shorter))


def _is_regular(along: Float64Array) -> bool:
    """Whether ascending positions are evenly spaced, but for a gap here and there."""
    if len(along) < _LEAST:
        return False
    if _on_a_line(along):
        return True
    apart = np.diff(along)
    usual = float(np.median(apart))
    times = np.rint(apart / usual)
    return bool(
        (np.abs(apart - times * usual) <= _REGULAR_MM).all()
        and (times >= 1).all()
        and (times == 1).mean() >= _GAPLESS
    )


def _on_a_line(along: Float64Array) -> bool:
    """Whether ascending positions lie within 0.1 mm of equal steps."""
    line = np.linspace(along[0], along[-1], len(along))
    return bool(np.abs(along - line).max() <= _REGULAR_MM)


def _names(rows: pl.DataFrame, groups: Groups, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Name each group: no two alike, and without anybody's time or words."""
    parts = [_called(rows, groups, column) for column in columns]
    return tuple(", ".join(words) for words in zip(*parts, strict=True))


def _called(rows: pl.DataFrame, groups: Groups, column: str) -> list[str]:
    """Name all groups by one column."""
    values = [rows[column][group.tolist()].drop_nulls() for group in groups]
    form = _CALLED.get(column, "")
    ranges = [(own.min(), own.max()) if len(own) else (None, None) for own in values]
    apart = all(low == high or column == _NUMBER for low, high in ranges)
    if form and apart and all(_may_be_shown(low) for low, _ in ranges):
        return [_in_words(form, low, high) for low, high in ranges]
    called = _ORDERED.get(column, "trigger" if column == "TriggerTime" else column)
    order = pl.Series([low for low, _ in ranges]).unique().sort().to_list()  # nulls first
    return [f"{called} {order.index(low) + 1}" for low, _ in ranges]


def _in_words(form: str, low: object, high: object) -> str:
    if low is None:
        return f"no {form.split(' {')[0].removeprefix('{:g} ')}"
    first = form.format(low)
    return first if low == high else f"{first} to {high}"


def _may_be_shown(value: object) -> bool:
    return not isinstance(value, str) or (value.isprintable() and len(value) <= 64)
