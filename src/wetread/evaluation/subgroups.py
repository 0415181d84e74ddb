"""evaluation/subgroups.py: each group of rows against the rest, with the difference's interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.types import FloatArray, JsonObject
from wetread.evaluation.comparison import Difference, make_difference, too_few
from wetread.evaluation.drawn_metrics import draw_metrics
from wetread.evaluation.evaluate import LabeledRows
from wetread.evaluation.intervals import DRAWS, draw_patients


@dataclass(frozen=True)
class SubgroupScore:
    """A group's score beside that of the rest.

    attribute, group: "view" and "AP".
    difference: first of the group, second of all other rows whose attribute is known. Of two groups
    each is the other's rest: the second has both metrics, and no difference but a reason, so that
    one comparison is not counted twice.
    """

    attribute: str
    group: str
    difference: Difference

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return {"attribute": self.attribute, "group": self.group, **self.difference.to_dict()}


def score_subgroups(
    rows: LabeledRows,
    probability: FloatArray,
    attributes: Mapping[str, Sequence[str | None]],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[SubgroupScore]:
    """Score every group of every attribute against the rest, for each finding by every metric.

    probability: (N, F). attributes: name to the group of each row, None where it is not known;
    such rows are in no group and in no rest. An attribute with one group alone has no rest and is
    left out. Patients are drawn once for group and rest: who has rows in both counts in both.
    """
    truth = np.asarray(rows.truth, np.float64)
    of_row, times = draw_patients(rows.patients, draws, rng)
    found = []
    for attribute, groups in attributes.items():
        of_group = np.array(["" if group is None else group for group in groups], dtype=object)
        names = sorted(set(of_group) - {""})
        for name in names if len(names) > 1 else ():
            inside = of_group == name
            rest = (of_group != "") & ~inside
            for column, finding in enumerate(rows.findings):
                parts = [np.where(mask, truth[:, column], np.nan) for mask in (inside, rest)]
                reason = _reason(*parts)
                drawn = [
                    draw_metrics(part, probability[:, column], of_row, times) for part in parts
                ]
                differences = [
                    make_difference(metric, finding.name, rows, truth=parts[0], reason=reason,
                                    pair=(drawn[0][metric], drawn[1][metric]))
                    for metric in drawn[0]
                ]  # fmt: skip
                if len(names) == 2 and name == names[1]:
                    differences = [_without_value(one, names[0]) for one in differences]
                found += [SubgroupScore(attribute, name, one) for one in differences]
    return found


def _without_value(one: Difference, first: str) -> Difference:
    """Return the difference of the second of two groups, which is that of the first, sign
    turned."""
    if one.value is None:
        return one
    return replace(one, value=None, low=None, high=None, reason=f"compared once, as {first}")


def _reason(group: FloatArray, rest: FloatArray) -> str | None:
    """Say why group (N,) and rest (N,) cannot be compared; None where they can."""
    reason = too_few(group)
    if reason is None and (other := too_few(rest)) is not None:
        return f"of the rest {other}"
    return reason
