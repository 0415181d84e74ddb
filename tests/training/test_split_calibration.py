"""tests/training/test_split_calibration.py: the scored patients never choose their calibration."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from wetread.evaluation.metrics import log_loss, roc_auc
from wetread.labels.finding import Finding
from wetread.training import mask_table
from wetread.training.calibration import UNCALIBRATED, LabeledProbabilities
from wetread.training.predictions import UNCALIBRATED as BEFORE
from wetread.training.predictions import LevelPredictions
from wetread.training.slices.fit import SplitResult
from wetread.training.split_calibration import calibrate_splits, calibrated_levels

FINDINGS = (Finding("any"), Finding("drawn"))
ROWS = 200


def _result(seed: int, validation: int = 0) -> SplitResult:
    """Predictions three times too bold."""
    rng = np.random.default_rng(seed)
    true = expit(rng.normal(-1, 1.5, (ROWS, 2)))
    truth, predicted = (rng.random((ROWS, 2)) < true).astype(float), expit(3 * logit(true))
    ids = tuple(f"{seed}.{row}" for row in range(ROWS))
    level = LevelPredictions(
        "image", "out_of_fold", FINDINGS, ids, ids, ids, np.arange(ROWS), truth, predicted,
        {name: np.full((ROWS, 2), 0.3) for name in ("prior", "position", "histogram")},
    )  # fmt: skip
    chosen = LabeledProbabilities("image", ("any", "drawn"), truth, predicted, ids)
    drawings = pl.DataFrame([], schema=mask_table.SCHEMA, orient="row")
    return SplitResult([level], drawings, (chosen,) if validation else ())


def test_a_fold_is_calibrated_by_the_others_alone() -> None:
    results = [_result(0), _result(1), _result(2)]
    each, to_come = calibrate_splits(results)
    changed = [results[0], results[1], _result(7)]
    again, _ = calibrate_splits(changed)
    assert again[2] == each[2]
    assert again[0] != each[0]
    assert to_come.on[0].patients == 3 * ROWS
    assert to_come.fitted["image"]["any"].scaling.slope == pytest.approx(1 / 3, abs=0.05)


def test_scaling_lowers_the_loss_of_patients_who_did_not_choose_it_and_keeps_the_order() -> None:
    results = [_result(0), _result(1)]
    each, _ = calibrate_splits(results, left={"drawn"})
    (scaled,) = calibrated_levels(results[0].levels, each[0], list)
    (raw,) = results[0].levels
    np.testing.assert_array_equal(scaled.baselines[BEFORE], raw.probability)
    np.testing.assert_array_equal(scaled.probability[:, 1], raw.probability[:, 1])
    any_ = raw.truth[:, 0]
    assert log_loss(any_, scaled.probability[:, 0]) < log_loss(any_, raw.probability[:, 0]) - 0.1
    assert roc_auc(any_, scaled.probability[:, 0]) == roc_auc(any_, raw.probability[:, 0])


def test_one_split_is_calibrated_by_its_validation_patients() -> None:
    result = _result(0, validation=1)
    (only,), to_come = calibrate_splits([result])
    assert only == to_come
    assert only.on[0].source == "validation patients, who also chose the epoch"


def test_without_validation_patients_nothing_is_scaled() -> None:
    (only,), _ = calibrate_splits([_result(0)])
    assert only == UNCALIBRATED
    (level,) = calibrated_levels(_result(0).levels, only, list)
    np.testing.assert_array_equal(level.probability, _result(0).levels[0].probability)


def test_rules_hold_after_scaling_and_before_it() -> None:
    results = [_result(0), _result(1)]
    each, _ = calibrate_splits(results)

    def cap(levels: list[LevelPredictions]) -> list[LevelPredictions]:
        return [replace(one, probability=np.minimum(one.probability, 0.4)) for one in levels]

    (scaled,) = calibrated_levels(results[0].levels, each[0], cap)
    assert scaled.probability.max() == 0.4
    assert scaled.baselines[BEFORE].max() == 0.4
