"""tests/evaluation/test_operating_point.py: thresholds by what they give, on others than chose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import roc_curve

from wetread.evaluation.operating_point import AIMS, Aim, choose_operating_point, choose_threshold


def _rates(truth: np.ndarray, predicted: np.ndarray, threshold: float) -> tuple[float, float]:
    called = predicted >= threshold
    return float(called[truth == 1].mean()), float((~called[truth == 0]).mean())


def _drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < 0.3).astype(float)
    predicted = expit(rng.normal(1.5 * truth - 1, 1))
    return truth, predicted, [f"p{row // 2}" for row in range(rows)]


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=2, max_size=40),
    st.floats(0.01, 1.0),
    st.sampled_from(AIMS),
)
def test_it_gives_what_is_stated_and_no_other_cut_gives_more_of_the_rest(
    rows: list[tuple[bool, float]], stated: float, aim: Aim
) -> None:
    truth = np.array([1.0, 0.0, *(float(true) for true, _ in rows)])
    predicted = np.array([0.5, 0.5, *(value for _, value in rows)])
    sensitivity, specificity = _rates(
        truth, predicted, choose_threshold(truth, predicted, aim, stated)
    )
    cuts = [*np.unique(predicted), 2.0]
    best = [
        rest
        for one, rest in (
            _rates(truth, predicted, cut)[:: 1 if aim == AIMS[0] else -1] for cut in cuts
        )
        if one >= stated - 1e-9
    ]
    reached, rest = (
        (sensitivity, specificity) if aim == "sensitivity" else (specificity, sensitivity)
    )
    assert reached >= stated - 1e-9
    assert rest == pytest.approx(max(best))


def test_it_is_the_first_cut_of_scikit_learns_curve_that_reaches_the_sensitivity() -> None:
    truth, predicted, _ = _drawn(300)
    _, sensitivity, cuts = roc_curve(truth, predicted, drop_intermediate=False)
    expected = cuts[np.argmax(sensitivity >= 0.9)]
    assert choose_threshold(truth, predicted, "sensitivity", 0.9) == pytest.approx(expected)


def test_on_patients_who_did_not_choose_it_it_gives_about_what_was_stated() -> None:
    reached = []
    for seed in range(20):
        truth, predicted, names = _drawn(400, seed)
        rng = np.random.default_rng(seed)
        point = choose_operating_point(
            truth, predicted, names, aim="sensitivity", stated=0.9, rng=rng
        )
        assert point.sensitivity.low is not None
        assert point.sensitivity.low < point.sensitivity.value < (point.sensitivity.high or 0)
        assert point.threshold == choose_threshold(truth, predicted, "sensitivity", 0.9)
        reached.append(point.sensitivity.value)
    assert np.mean(reached) == pytest.approx(0.9, abs=0.02)
    assert min(reached) < 0.9  # what chose it would always have reached it


def test_a_patient_never_chooses_for_itself() -> None:
    """Each patient's rows alone lie where a threshold chosen with them would fall."""
    truth = np.repeat([1.0, 0.0], 10)
    predicted = np.concatenate([np.linspace(0.9, 0.1, 10), np.full(10, 0.05)])
    names = [f"p{row}" for row in range(20)]
    point = choose_operating_point(
        truth, predicted, names, aim="sensitivity", stated=1.0, rng=np.random.default_rng(0)
    )
    assert point.threshold == pytest.approx(0.1)
    assert point.sensitivity.value == pytest.approx(0.9)  # the least sure is missed by the others'


def test_unknown_truth_is_left_out() -> None:
    truth, predicted, names = _drawn(100)
    with_rest = choose_threshold(
        np.append(truth, np.nan), np.append(predicted, 0.001), "sensitivity", 1.0
    )
    assert with_rest == choose_threshold(truth, predicted, "sensitivity", 1.0)
    assert len(names) == 100


@pytest.mark.parametrize("stated", [0.0, 1.2, float("nan")])
def test_a_share_that_is_none_is_refused(stated: float) -> None:
    truth, predicted, names = _drawn(40)
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        choose_operating_point(
            truth, predicted, names, aim="specificity", stated=stated, rng=np.random.default_rng(0)
        )


def test_one_patient_with_the_finding_is_too_few() -> None:
    truth = np.array([1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="1 patient with the finding"):
        choose_operating_point(
            truth,
            truth / 2,
            ["a", "b", "c"],
            aim="sensitivity",
            stated=0.9,
            rng=np.random.default_rng(0),
        )
