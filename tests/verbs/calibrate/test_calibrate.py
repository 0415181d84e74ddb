"""tests/verbs/calibrate/test_calibrate.py: a run fitted to a new site, and never scored on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.special import logit

import wetread
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.head.archive import write_head_archive
from wetread.training.calibration import FILE, read_calibration
from wetread.training.predictions import FILE as PREDICTIONS
from wetread.verbs.calibrate.calibrate import CalibrationResult, calibrate

if TYPE_CHECKING:
    from wetread.verbs.train.train import TrainResult


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> PhantomTruth:
    """Sixteen studies of another site."""
    out = tmp_path_factory.mktemp("elsewhere")
    return write_head_archive(out, 16, 11, size=64, progress=lambda done, total: None)


@pytest.fixture(scope="module")
def calibrated(
    one_split: TrainResult, elsewhere: PhantomTruth, tmp_path_factory: pytest.TempPathFactory
) -> CalibrationResult:
    out = tmp_path_factory.mktemp("calibrated") / "run-here"
    return calibrate(one_split.run, elsewhere.images, out, labels=[elsewhere.labels], workers=1)


class Stages:
    """A report that remembers which stages were reached."""

    def __init__(self) -> None:
        self.reached: set[str] = set()

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.reached.add(stage)


def _logits(file: Path, level: str = "image") -> np.ndarray:
    table = pl.read_parquet(file).filter(pl.col("level") == level, pl.col("finding") == "any")
    return logit(np.clip(table["probability"].to_numpy(), 1e-12, 1 - 1e-12))


def test_on_its_own_studies_the_mean_probability_becomes_the_share_that_is_true(
    calibrated: CalibrationResult,
) -> None:
    (any_,) = [one for one in calibrated.changes if (one.level, one.finding) == ("image", "any")]
    assert any_.kind == "slope and bias"
    assert any_.mean_after == pytest.approx(any_.share, abs=1e-3)
    assert calibrated.studies == 16


def test_the_runs_own_predictions_are_scaled_by_what_was_fitted_and_scored_anew(
    calibrated: CalibrationResult, one_split: TrainResult
) -> None:
    whole, before = read_calibration(calibrated.run), read_calibration(one_split.run)
    added = whole.added["image"]["any"]
    assert whole.scaling("image", "any") == before.scaling("image", "any").then(added)
    old, new = _logits(one_split.run / PREDICTIONS), _logits(calibrated.run / PREDICTIONS)
    np.testing.assert_allclose(new, added.slope * old + added.bias, atol=1e-6)
    scores = wetread.read_run(calibrated.run).scores
    auc = {
        place: scores.find("roc_auc", finding="any", level="image")[0].value
        for place, scores in (("new", scores), ("old", one_split.scores))
    }
    assert auc["new"] == auc["old"]
    assert (calibrated.run / "page.html").is_file()


def test_the_run_itself_stays_and_the_new_one_reads_alone(
    calibrated: CalibrationResult, one_split: TrainResult, elsewhere: PhantomTruth, tmp_path: Path
) -> None:
    assert not (one_split.run / "calibrated-on").exists()
    alone = shutil.copytree(calibrated.run, tmp_path / "alone")
    of_run = wetread.predict(elsewhere.images, one_split.run, tmp_path / "old", workers=1)
    of_new = wetread.predict(elsewhere.images, alone, tmp_path / "new", workers=1)
    added = read_calibration(alone).added["study"]["any"]
    for before, after in zip(of_run.readings, of_new.readings, strict=True):
        expected = added.apply(np.array(before.study["any"]))
        assert after.study["any"] == pytest.approx(float(expected), abs=1e-9)
        assert "calibrated_on_this_study" in after.cautions
        assert "calibrated_on_this_study" not in before.cautions
        assert "given to wetread calibrate" in after.provenance["calibration"][0][-1]
    page = (tmp_path / "new" / "page.html").read_text()
    assert "its own labels calibrated the probabilities" in page.lower()


def test_nothing_in_the_run_names_the_studies_but_index_and_store_of_them(
    calibrated: CalibrationResult, elsewhere: PhantomTruth
) -> None:
    text = (calibrated.run / FILE).read_text()
    studies = pl.read_parquet(calibrated.run / "calibrated-on" / "index.parquet")
    for uid in studies["StudyInstanceUID"].unique():
        assert uid not in text
        assert read_calibration(calibrated.run).includes(uid)
    assert len(json.loads(text)["fitted_on"][-1]["studies"]) == 16


def test_studies_that_the_run_knows_are_refused(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    stages = Stages()
    with pytest.raises(ValueError, match=r"16 studies .* give studies that it does not know"):
        calibrate(
            one_split.run, phantoms.images, tmp_path / "out", labels=[phantoms.labels], workers=1,
            report=stages,
        )  # fmt: skip
    assert not (tmp_path / "out" / FILE).exists()
    assert stages.reached == {"index"}


def test_labels_of_other_images_are_named(
    one_split: TrainResult, elsewhere: PhantomTruth, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    stages = Stages()
    with pytest.raises(ValueError, match="none of them is of the"):
        calibrate(
            one_split.run, elsewhere.images, tmp_path / "out", labels=[phantoms.labels], workers=1,
            report=stages,
        )  # fmt: skip
    assert stages.reached == {"index"}


def test_an_image_that_the_file_of_patients_lacks_is_refused_before_a_network_reads(
    one_split: TrainResult, elsewhere: PhantomTruth, tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text("image,patient\n1.2.3,a\n")
    stages = Stages()
    with pytest.raises(ValueError, match="without a patient there"):
        calibrate(
            one_split.run, elsewhere.images, tmp_path / "out", labels=[elsewhere.labels], workers=1,
            patients=tmp_path / "p.csv", report=stages,
        )  # fmt: skip
    assert stages.reached == {"index", "pack"}


def test_studies_without_a_label_are_not_counted_and_repaired_ids_are(
    one_split: TrainResult, elsewhere: PhantomTruth, tmp_path: Path
) -> None:
    table = pl.read_csv(elsewhere.labels)
    of_one = table["ID"].str.split("_").list[1] == table["ID"][0].split("_")[1]
    label = pl.col("ID").str.replace(r"^(ID_.*)_", "${1}.dcm_")
    table.filter(of_one).with_columns(label).write_csv(tmp_path / "labels.csv")
    found = calibrate(
        one_split.run, elsewhere.images, tmp_path / "out", labels=[tmp_path / "labels.csv"],
        patients="study", workers=1,
    )  # fmt: skip
    assert (found.images, found.studies, found.patients, found.ids_repaired) == (1, 1, 1, 1)


def test_a_run_is_never_written_over(one_split: TrainResult, elsewhere: PhantomTruth) -> None:
    with pytest.raises(ValueError, match="the run itself"):
        calibrate(
            one_split.run, elsewhere.images, one_split.run, labels=[elsewhere.labels], workers=1
        )
