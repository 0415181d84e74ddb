"""tests/evaluation/test_subgroups.py: groups against the rest, by hand and by scikit-learn."""

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from wetread.evaluation.evaluate import LabeledRows
from wetread.evaluation.subgroups import SubgroupScore, score_subgroups
from wetread.labels.finding import Finding


def scored(
    groups: Sequence[str | None], harder: str = ""
) -> tuple[list[SubgroupScore], np.ndarray]:
    rng = np.random.default_rng(2)
    count = len(groups)
    truth = (rng.random((count, 1)) < 0.5).astype(float)
    strength = np.array([0.0 if group == harder else 0.8 for group in groups])[:, None]
    probability = np.clip(strength * truth + rng.random((count, 1)) * (1 - strength), 0, 1)
    rows = LabeledRows(truth, (Finding("a"),), [str(k) for k in range(count)], "image", "given")
    found = score_subgroups(rows, probability, {"view": groups}, np.random.default_rng(0), 200)
    return found, np.concatenate([truth, probability], axis=1)


def auc(found: list[SubgroupScore], group: str) -> SubgroupScore:
    (one,) = (s for s in found if (s.group, s.difference.metric) == (group, "roc_auc"))
    return one


def test_a_group_is_compared_with_all_others_whose_header_has_a_value() -> None:
    groups: list[str | None] = ["AP"] * 60 + ["PA"] * 60 + [None] * 30
    found, values = scored(groups)
    first = roc_auc_score(*values[:60].T)
    second = roc_auc_score(*values[60:120].T)
    one = auc(found, "AP").difference
    assert (one.first, one.second) == pytest.approx((first, second))
    assert one.value == pytest.approx(first - second)
    assert one.rows == 60


def test_two_groups_are_compared_once_and_both_have_their_scores() -> None:
    found, _ = scored(["F"] * 60 + ["M"] * 60)
    first, second = auc(found, "F").difference, auc(found, "M").difference
    assert (second.first, second.second) == (first.second, first.first)
    assert (second.rows, second.reason) == (60, "compared once, as F")
    assert {one.group for one in found if one.difference.low is not None} == {"F"}
    assert {one.group for one in found if one.difference.value is not None} == {"F"}


def test_each_of_three_groups_has_a_rest_of_its_own() -> None:
    found, _ = scored(["A"] * 60 + ["B"] * 60 + ["C"] * 60)
    assert {one.group for one in found if one.difference.value is not None} == {"A", "B", "C"}


def test_a_group_that_is_really_harder_stands_apart_and_equal_ones_do_not() -> None:
    groups = ["AP"] * 80 + ["PA"] * 80
    assert auc(scored(groups, harder="AP")[0], "AP").difference.apart
    assert not auc(scored(groups)[0], "AP").difference.apart


def test_a_small_group_or_a_small_rest_is_absent_with_its_reason() -> None:
    found, _ = scored([*["AP"] * 60, *["PA"] * 4])
    small, large = auc(found, "PA").difference, auc(found, "AP").difference
    assert small.value is None
    assert small.reason is not None
    assert small.reason.endswith("at least 5 are needed")
    assert large.reason is not None
    assert large.reason.startswith("of the rest ")


def test_an_attribute_with_one_group_has_no_rest() -> None:
    assert scored(["AP"] * 30)[0] == []
