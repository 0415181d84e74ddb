"""tests/evaluation/test_group_rules.py: rules over groups of findings, against counting by hand."""

from itertools import product

import numpy as np
import pytest

from wetread.evaluation.group_rules import GroupRule, RuleSet
from wetread.labels.exams import Exams

ONE_GRADE = GroupRule("grade", "not one of the two grades", ("low", "high"), True, 1, 1)
SOME_PLACE = GroupRule("place", "no place", ("left", "right"), True, least=1)
CLEAN = GroupRule("clean", "a sign in a study without one", ("low", "high", "left"), False, most=0)
NOT_ALL = GroupRule("all", "everything at once", ("low", "left", "right"), most=2)
RULES = RuleSet(("low", "high", "left", "right"), (ONE_GRADE, SOME_PLACE, CLEAN, NOT_ALL))


def broken_by_hand(present: tuple[bool, ...], some_image: bool) -> tuple[str, ...]:
    low, high, left, right = present
    broken = []
    if some_image and low + high != 1:
        broken.append("grade")
    if some_image and not (left or right):
        broken.append("place")
    if not some_image and (low or high or left):
        broken.append("clean")
    if low and left and right:
        broken.append("all")
    return tuple(broken)


@pytest.mark.parametrize("some_image", [False, True])
def test_every_pattern_breaks_what_counting_by_hand_says(some_image: bool) -> None:
    patterns = list(product((False, True), repeat=4))
    broken = RULES.broken_patterns(np.array(patterns), np.full(16, some_image))
    assert broken.shape == (16, 4)
    named = [RULES.names(row) for row in broken]
    assert named == [broken_by_hand(pattern, some_image) for pattern in patterns]


def test_probabilities_are_judged_above_a_half_and_by_their_own_images() -> None:
    study = np.array([[0.9, 0.5, 0.6, 0.1], [0.9, 0.5, 0.6, 0.1]])
    exams = Exams(study, np.array([0.2, 0.51, 0.5]), np.array([0, 2, 3]))
    assert RULES.broken_names(exams) == [(), ("clean",)]


def test_a_study_without_images_has_no_positive_one() -> None:
    exams = Exams(np.array([[0.0, 0.0, 0.0, 1.0]]), np.empty(0), np.array([0, 0]))
    assert RULES.broken_names(exams) == [()]


def test_no_rules_break_nothing() -> None:
    free = RuleSet(("a", "b"), ())
    assert free.broken_patterns(np.ones((3, 2), bool), np.ones(3, bool)).shape == (3, 0)


def test_a_rule_over_what_is_no_finding_is_refused() -> None:
    with pytest.raises(ValueError, match="rules name high, left, low, which are no findings"):
        RuleSet(("right",), (CLEAN,))


def test_exams_with_other_columns_and_what_is_no_probability_are_refused() -> None:
    with pytest.raises(ValueError, match=r"study is \(1, 3\); the rules are over 4 findings"):
        RULES.broken_rules(Exams(np.zeros((1, 3)), np.zeros(1), np.array([0, 1])))
    with pytest.raises(ValueError, match="nan is no probability"):
        RULES.broken_rules(Exams(np.full((1, 4), np.nan), np.zeros(1), np.array([0, 1])))
