"""tests/tasks/own/test_coherence.py: probabilities of groups are 1 in sum, those of unions within
what their parts allow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.labels.finding import Finding
from wetread.tasks.own.coherence import coherent_probabilities

NAMES = "abcdefgh"


@st.composite
def tasks(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, list[str]]]:
    """Draw disjoint groups, and unions of what is in them or of each other."""
    names = list(draw(st.permutations(list(NAMES))))
    groups = [[names.pop() for _ in range(draw(st.integers(2, 3)))] for _ in range(2)]
    unions, known = {}, [name for group in groups for name in group]
    for _ in range(draw(st.integers(0, 2))):
        union = names.pop()
        parts = draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))
        unions[union] = parts
        known.append(union)
    return groups, unions


@settings(max_examples=300, deadline=None)
@given(tasks(), st.integers(0, 2**32 - 1))
def test_probabilities_agree(task: tuple[list[list[str]], dict[str, list[str]]], seed: int) -> None:
    groups, unions = task
    rules = coherent_probabilities([Finding(name) for name in NAMES], groups, unions)
    raw = np.random.default_rng(seed).beta(0.3, 0.6, (20, len(NAMES)))
    raw[0] = 0
    answers = {one: rules.obey("image", raw)[:, NAMES.index(one)] for one in NAMES}
    for group in groups:
        np.testing.assert_allclose(sum(answers[one] for one in group), 1)
        ratio = raw[1:, NAMES.index(group[0])] * answers[group[1]][1:]
        np.testing.assert_allclose(ratio, raw[1:, NAMES.index(group[1])] * answers[group[0]][1:])
    for union, parts in unions.items():
        assert (answers[union] >= np.max([answers[one] for one in parts], axis=0) - 1e-12).all()
        most = np.minimum(np.sum([answers[one] for one in parts], axis=0), 1)
        assert (answers[union] <= most + 1e-12).all()
    again = rules.obey("image", rules.obey("image", raw))
    np.testing.assert_allclose(again, rules.obey("image", raw))


def test_a_study_as_its_worst_slice_may_have_two_of_a_group() -> None:
    rules = coherent_probabilities(
        [Finding("a"), Finding("b"), Finding("c")], [["a", "b"]], {"c": ["a"]}
    )
    answer = rules.obey("study", np.array([[0.9, 0.8, 0.1]]))
    np.testing.assert_allclose(answer, [[0.9, 0.8, 0.9]])


@pytest.mark.parametrize(
    ("groups", "unions", "words"),
    [
        ([["a", "b"], ["b", "c"]], {}, "'b' is of two groups"),
        ([["a", "b"]], {"a": ["c"]}, "'a' is a union and of a group"),
        ([], {"a": ["b"], "b": ["a"]}, "made of itself"),
    ],
)
def test_rules_that_shares_cannot_obey_are_refused(
    groups: list[list[str]], unions: dict[str, list[str]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        coherent_probabilities([Finding(name) for name in "abc"], groups, unions)
