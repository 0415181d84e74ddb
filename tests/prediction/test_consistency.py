"""tests/prediction/test_consistency.py: no answer that obeys any rules costs less."""

from itertools import product

import numpy as np
import pytest

from wetread.evaluation.group_rules import GroupRule, RuleSet
from wetread.labels.exams import Exams
from wetread.prediction.consistency import ABOVE, AnswerCosts, expected_cost, make_consistent

NAMES = ("a", "b", "c", "d")


def random_costs(rng: np.random.Generator) -> AnswerCosts:
    """Up to four rules over four findings that leave an answer with and without images."""
    while True:
        rules = []
        for number in range(rng.integers(1, 5)):
            group = tuple(rng.choice(NAMES, rng.integers(1, 5), replace=False))
            least = int(rng.integers(0, len(group) + 1))
            most = int(rng.integers(least, len(group) + 1)) if rng.random() < 0.7 else None
            when = [True, False, None][rng.integers(3)]
            rules.append(GroupRule(str(number), "", group, when, least, most))
        try:
            costs = AnswerCosts(RuleSet(NAMES, tuple(rules)), rng.random(4), rng.random())
        except ValueError:
            continue
        if 0 < costs.with_image.sum() < len(costs.with_image):
            return costs


def entropy(raw: np.ndarray, answer: np.ndarray) -> np.ndarray:
    answer = np.clip(answer, 1e-15, 1 - 1e-15)
    return -(raw * np.log(answer) + (1 - raw) * np.log(1 - answer))


def least_cost(study: np.ndarray, image: np.ndarray, costs: AnswerCosts) -> float:
    """The least over all patterns of findings and images that obey, each at its nearest point."""
    raw = np.concatenate([study, image])
    weight = np.concatenate([costs.weights, np.full(len(image), costs.image_weight * image.mean())])
    yes, no = np.maximum(raw, ABOVE), np.minimum(raw, 0.5)
    found = np.inf
    for pattern in map(np.array, product((False, True), repeat=len(raw))):
        some = np.array([pattern[4:].any()])
        if not costs.rules.broken_patterns(pattern[None, :4], some).any():
            found = min(found, float(entropy(raw, np.where(pattern, yes, no)) @ weight))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_answer_obeys_and_costs_what_brute_force_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    costs = random_costs(rng)
    for _ in range(8):
        study, image = rng.random(4).round(1), rng.random(rng.integers(1, 4)).round(1)
        raw = Exams(study[None], image, np.array([0, len(image)]))
        given = make_consistent(raw, costs)
        assert not costs.rules.broken_rules(given).any()
        least = least_cost(study, image, costs)
        assert expected_cost(raw, given, costs).item() == pytest.approx(least, abs=1e-12)


def test_several_exams_are_answered_as_each_alone() -> None:
    rng = np.random.default_rng(0)
    costs = random_costs(rng)
    raw = Exams(rng.random((20, 4)), rng.random(60), np.arange(0, 61, 3))
    whole = make_consistent(raw, costs)
    for exam in range(20):
        alone = make_consistent(raw.select(exam), costs)
        np.testing.assert_array_equal(alone.study, whole.study[[exam]])
        np.testing.assert_array_equal(alone.image, whole.select(exam).image)


def test_without_rules_every_answer_stands() -> None:
    free = AnswerCosts(RuleSet(("a",), ()), np.ones(1), 1.0)
    raw = Exams(np.array([[0.3], [0.8]]), np.array([0.1, 0.9]), np.array([0, 1, 2]))
    given = make_consistent(raw, free)
    np.testing.assert_array_equal(given.study, raw.study)
    np.testing.assert_array_equal(given.image, raw.image)


def test_rules_that_contradict_each_other_are_refused() -> None:
    both = RuleSet(
        ("a",), (GroupRule("1", "", ("a",), least=1), GroupRule("2", "", ("a",), most=0))
    )
    with pytest.raises(ValueError, match="contradict each other"):
        AnswerCosts(both, np.ones(1), 1.0)


def test_an_exam_without_images_under_rules_that_ask_for_one_is_refused() -> None:
    never_clean = RuleSet(("a",), (GroupRule("1", "", ("a",), with_image=False, least=2),))
    costs = AnswerCosts(never_clean, np.ones(1), 1.0)
    with pytest.raises(ValueError, match="an exam without images has no answer"):
        make_consistent(Exams(np.zeros((1, 1)), np.empty(0), np.array([0, 0])), costs)


def test_weights_of_other_findings_and_too_many_findings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1 findings and weights \(2,\)"):
        AnswerCosts(RuleSet(("a",), ()), np.ones(2), 1.0)
    many = tuple(f"f{number}" for number in range(17))
    with pytest.raises(ValueError, match="up to 16 findings"):
        AnswerCosts(RuleSet(many, ()), np.ones(17), 1.0)
