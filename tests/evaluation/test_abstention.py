"""tests/evaluation/test_abstention.py: what is left out first, and what that wins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from wetread.evaluation.abstention import (
    SHARES,
    abstention_curves,
    abstention_scores,
    judge_rows,
    kept_rows,
)
from wetread.evaluation.score import Score

LIKE = Score("log_loss", "any", "image", "held_out", 0.3, None, None, 1, 1)


def _rows(seed: int = 0, rows: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, calibrated probability, and a disagreement that is larger where the call is wrong."""
    rng = np.random.default_rng(seed)
    predicted = rng.beta(0.6, 1.2, rows)
    truth = (rng.random(rows) < predicted).astype(float)
    wrong = (predicted >= 0.5) != (truth == 1)
    return truth, predicted, rng.normal(wrong, 1.0)


def test_the_numbers_are_scikit_learns_of_the_rows_that_are_kept() -> None:
    truth, predicted, apart = _rows()
    judged = judge_rows(truth, predicted, [str(k) for k in range(400)], apart)
    by_nearness, by_disagreement, chance = abstention_curves(judged)
    for curve, order in ((by_nearness, -np.abs(predicted - 0.5)), (by_disagreement, apart)):
        place = SHARES.index(0.2)
        kept = np.argsort(order)[:320]
        assert curve.log_loss[place] == pytest.approx(log_loss(truth[kept], predicted[kept]))
        wrong = (predicted >= 0.5)[kept] != (truth[kept] == 1)
        assert curve.errors[place] == pytest.approx(wrong.mean())
    assert chance.log_loss == pytest.approx([log_loss(truth, predicted)] * len(SHARES))


def test_how_errors_are_ordered_is_scikit_learns_area_with_an_interval_around_it() -> None:
    truth, predicted, apart = _rows()
    judged = judge_rows(truth, predicted, [str(k // 2) for k in range(400)], apart)
    found = {s.metric: s for s in abstention_scores(judged, LIKE, np.random.default_rng(0))}
    wrong = (predicted >= 0.5) != (truth == 1)
    of_disagreement = found["error_auc_disagreement"]
    assert of_disagreement.value == pytest.approx(roc_auc_score(wrong, apart))
    assert of_disagreement.low is not None
    assert of_disagreement.low < roc_auc_score(wrong, apart) < (of_disagreement.high or 0)
    assert found["error_auc_nearness"].value == pytest.approx(
        roc_auc_score(wrong, -np.abs(predicted - 0.5))
    )
    assert found["abstained_20_log_loss_nearness"].patients == 200


def test_calibrated_rows_near_one_half_are_worth_leaving() -> None:
    truth, predicted, _ = _rows()
    (curve, _) = abstention_curves(judge_rows(truth, predicted, [str(k) for k in range(400)]))
    assert curve.log_loss[-1] < curve.log_loss[0] - 0.1


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=50), st.sampled_from(SHARES))
def test_no_row_that_is_kept_is_unsurer_than_one_that_is_left(
    values: list[float], left: float
) -> None:
    uncertainty = np.array(values)
    kept = kept_rows(uncertainty, left)
    assert (kept == 0).sum() == int(left * len(values) + 1e-9)
    if (kept == 0).any():
        assert uncertainty[kept == 1].max() <= uncertainty[kept == 0].min()


def test_where_no_call_is_wrong_there_is_no_area_and_the_score_says_why() -> None:
    judged = judge_rows(np.array([0.0, 1.0]), np.array([0.1, 0.9]), ["a", "b"])
    first, *_ = abstention_scores(judged, LIKE, np.random.default_rng(0))
    assert (first.value, first.reason) == (None, "all calls are right, or all are wrong")


def test_unknown_truth_is_left_out_and_nothing_known_gives_nothing() -> None:
    truth, predicted, apart = _rows()
    names = [str(k) for k in range(400)]
    more = judge_rows(
        np.append(truth, np.nan), np.append(predicted, 0.5), [*names, "x"], np.append(apart, 9)
    )
    assert abstention_curves(more) == abstention_curves(judge_rows(truth, predicted, names, apart))
    assert abstention_curves(judge_rows(np.array([np.nan]), np.ones(1), ["a"])) == ()
