"""tests/prediction/test_scaling.py: what runs were calibrated on, and a stated prevalence."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from wetread.evaluation.platt import FittedScaling, PlattScaling
from wetread.prediction.scaling import Scalings, read_scalings, state_prevalence
from wetread.training.calibration import FILE, CalibratedOn, Calibration
from wetread.training.predictions import FILE as PREDICTIONS

PRIORS = {("image", "any"): 0.1, ("study", "any"): 0.4, ("image", "rare"): 0.01}


def _run(folder: Path, scaling: PlattScaling | None = None, share: float = 0.2) -> Path:
    folder.mkdir()
    rows = [(level, finding, prior) for (level, finding), prior in PRIORS.items()]
    pl.DataFrame(rows, schema=["level", "finding", "prior"], orient="row").write_parquet(
        folder / PREDICTIONS
    )
    if scaling is not None:
        fitted = FittedScaling(scaling, "slope and bias", 50, 10, share)
        values = Calibration({"image": {"any": fitted}}, (CalibratedOn("here"),)).to_dict()
        (folder / FILE).write_text(json.dumps(values))
    return folder


def test_probabilities_of_a_run_that_is_not_calibrated_stay_to_the_last_digit(
    tmp_path: Path,
) -> None:
    given = np.random.default_rng(0).random((5, 2))
    scalings = read_scalings([_run(tmp_path / "a")])
    np.testing.assert_array_equal(scalings.apply("image", ("any", "rare"), given), given)
    assert scalings.to_dict() == {"calibration": None, "prevalence": {}}


def test_of_several_runs_the_logits_are_averaged(tmp_path: Path) -> None:
    runs = [
        _run(tmp_path / "a", PlattScaling(0.5, 1.0)),
        _run(tmp_path / "b", PlattScaling(1.5, 0.0)),
    ]
    found = read_scalings(runs).apply("image", ("any",), np.array([[0.2]]))
    each = [0.5 * logit(0.2) + 1.0, 1.5 * logit(0.2)]
    np.testing.assert_allclose(found, expit(np.mean(each)))


def test_a_stated_prevalence_multiplies_the_odds_of_studies(tmp_path: Path) -> None:
    scalings = state_prevalence(read_scalings([_run(tmp_path / "a")]), {"any": 0.1})
    found = float(scalings.apply("study", ("any",), np.array([[0.5]]))[0, 0])
    assert found / (1 - found) == pytest.approx((0.1 / 0.9) / (0.4 / 0.6))
    # a quarter of the positive studies: a quarter of the positive images, 0.1 -> 0.025
    image = float(scalings.apply("image", ("any",), np.array([[0.5]]))[0, 0])
    assert image / (1 - image) == pytest.approx((0.025 / 0.975) / (0.1 / 0.9))
    other = scalings.apply("image", ("rare",), np.array([[0.5]]))
    assert other[0, 0] == 0.5
    assert scalings.to_dict()["prevalence"] == {
        "any": {"stated": 0.1, "assumed_before": pytest.approx(0.4)}
    }


def test_the_prevalence_that_is_replaced_is_that_of_the_calibration(tmp_path: Path) -> None:
    run = _run(tmp_path / "a", PlattScaling(1.0, 0.0), share=0.2)
    assert read_scalings([run]).prevalence["image"]["any"] == pytest.approx(0.2)
    assert read_scalings([run]).prevalence["study"]["any"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({"bleeding": 0.1}, "no finding 'bleeding'"),
        ({"any": 0.0}, "above 0"),
        ({"any": 1.0}, "below 1"),
        ({"any": float("nan")}, "above 0"),
    ],
)
def test_what_cannot_be_stated_is_refused_by_name(
    tmp_path: Path, stated: dict[str, float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        state_prevalence(read_scalings([_run(tmp_path / "a")]), stated)


def test_without_predictions_no_prevalence_is_known(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(ValueError, match="does not say which it assumes"):
        state_prevalence(read_scalings([tmp_path / "bare"]), {"any": 0.1})
    assert state_prevalence(Scalings(), {}) == Scalings()
