"""tasks/own/coherence.py: probabilities that agree with each other as probabilities do: those of
findings of which exactly one holds are 1 in sum, and that of a union is at least the largest of its
parts', at most their sum.

So rules are obeyed where the metric asks for no decision: an order or a share is changed least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.metrics import normalize
from wetread.labels.finding import Finding, finding_names


@dataclass(frozen=True)
class CoherentProbabilities:
    """Groups of columns of which exactly one holds, and unions: a column and those of its parts, in
    an order in which each union comes after the unions that it is made of."""

    groups: tuple[tuple[int, ...], ...]
    unions: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def all(self) -> bool:
        """Whether there is a rule."""
        return bool(self.groups or self.unions)

    def obey(self, level: str, probability: Float64Array) -> Float64Array:
        """Return probabilities (N, F) that agree with each other; a study that is as its worst
        slice may have two findings of which a slice has one, and obeys the unions alone."""
        return agree(probability, () if level == "study" else self.groups, self.unions)

    def obey_series(
        self, image: Float64Array, study: Float64Array, starts: Int64Array
    ) -> tuple[Float64Array, Float64Array]:
        """Return slices' answers (N, F) as they are, and studies' (E, F) that agree."""
        return image, agree(study, self.groups, self.unions)

    def broken_series(
        self, image: Float64Array, study: Float64Array, starts: Int64Array
    ) -> list[tuple[str, ...]]:
        """List the rules that each study breaks: none, for no decision is asked for."""
        return [()] * len(study)


def agree(
    probability: Float64Array,
    groups: Sequence[tuple[int, ...]],
    unions: Sequence[tuple[int, tuple[int, ...]]],
) -> Float64Array:
    """Scale each group of probabilities (N, F) to a sum of 1, then move each union into its
    bounds."""
    answer = probability.copy()
    for columns in groups:
        answer[:, columns] = normalize(answer[:, columns])
    for column, parts in unions:
        of_parts = answer[:, parts]
        answer[:, column] = np.clip(
            answer[:, column], of_parts.max(axis=1), np.minimum(of_parts.sum(axis=1), 1)
        )
    return answer


def coherent_probabilities(
    findings: Sequence[Finding],
    groups: Sequence[Sequence[str]],
    any_of: Mapping[str, Sequence[str]],
) -> CoherentProbabilities:
    """Take rules by names. ValueError where a finding is of two groups, a union is a member of a
    group, or unions are made of each other."""
    names = finding_names(findings)
    grouped = [name for group in groups for name in group]
    twice = sorted({name for name in grouped if grouped.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]!r} is of two groups; of one, shares can be 1 in sum")
    inside = sorted(set(any_of) & set(grouped))
    if inside:
        raise ValueError(f"{inside[0]!r} is a union and of a group; it can be one of both")
    ordered: list[str] = []
    while len(ordered) < len(any_of):
        ready = [
            name
            for name, parts in any_of.items()
            if name not in ordered and all(one in ordered or one not in any_of for one in parts)
        ]
        if not ready:
            rest = [name for name in any_of if name not in ordered]
            raise ValueError(f"{rest[0]!r} is made of itself by any_of")
        ordered += ready
    return CoherentProbabilities(
        tuple(tuple(names.index(name) for name in group) for group in groups),
        tuple((names.index(n), tuple(names.index(p) for p in any_of[n])) for n in ordered),
    )
