"""tests/prediction/test_operating.py: a threshold by a run's own scores, and what is said of it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

from wetread.evaluation.operating_point import choose_threshold
from wetread.evaluation.platt import FittedScaling, PlattScaling
from wetread.prediction.operating import (
    parse_aim,
    point_sentence,
    shift_point,
    study_operating_point,
)
from wetread.prediction.scaling import Scalings, read_scalings, state_prevalence
from wetread.training.calibration import Calibration
from wetread.training.predictions import FILE


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose models read sixty studies; one's truth is not known."""
    rng = np.random.default_rng(0)
    truth = (rng.random(60) < 0.4).astype(float)
    table = pl.DataFrame(
        {
            "level": ["study"] * 60,
            "finding": ["any"] * 60,
            "patient": [f"p{k}" for k in range(60)],
            "truth": pl.Series(truth).set(pl.Series([True] + [False] * 59), None),
            "probability": np.clip(0.3 * truth + 0.6 * rng.random(60), 0.01, 0.99),
            "prior": [0.4] * 60,
        }
    )
    table.write_parquet(tmp_path / FILE)
    return tmp_path


def test_the_threshold_is_that_of_all_scored_studies(run: Path) -> None:
    point = study_operating_point([run], read_scalings([run]), "any", "sensitivity=0.9")
    table = pl.read_parquet(run / FILE)
    truth = table["truth"].fill_null(float("nan")).to_numpy()
    probability = table["probability"].to_numpy()
    assert point.threshold == choose_threshold(truth, probability, "sensitivity", 0.9)
    assert point.patients == 59


def test_a_stated_prevalence_moves_the_threshold_with_the_probabilities(run: Path) -> None:
    scalings = read_scalings([run])
    before = study_operating_point([run], scalings, "any", "specificity=0.8")
    stated = state_prevalence(scalings, {"any": 0.1})
    after = shift_point(before, stated, "any")
    moved = logit(after.threshold) - logit(before.threshold)
    assert moved == pytest.approx(logit(0.1) - logit(0.4))
    assert (after.sensitivity, after.specificity) == (before.sensitivity, before.specificity)


def test_a_threshold_is_of_probabilities_as_new_studies_get_them(run: Path) -> None:
    table = pl.read_parquet(run / FILE)
    table.with_columns(uncalibrated=pl.col("probability"), probability=0.5).write_parquet(
        run / FILE
    )
    scaling = FittedScaling(PlattScaling(0.5, -1.0), "slope and bias", 60, 24, 0.4)
    scalings = Scalings((Calibration({"study": {"any": scaling}}),))
    point = study_operating_point([run], scalings, "any", "sensitivity=0.9")
    plain = choose_threshold(
        table["truth"].fill_null(float("nan")).to_numpy(), table["probability"].to_numpy(),
        "sensitivity", 0.9,
    )  # fmt: skip
    assert logit(point.threshold) == pytest.approx(0.5 * logit(plain) - 1.0)


def test_the_sentence_has_the_numbers(run: Path) -> None:
    point = study_operating_point([run], Scalings(), "any", "sensitivity=0.9")
    text = point_sentence(point, "any")
    assert f"any {point.threshold:.3f} or more, chosen for a sensitivity of 0.9" in text
    assert f"specificity {point.specificity.value:.2f}" in text


@pytest.mark.parametrize("text", ["0.9", "sensitivity", "sensitivity=high", "recall=0.9", ""])
def test_what_is_no_aim_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give sensitivity=SHARE or specificity=SHARE"):
        parse_aim(text)


def test_several_runs_and_one_without_predictions_are_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 runs"):
        study_operating_point([run, run], Scalings(), "any", "sensitivity=0.9")
    with pytest.raises(ValueError, match=r"has no predictions\.parquet"):
        study_operating_point([tmp_path / "x"], Scalings(), "any", "sensitivity=0.9")
    with pytest.raises(ValueError, match="0 patients with the finding"):
        study_operating_point([run], Scalings(), "other", "sensitivity=0.9")
