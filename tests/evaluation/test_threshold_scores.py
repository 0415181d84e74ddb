"""tests/evaluation/test_threshold_scores.py: calls from stated thresholds, by hand."""

import numpy as np
import pytest

from wetread.evaluation.evaluate import LabeledRows
from wetread.evaluation.threshold_scores import threshold_scores
from wetread.labels.finding import Finding

TRUTH = np.array([1, 1, 1, 0, 0, np.nan])[:, None]
GIVEN = np.array([0.9, 0.3, 0.1, 0.3, 0.2, 0.8])
ROWS = LabeledRows(TRUTH, (Finding("a"),), list("ppqqrs"), "study", "given_data")


def test_a_row_is_called_where_it_reaches_the_threshold() -> None:
    scores = threshold_scores(ROWS, GIVEN, (0.3, 0.85), np.random.default_rng(0))
    value = {one.metric: one.value for one in scores}
    assert value == pytest.approx(
        {
            "sensitivity_from_0.3": 2 / 3, "specificity_from_0.3": 1 / 2,
            "sensitivity_from_0.85": 1 / 3, "specificity_from_0.85": 1.0,
        }
    )  # fmt: skip
    assert [one.patients for one in scores[:2]] == [2, 2]
    assert {one.positives for one in scores} == {3}


def test_without_a_negative_there_is_no_specificity() -> None:
    rows = LabeledRows(TRUTH[:3], ROWS.findings, list("ppq"), "study", "given_data")
    _, specificity = threshold_scores(rows, GIVEN[:3], (0.3,), np.random.default_rng(0))
    assert (specificity.value, specificity.reason) == (None, "no row of that kind")


def test_a_threshold_is_a_probability() -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        threshold_scores(ROWS, GIVEN, (1.5,), np.random.default_rng(0))
