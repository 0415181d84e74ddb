"""tests/tasks/embolism/test_rules.py: the six rules, one by one and against their words."""

from itertools import product

import numpy as np
import pytest

from wetread.labels.exams import Exams
from wetread.tasks.embolism.findings import EXAM_NAMES
from wetread.tasks.embolism.rules import RULES

YES, NO = 0.7, 0.2
POSITIVE = ("rv_lv_ratio_lt_1", "leftsided_pe")


def check(study: np.ndarray, image: np.ndarray) -> tuple[str, ...]:
    """Names of the rules that one exam breaks, study (9,) and image (n,) probabilities."""
    exam = Exams(np.asarray(study)[None], np.asarray(image), np.array([0, len(image)]))
    return RULES.broken_names(exam)[0]


def labels(*yes: str, but: dict[str, float] | None = None) -> np.ndarray:
    values = dict.fromkeys(EXAM_NAMES, NO) | dict.fromkeys(yes, YES) | (but or {})
    return np.array([values[name] for name in EXAM_NAMES])


@pytest.mark.parametrize(
    ("study", "broken"),
    [
        (labels(*POSITIVE), ()),
        (labels("leftsided_pe"), ("1a",)),
        (labels(*POSITIVE, "rv_lv_ratio_gte_1"), ("1a",)),
        (labels("rv_lv_ratio_lt_1"), ("1b",)),
        (labels("rv_lv_ratio_lt_1", "central_pe", "leftsided_pe", "rightsided_pe"), ()),
        (labels(*POSITIVE, "chronic_pe"), ()),
        (labels(*POSITIVE, "chronic_pe", "acute_and_chronic_pe"), ("1c",)),
        (labels(*POSITIVE, "negative_exam_for_pe"), ("1d",)),
        (labels(*POSITIVE, "indeterminate"), ("1d",)),
        (labels("negative_exam_for_pe"), ("1a", "1b", "1d")),
    ],
)
def test_rules_of_an_exam_with_a_positive_image(study: np.ndarray, broken: tuple[str, ...]) -> None:
    assert check(study, np.array([0.1, 0.6, 0.2])) == broken


@pytest.mark.parametrize(
    ("study", "broken"),
    [
        (labels("negative_exam_for_pe"), ()),
        (labels("indeterminate"), ()),
        (labels("negative_exam_for_pe", "indeterminate"), ("2a",)),
        (labels(), ("2a",)),
        (labels("negative_exam_for_pe", "central_pe"), ("2b",)),
        (labels(*POSITIVE), ("2a", "2b")),
    ],
)
@pytest.mark.parametrize("image", [[], [0.5], [0.5, 0.1]])
def test_rules_of_an_exam_without_one(
    study: np.ndarray, broken: tuple[str, ...], image: list[float]
) -> None:
    assert check(study, np.array(image)) == broken


def test_exactly_a_half_is_a_no_and_anything_above_it_a_yes() -> None:
    half = labels(*POSITIVE, but={"negative_exam_for_pe": 0.5, "chronic_pe": 0.5})
    more = labels(*POSITIVE, but={"negative_exam_for_pe": float(np.nextafter(0.5, 1))})
    assert check(half, np.array([0.9])) == ()
    assert check(more, np.array([0.9])) == ("1d",)


def test_44_of_the_1024_patterns_break_no_rule() -> None:
    """2 exams without a positive image; with one, 2 ratios x 7 choices of sides x 3 of chronic."""
    said = np.array(list(product((False, True), repeat=9)))
    allowed = [
        (~RULES.broken_patterns(said, np.full(512, some)).any(axis=1)).sum()
        for some in (False, True)
    ]
    assert allowed == [2, 2 * 7 * 3]


def test_each_exam_is_judged_by_its_own_images() -> None:
    study = np.stack([labels(*POSITIVE)] * 3)
    exams = Exams(study, np.array([0.6, 0.4, 0.1]), np.array([0, 1, 1, 3]))
    assert RULES.broken_rules(exams).any(axis=1).tolist() == [False, True, True]


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nan is no probability of an image \(1 such values\)"):
        check(labels(*POSITIVE), np.array([0.1, np.nan]))
    with pytest.raises(ValueError, match=r"1\.5 is no probability of an exam's label"):
        check(labels(*POSITIVE, but={"central_pe": 1.5}), np.array([0.1]))
    assert len(RULES.rules) == 6
