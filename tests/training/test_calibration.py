"""tests/training/test_calibration.py: what calibrates a run, written, read and put one behind the
other."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from wetread.archive.files.damaged import DamagedFileError
from wetread.training import calibration
from wetread.training.calibration import (
    FILE,
    UNCALIBRATED,
    CalibratedOn,
    Calibration,
    LabeledProbabilities,
    fit_calibration,
    put_behind,
    read_calibration,
)


def _labeled(slope: float = 0.5, bias: float = -1.0, rows: int = 300) -> LabeledProbabilities:
    rng = np.random.default_rng(0)
    true = expit(rng.normal(-1, 2, (rows, 1)))
    predicted = expit((logit(true) - bias) / slope)
    truth = (rng.random((rows, 1)) < true).astype(float)
    return LabeledProbabilities("image", ("any",), truth, predicted, tuple(map(str, range(rows))))


ON = CalibratedOn("somewhere", 300, 300, calibration.digests(["1.2.3", "1.2.4"]))


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    fitted = fit_calibration([_labeled()], ON)
    (tmp_path / FILE).write_text(json.dumps(fitted.to_dict()))
    assert read_calibration(tmp_path) == fitted
    assert fitted.fitted["image"]["any"].kind == "slope and bias"


def test_a_run_without_one_is_uncalibrated_and_changes_nothing(tmp_path: Path) -> None:
    assert read_calibration(tmp_path) == UNCALIBRATED
    given = np.array([[0.0, 0.3], [1.0, np.nan]])
    np.testing.assert_array_equal(UNCALIBRATED.apply("image", ("a", "b"), given), given)


@pytest.mark.parametrize("slope", ["0", "-1", "NaN", "1e999", '"x"', "null"])
def test_a_slope_that_would_turn_the_order_is_refused(tmp_path: Path, slope: str) -> None:
    fitted = fit_calibration([_labeled()], ON).to_dict()
    fitted["levels"]["image"]["any"]["slope"] = "HERE"
    (tmp_path / FILE).write_text(json.dumps(fitted).replace('"HERE"', slope))
    with pytest.raises(DamagedFileError):
        read_calibration(tmp_path)


def test_a_study_is_known_again_by_a_digest_from_which_it_cannot_be_read() -> None:
    fitted = fit_calibration([_labeled()], ON)
    assert fitted.includes("1.2.3")
    assert not fitted.includes("1.2.5")
    assert "1.2.3" not in json.dumps(fitted.to_dict())
    assert not UNCALIBRATED.includes("1.2.3")


def test_one_behind_the_other_scales_by_both_and_keeps_what_only_the_first_knew() -> None:
    labeled = _labeled()
    first = fit_calibration([labeled], ON)
    again = LabeledProbabilities(
        "image", ("any",), labeled.truth, first.apply("image", ("any",), labeled.probability) / 2,
        labeled.patients,
    )  # fmt: skip
    second = fit_calibration([again], CalibratedOn("elsewhere", 300, 300))
    both = put_behind(first, second)
    np.testing.assert_allclose(
        both.apply("image", ("any",), labeled.probability),
        second.apply("image", ("any",), first.apply("image", ("any",), labeled.probability)),
        rtol=1e-9,
    )
    assert [one.source for one in both.on] == ["somewhere", "elsewhere"]
    assert both.added["image"]["any"] == second.scaling("image", "any")
    assert both.includes("1.2.3")
    kept = put_behind(first, Calibration({"image": {}}, (ON,)))
    assert kept.scaling("image", "any") == first.scaling("image", "any")
