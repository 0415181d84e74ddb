"""tasks/own/rules.py: answers of a task's file obey its groups and unions, at the least cost.

The findings that rules bind to each other, directly or through others, are consistent together by
prediction/consistency.py, exactly; what no rule binds stays as it was answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.group_rules import (
    GroupRule,
    RuleSet,
    exclusive_rules,
    union_rules,
)
from wetread.labels.exams import Exams
from wetread.labels.finding import Finding
from wetread.prediction.consistency import AnswerCosts, make_consistent

LEAST_WEIGHT = 1e-6  # of a finding that the metric leaves out: between two answers it still decides


@dataclass(frozen=True, eq=False)
class BoundFindings:
    """Findings that rules bind to each other: their columns, and what an answer costs."""

    columns: tuple[int, ...]
    costs: AnswerCosts

    def exams(self, probability: Float64Array) -> Exams:
        """Take the columns of probability (N, F) as exams without images."""
        nothing = np.empty(0)
        return Exams(
            probability[:, self.columns], nothing, np.zeros(len(probability) + 1, np.int64)
        )


@dataclass(frozen=True, eq=False)
class TaskRules:
    """The rules of a task's file: of images and studies, and those that hold of slices' maxima."""

    all: tuple[BoundFindings, ...]
    unions: tuple[BoundFindings, ...]

    def obey(self, level: str, probability: Float64Array) -> Float64Array:
        """Return answers (N, F) of least expected cost that obey; a study that is as its worst
        slice may have two findings of which a slice has one, and obeys the unions alone."""
        return consistent_probabilities(probability, self.unions if level == "study" else self.all)

    def obey_series(
        self, image: Float64Array, study: Float64Array, starts: Int64Array
    ) -> tuple[Float64Array, Float64Array]:
        """Return slices' answers (N, F) as they are, and studies' (E, F) that obey."""
        return image, consistent_probabilities(study, self.all)

    def broken_series(
        self, image: Float64Array, study: Float64Array, starts: Int64Array
    ) -> list[tuple[str, ...]]:
        """List the rules that each study, (E, F), breaks."""
        parts = [one.costs.rules.broken_names(one.exams(study)) for one in self.all]
        return [tuple(name for part in parts for name in part[e]) for e in range(len(study))]


def task_rules(
    findings: Sequence[Finding],
    groups: Sequence[Sequence[str]],
    any_of: Mapping[str, Sequence[str]],
) -> TaskRules:
    """Make the rules of findings; groups: of which exactly one holds. ValueError where too many
    are bound to each other, or rules contradict each other."""
    unions = label_rules((), any_of)
    return TaskRules(bind(findings, label_rules(groups, any_of)), bind(findings, unions))


def label_rules(
    groups: Sequence[Sequence[str]], any_of: Mapping[str, Sequence[str]]
) -> tuple[GroupRule, ...]:
    """List the rules of groups, of which exactly one holds, and of unions."""
    unions = [rule for name, parts in any_of.items() for rule in union_rules(name, tuple(parts))]
    return (*exclusive_rules(groups), *unions)


def bind(findings: Sequence[Finding], rules: Sequence[GroupRule]) -> tuple[BoundFindings, ...]:
    """Part the findings that rules bind to each other."""
    names = [one.name for one in findings]
    parts: list[set[str]] = []
    for rule in rules:
        whole = rule.bound
        for part in [part for part in parts if part & whole]:
            parts.remove(part)
            whole |= part
        parts.append(whole)
    bounds = []
    for part in parts:
        columns = tuple(k for k, name in enumerate(names) if name in part)
        own = tuple(rule for rule in rules if rule.bound <= part)
        weights = np.array([max(findings[k].weight, LEAST_WEIGHT) for k in columns])
        rule_set = RuleSet(tuple(names[k] for k in columns), own)
        bounds.append(BoundFindings(columns, AnswerCosts(rule_set, weights, image_weight=0.0)))
    return tuple(bounds)


def consistent_probabilities(
    probability: Float64Array, bounds: Sequence[BoundFindings]
) -> Float64Array:
    """Return the probabilities (N, F) of least expected cost that obey all rules."""
    consistent = probability.copy()
    for one in bounds:
        consistent[:, one.columns] = make_consistent(one.exams(probability), one.costs).study
    return consistent
