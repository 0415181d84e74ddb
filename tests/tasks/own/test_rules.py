"""tests/tasks/own/test_rules.py: answers obey groups and unions, at the least expected cost."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.evaluation.metrics import log_losses
from wetread.labels.finding import Finding
from wetread.prediction.consistency import ABOVE
from wetread.tasks.own.rules import TaskRules, consistent_probabilities, task_rules

NAMES = tuple("abcdefgh")


@st.composite
def tasks(draw: st.DrawFn) -> tuple[list[Finding], list[list[str]], dict[str, list[str]]]:
    """Draw findings, disjoint groups of them, and a union of some that are in no group."""
    weights = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=3, max_size=8))
    findings = [Finding(name, "study", w) for name, w in zip(NAMES, weights, strict=False)]
    names = list(draw(st.permutations([one.name for one in findings])))
    sizes = draw(st.lists(st.integers(2, 3), max_size=2))
    groups = []
    for size in sizes:
        if len(names) >= size:
            groups.append([names.pop() for _ in range(size)])
    unions = {}
    if len(names) >= 3 and draw(st.booleans()):
        unions[names[0]] = names[1:3]
    elif groups and names and draw(st.booleans()):
        unions[names[0]] = groups[0][:1]  # a union over a member of a group binds both
    return findings, groups, unions


def obeys(
    answer: np.ndarray, names: list[str], groups: list[list[str]], unions: dict[str, list[str]]
) -> bool:
    """Whether one study's answers obey, by hand."""
    present = {name: value > 0.5 for name, value in zip(names, answer, strict=True)}
    exact = all(sum(present[name] for name in group) == 1 for group in groups)
    whole = all(present[n] == any(present[p] for p in parts) for n, parts in unions.items())
    return exact and whole


def cost(raw: np.ndarray, answer: np.ndarray, weights: np.ndarray) -> float:
    """The expected weighted log loss of answering so."""
    return float(log_losses(raw[None], answer[None])[0] @ weights)


@settings(max_examples=300, deadline=None)
@given(tasks(), st.integers(0, 2**32 - 1))
def test_answers_obey_and_no_other_that_does_costs_less(
    task: tuple[list[Finding], list[list[str]], dict[str, list[str]]], seed: int
) -> None:
    findings, groups, unions = task
    names, count = [one.name for one in findings], len(findings)
    rules = task_rules(findings, groups, unions)
    raw = np.random.default_rng(seed).beta(0.6, 0.9, (40, count))
    settled = consistent_probabilities(raw, rules.all)
    weights = np.array([max(one.weight, 1e-6) for one in findings])
    for answer in settled:
        assert obeys(answer, names, groups, unions)
    for one, answer in zip(raw[:2], settled[:2], strict=True):
        below, above = np.minimum(one, 0.5), np.maximum(one, ABOVE)
        patterns = [np.where(p, above, below) for p in product((False, True), repeat=count)]
        allowed = [p for p in patterns if obeys(p, names, groups, unions)]
        least = min(cost(one, p, weights) for p in allowed)
        assert cost(one, answer, weights) == pytest.approx(least, abs=1e-9)


def test_what_no_rule_binds_stays_as_it_was() -> None:
    findings = [Finding(name, "study") for name in "abc"]
    rules = task_rules(findings, [["a", "b"]], {})
    settled = consistent_probabilities(np.array([[0.6, 0.7, 0.9], [0.1, 0.2, 0.4]]), rules.all)
    np.testing.assert_allclose(settled, [[0.5, 0.7, 0.9], [0.1, ABOVE, 0.4]])
    assert rules.broken_series(
        np.empty((0, 3)), np.array([[0.6, 0.7, 0.9]]), np.zeros(2, np.int64)
    ) == [("exactly_one_1",)]


def test_slices_obey_all_and_a_study_as_its_worst_slice_the_unions() -> None:
    findings = [Finding(name) for name in ("any", "a", "b")]
    rules: TaskRules = task_rules(findings, [["a", "b"]], {"any": ["a", "b"]})
    slices = rules.obey("image", np.array([[0.2, 0.9, 0.1], [0.2, 0.1, 0.8]]))
    assert (slices > 0.5).tolist() == [[True, True, False], [True, False, True]]
    study = rules.obey("study", slices.max(0, keepdims=True))
    assert (study > 0.5).tolist() == [[True, True, True]]


def test_too_many_in_one_group_and_contradictions_are_refused() -> None:
    many = [Finding(f"f{k}", "study") for k in range(17)]
    with pytest.raises(ValueError, match="17 findings"):
        task_rules(many, [[one.name for one in many]], {})
