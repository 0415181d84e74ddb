"""verbs/task/relations.py: how findings of a label file hang together: unions, groups, twins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import polars as pl

from wetread.labels.cell_values import CellValues, read_cells
from wetread.labels.csv_file import LINE
from wetread.verbs.task.profile import Profile


@dataclass(frozen=True)
class DraftFinding:
    """A finding as it is drafted: its name, its words in the label file, and its facts."""

    name: str
    label: tuple[str, ...]
    positive: float
    known: int
    mirror: str | None = None
    any_of: tuple[str, ...] = ()


def with_union(profile: Profile, found: list[DraftFinding]) -> list[DraftFinding]:
    """Mark the finding whose column is, in every row, the greatest of the columns that are never
    above it; of several the one of the most parts."""
    single = [one for one in found if len(one.label) == 1]
    if len(single) < 3:
        return found
    values = _values(profile, single).drop_nulls()
    best, parts = "", list[str]()
    for one in single:
        within = [p.name for p in single if p is not one and _implies(values, p.name, one.name)]
        if len(within) > max(1, len(parts)):
            union = values.select(pl.max_horizontal(within).alias("union"))["union"]
            if (values[one.name] == union).all():
                best, parts = one.name, within
    return [replace(one, any_of=tuple(parts)) if one.name == best else one for one in found]


def _implies(values: pl.DataFrame, part: str, whole: str) -> bool:
    """Whether a column is nowhere above another, and somewhere above 0."""
    return bool((values[part] <= values[whole]).all() and (values[part] > 0).any())


def exclusive_groups(
    profile: Profile, found: Sequence[DraftFinding]
) -> tuple[tuple[str, ...], ...]:
    """Find the groups of columns with one word before the underscore of which exactly one is 1 in
    every row where all are known."""
    single = [one for one in found if len(one.label) == 1]
    ordered = sorted(single, key=lambda one: one.label[0].rpartition("_")[0])
    groups = []
    for word, members in groupby(ordered, key=lambda one: one.label[0].rpartition("_")[0]):
        several = list(members)
        if not word or len(several) < 2:
            continue
        values = _values(profile, several).drop_nulls()
        if values.height and (values.sum_horizontal() == 1.0).all():
            groups.append(tuple(one.name for one in several))
    return tuple(groups)


def _values(profile: Profile, findings: Sequence[DraftFinding]) -> pl.DataFrame:
    cells, rows = CellValues(refuse_uncertain=False), profile.frame.with_row_index(LINE, offset=2)
    return pl.DataFrame(
        {one.name: read_cells(profile.path, rows, one.label[0], cells) for one in findings}
    )


def with_twins(found: Sequence[DraftFinding]) -> tuple[DraftFinding, ...]:
    """Name the mirror twin of each finding whose name has left or right in it."""
    names = {one.name for one in found}
    other = {"left": "right", "right": "left"}
    swapped = {
        one.name: re.sub("left|right", lambda side: other[side[0]], one.name) for one in found
    }
    return tuple(
        DraftFinding(
            one.name, one.label, one.positive, one.known,
            swapped[one.name] if swapped[one.name] in names - {one.name} else None, one.any_of,
        )
        for one in found
    )  # fmt: skip
