"""evaluation/group_rules.py: rules over groups of findings, and which of them a study breaks.

A rule bounds how many findings of a group a study may have at once, perhaps depending on whether
one of its images is positive: exactly one of two grades, at least one of three places, none of the
signs of disease in a study without a diseased image. A finding is present where its probability is
above 0.5; exactly 0.5 is absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray
from wetread.evaluation.metrics import THRESHOLD
from wetread.labels.exams import Exams, require_probabilities


@dataclass(frozen=True)
class GroupRule:
    """A bound on how many findings of a group are present in one study.

    name:       short, as scores and readings list it.
    text:       how a study breaks it, in words.
    findings:   names of the group.
    with_image: True: holds in studies with a positive image; False: in those without; None: in all.
    least:      as many of the group are present at least.
    most:       at most; None: any number.
    given:      the rule holds where this finding is present, or where it is absent (given_is);
                None: whatever else is there.
    """

    name: str
    text: str
    findings: tuple[str, ...]
    with_image: bool | None = None
    least: int = 0
    most: int | None = None
    given: str | None = None
    given_is: bool = True

    @property
    def bound(self) -> set[str]:
        """Return the findings that it binds to each other."""
        return {*self.findings, *(() if self.given is None else (self.given,))}


def exclusive_rules(groups: Sequence[Sequence[str]]) -> list[GroupRule]:
    """Say of each group of findings that exactly one of it is present."""
    return [
        GroupRule(f"exactly_one_{number}", "not exactly one of them", tuple(group), None, 1, 1)
        for number, group in enumerate(groups, start=1)
    ]


def union_rules(name: str, parts: tuple[str, ...]) -> tuple[GroupRule, GroupRule]:
    """Say that a finding is present where any of its parts is, and nowhere else."""
    return (
        GroupRule(f"{name}_without_part", f"{name}, but none of it", parts, None, 1, None, name),
        GroupRule(
            f"part_without_{name}", f"a part of {name} without it", parts, None, 0, 0, name, False
        ),
    )


@dataclass(frozen=True)
class RuleSet:
    """The R rules of one task over its S findings of studies.

    findings: names of the columns of every array of studies.
    """

    findings: tuple[str, ...]
    rules: tuple[GroupRule, ...]

    def __post_init__(self) -> None:
        unknown = {name for rule in self.rules for name in rule.bound} - {*self.findings}
        if unknown:
            raise ValueError(f"rules name {', '.join(sorted(unknown))}, which are no findings here")

    def broken_patterns(self, present: BoolArray, some_image: BoolArray) -> BoolArray:
        """Find the broken rules: (N, R) bool of findings present (N, S) bool and of whether an
        image is positive, some_image (N,) bool."""
        broken = []
        for rule in self.rules:
            columns = [self.findings.index(name) for name in rule.findings]
            count = present[:, columns].sum(axis=1)
            outside = count < rule.least
            if rule.most is not None:
                outside |= count > rule.most
            if rule.with_image is not None:
                outside &= some_image == rule.with_image
            if rule.given is not None:
                outside &= present[:, self.findings.index(rule.given)] == rule.given_is
            broken.append(outside)
        return np.stack(broken, axis=1) if broken else np.zeros((len(present), 0), np.bool_)

    def broken_rules(self, exams: Exams) -> BoolArray:
        """Find the rules that probabilities of N exams break: (N, R) bool.

        Raises ValueError for a probability that is NaN or outside 0..1, and where the exams have
        another number of findings.
        """
        self.require_columns(exams)
        require_probabilities(exams)
        some_image = exams.sum_images(exams.image > THRESHOLD) > 0
        return self.broken_patterns(exams.study > THRESHOLD, some_image)

    def broken_names(self, exams: Exams) -> list[tuple[str, ...]]:
        """List for each of N exams the names of the rules it breaks."""
        return [self.names(row) for row in self.broken_rules(exams)]

    def names(self, broken: BoolArray) -> tuple[str, ...]:
        """Name the broken rules of one study, broken (R,) bool."""
        return tuple(
            rule.name for rule, is_broken in zip(self.rules, broken, strict=True) if is_broken
        )

    def require_columns(self, exams: Exams) -> None:
        """Raise ValueError where the exams, study (N, S), are of another number of findings."""
        if exams.study.shape[1] != len(self.findings):
            raise ValueError(
                f"study is {exams.study.shape}; the rules are over {len(self.findings)} findings"
            )
