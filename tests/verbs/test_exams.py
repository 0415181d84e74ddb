"""tests/verbs/test_exams.py: exams of whole studies, from an archive to consistent answers."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
import torch

from wetread.labels.exams import exam_index
from wetread.labels.table import LabelError
from wetread.outputs.submission import SubmissionContent
from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.tasks.embolism.exams import exams_of
from wetread.tasks.embolism.findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING
from wetread.tasks.embolism.label_csv import read_exam_csv, read_exam_submission
from wetread.tasks.embolism.rules import RULES
from wetread.tasks.embolism.submission import submit_exams
from wetread.training.trained_model import read_trained_model
from wetread.verbs.predict.predict import predict
from wetread.verbs.score import score
from wetread.verbs.train.train import train

TASK = "embolism"
STUDIES = 14
QUICK = (
    *(
        "size=64",
        "phantoms.studies=0",
        "epochs=1",
        "series.epochs=2",
        "batch_size=64",
        "runtime.device=cpu",
    ),
    *("negatives_per_positive=0.5", "runtime.precision=float32"),
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("angiograms")
    write_angiogram_archive(
        out, STUDIES, 5, size=96, positives=0.6, workers=1, progress=lambda done, total: None
    )
    return out


@pytest.fixture(scope="module")
def run(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    train(TASK, [archive / "train"], out, labels=[archive / "train.csv"], settings=QUICK, workers=1)
    return out


def test_a_run_is_scored_by_the_official_figure_beside_the_best_constants(run: Path) -> None:
    scores = json.loads((run / "scores.json").read_text())["scores"]
    found = {(row["metric"], row["finding"], row["level"]): row for row in scores}
    official = found["weighted_log_loss", "all", "all"]
    assert official["split"] == "held_out"
    assert 0 < official["value"] < 5
    assert found["weighted_log_loss_prior", "all", "all"]["value"] > 0
    assert found["inconsistent_exams", "all", "study"]["value"] == 0
    assert ("log_loss", IMAGE_FINDING.name, "image") in found
    assert {("log_loss", name, "study") for name in EXAM_NAMES} <= set(found)
    assert (run / "page.html").is_file()


def test_what_is_predicted_is_complete_consistent_and_scored_as_the_competition_would(
    archive: Path, run: Path, tmp_path: Path
) -> None:
    told = predict([archive / "train"], [run], tmp_path / "out", workers=1)
    assert told.counts["studies"] == STUDIES
    findings = (IMAGE_FINDING, *EXAM_FINDINGS)
    truth = read_exam_csv(archive / "train.csv", findings)
    index = exam_index(truth.exams)
    rows = pl.read_csv(tmp_path / "out" / "submission.csv")
    assert rows.height == 9 * STUDIES + index.frame.height
    said = exams_of(read_exam_submission(tmp_path / "out" / "submission.csv", findings), index)
    assert not RULES.broken_rules(said).any()
    scored = score(TASK, archive / "train.csv", tmp_path / "out" / "submission.csv")
    assert (scored.missing, scored.too_many, scored.broken) == ((), (), {})
    reading = json.loads(next((tmp_path / "out" / "readings").glob("*.json")).read_text())
    assert set(reading["study"]) == {*EXAM_NAMES, "positive_exam"}
    assert set(reading["slices"][0]["probabilities"]) == {IMAGE_FINDING.name}
    assert isinstance(reading["rules_broken_before"], list)


def test_a_run_says_the_same_of_its_held_out_studies_when_it_reads_them(
    archive: Path, run: Path, tmp_path: Path
) -> None:
    told = predict([archive / "train"], [run], tmp_path / "out", workers=1)
    table = pl.read_parquet(run / "predictions.parquet").filter(pl.col("level") == "study")
    read = {reading.study_uid: reading.study for reading in told.readings}
    for row in table.iter_rows(named=True):
        assert read[row["id"]][row["finding"]] == pytest.approx(row["probability"], abs=1e-5)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")  # the competition's short ids
def test_two_exams_without_a_name_of_their_own_are_not_merged_in_silence(
    archive: Path, run: Path, tmp_path: Path
) -> None:
    for number, folder in enumerate(sorted((archive / "train").iterdir())[:2]):
        (tmp_path / "in" / str(number)).mkdir(parents=True)
        for file in folder.rglob("*.dcm"):
            data = pydicom.dcmread(file)
            data.StudyInstanceUID = data.SeriesInstanceUID = "0"
            data.save_as(tmp_path / "in" / str(number) / file.name)
    alone = predict([tmp_path / "in" / "0"], [run], tmp_path / "alone", workers=1)
    assert alone.counts["studies"] == 1
    with pytest.raises(LabelError, match=r"study called .0.*stands in 2 places"):
        predict([tmp_path / "in"], [run], tmp_path / "out", workers=1)


def test_encoders_start_from_phantoms_that_are_none_of_the_archive_s(
    archive: Path, tmp_path: Path
) -> None:
    """Their clots and ventricles are known by the pixel: both encoders draw, and go on there."""
    settings = (*QUICK, "phantoms.studies=2", "phantoms.epochs=1", "optimizer.learning_rate=1e-9")
    labels = [archive / "train.csv"]
    train(TASK, [archive / "train"], tmp_path, labels=labels, settings=settings, workers=1)
    drawn = {"lungs": ("pe_present_on_image",), "heart": ("right_ventricle", "left_ventricle")}
    for look, masks in drawn.items():
        first = read_trained_model(tmp_path / "phantoms" / "run" / look)
        later = read_trained_model(tmp_path / "model-0" / "part-1" / look)
        assert first.mask_findings == later.mask_findings == masks
        assert first.epoch == 0
        weights = later.model.state_dict()  # the last bias is set to the shares of the labels
        for name, tensor in first.model.state_dict().items():
            if not name.endswith(
                ("num_batches_tracked", "running_mean", "running_var", "head.bias")
            ):
                torch.testing.assert_close(weights[name], tensor, atol=1e-6, rtol=1e-5)
    assert "after 2 studies of phantoms" in (tmp_path / "page.html").read_text()
    there = {p.name for p in (archive / "train").iterdir()}
    assert not there & {p.name for p in (tmp_path / "phantoms" / "archive" / "train").iterdir()}


def test_a_recipe_that_reads_no_series_is_refused(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the task judges whole series"):
        train(
            TASK, [archive / "train"], tmp_path, labels=[archive / "train.csv"],
            settings=(*QUICK, "series.network=none"), workers=1,
        )  # fmt: skip


def test_a_study_of_several_patients_is_refused_before_it_is_learned_and_scored_at_once(
    archive: Path, tmp_path: Path
) -> None:
    images = pl.read_csv(archive / "train.csv")["SOPInstanceUID"]
    rows = "".join(f"{uid},p{number}\n" for number, uid in enumerate(images))
    (tmp_path / "patients.csv").write_text(f"image,patient\n{rows}")
    with pytest.raises(ValueError, match="14 studies are of several patients each"):
        train(
            TASK, [archive / "train"], tmp_path / "run", labels=[archive / "train.csv"],
            patients=tmp_path / "patients.csv", settings=QUICK, workers=1,
        )  # fmt: skip


def test_where_no_angiogram_can_be_read_there_are_rejects_and_no_readings(
    run: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "note.txt").write_text("no angiogram")
    told = predict([tmp_path / "in"], [run], tmp_path / "out", workers=1)
    assert (told.counts["studies"], told.counts["no_dicom"]) == (0, 1)
    assert (tmp_path / "out" / "rejects.csv").is_file()


def test_an_exam_of_which_nothing_is_said_gets_a_prior_that_breaks_no_rule(tmp_path: Path) -> None:
    shares = dict.fromkeys(EXAM_NAMES, 0.3) | {
        "negative_exam_for_pe": 0.45, "rv_lv_ratio_lt_1": 0.67, "leftsided_pe": 0.6,
    }  # fmt: skip
    exams = pl.DataFrame({"image": ["a", "b"], "series": ["s", "s"], "study": ["e", "e"]})
    what = SubmissionContent(
        [], np.empty((0, 1)), (IMAGE_FINDING.name,), np.array([0.6]), {}, None, [], exams, {},
        np.array([*shares.values(), 0.5]),
    )  # fmt: skip
    filled = submit_exams(tmp_path / "submission.csv", what)
    assert len(filled) == 11
    said = read_exam_submission(tmp_path / "submission.csv", (IMAGE_FINDING, *EXAM_FINDINGS))
    assert not RULES.broken_rules(exams_of(said, exam_index(exams))).any()
