"""tests/verbs/train/test_own_task.py: a task of one's own trains, reads, and is scored."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import wetread
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.tasks import TASK_FILE, kept_task
from wetread.training.checkpoint import ResumeError
from wetread.verbs.task.show import shown

SLICES = """
title = "Blood"
modalities = ["CT"]
crop = "head"
[[findings]]
name = "blood"
[[findings]]
name = "none"
[[groups]]
exactly_one = ["blood", "none"]
[[labels]]
id = "file"
id_of = "file"
"""
STUDIES = """
modalities = ["CT"]
metric = "group_log_loss"
[[findings]]
name = "blood"
positive_weight = 3
[[findings]]
name = "left"
mirror = "right"
[[findings]]
name = "right"
mirror = "left"
[[groups]]
exactly_one = ["left", "right"]
[[labels]]
id = "study"
id_of = "study"
"""
QUICK = ("series.epochs=2", "joint.epochs=1", "joint.slices=4")
Sheets = tuple[Path, Path]


def value(scored: wetread.Evaluation, level: str) -> float:
    """The ROC AUC of the finding blood at a level."""
    (found,) = scored.scores.find("roc_auc", finding="blood", level=level)
    assert found.value is not None
    return found.value


@pytest.fixture(scope="module")
def sheets(phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory) -> Sheets:
    """A sheet by the images' files, yes or no, and one by studies, 0 or 1."""
    folder = tmp_path_factory.mktemp("sheets")
    area = pl.sum_horizontal(pl.col("^.*_mm2$"))
    rows = phantoms.rows.select("image", "study", blood=(area > 0).cast(pl.Int8))
    words = pl.when(pl.col("blood") == 1).then(pl.lit("Yes")).otherwise(pl.lit("no"))
    of_files = rows.select(file=pl.col("image") + ".dcm", blood=words, none=1 - pl.col("blood"))
    of_files.write_csv(folder / "files.csv")
    of_studies = rows.group_by("study", maintain_order=True).agg(pl.col("blood").max())
    left = pl.int_range(pl.len()) % 2
    of_studies.with_columns(left=left, right=1 - left).write_csv(folder / "studies.csv")
    return folder / "files.csv", folder / "studies.csv"


def test_slices_by_file_are_learned_read_and_scored_without_the_file(
    phantoms: PhantomTruth, sheets: Sheets, settings: tuple[str, ...], tmp_path: Path
) -> None:
    task, run, out = tmp_path / "mine.toml", tmp_path / "run", tmp_path / "out"
    task.write_text(SLICES)
    source = phantoms.images.parent
    result = wetread.train(
        str(task), source, run, labels=sheets[0], settings=settings, epochs=1, workers=1
    )
    assert result.counts["labelled_images"] == phantoms.rows.height
    assert (run / TASK_FILE).read_text() == SLICES
    task.unlink()
    predictions = pl.read_parquet(run / "predictions.parquet")
    sides = predictions.filter(level="image").pivot("finding", index="id", values="probability")
    assert ((sides["blood"] > 0.5) != (sides["none"] > 0.5)).all()
    prediction = wetread.predict(source, run, out, workers=1)
    for reading in prediction.readings:
        for one in reading.slices:
            assert (one.probabilities["blood"] > 0.5) != (one.probabilities["none"] > 0.5)
    scored = wetread.evaluate_predictions(out, labels=sheets[0])
    auc = value(scored, "image")
    assert 0 <= auc <= 1
    assert wetread.evaluate(run)
    assert wetread.show_task(run) == SLICES
    assert kept_task(out, "mine").title == "Blood"


def test_another_file_of_the_task_begins_no_run_anew(
    phantoms: PhantomTruth, sheets: Sheets, settings: tuple[str, ...], tmp_path: Path
) -> None:
    task, run = tmp_path / "mine.toml", tmp_path / "run"
    task.write_text(SLICES)

    def train() -> None:
        wetread.train(
            str(task), phantoms.images.parent, run, labels=sheets[0], settings=settings,
            epochs=1, workers=1,
        )  # fmt: skip

    train()
    task.write_text(SLICES.replace('"Blood"', '"Bleeding"'))
    with pytest.raises(ResumeError, match="the task's file was another"):
        train()


def test_studies_are_learned_by_their_own_labels_alone(
    phantoms: PhantomTruth, sheets: Sheets, settings: tuple[str, ...], tmp_path: Path
) -> None:
    task, run, out = tmp_path / "weak.toml", tmp_path / "run", tmp_path / "out"
    task.write_text(STUDIES)
    source = phantoms.images.parent
    result = wetread.train(
        str(task), source, run, labels=sheets[1], settings=[*settings, *QUICK], epochs=1, workers=1
    )
    assert result.counts["labelled_images"] == phantoms.rows.height
    assert result.counts["labelled_by_study"] == phantoms.rows.height
    text = " ".join((run / "page.html").read_text().split())
    assert f"{phantoms.rows.height} of the images have a label by their study alone." in text
    assert {score.level for score in result.scores} == {"study"}
    prediction = wetread.predict(source, run, out, workers=1)
    assert {*prediction.readings[0].study} == {"blood", "left", "right"}
    rows = pl.read_csv(out / "submission.csv")
    assert set(rows["ID"].str.replace("_[a-z]+$", "")) == set(phantoms.rows["study"])
    assert prediction.counts["studies"] == phantoms.rows["study"].n_unique()
    scored = wetread.evaluate_predictions(out, labels=sheets[1])
    assert 0 <= value(scored, "study") <= 1
    check_answers(out, scored, sheets[1], run)


def test_heads_known_of_studies_start_from_phantoms_of_another_task(
    phantoms: PhantomTruth, sheets: Sheets, settings: tuple[str, ...], tmp_path: Path
) -> None:
    task, run = tmp_path / "weak.toml", tmp_path / "run"
    task.write_text(STUDIES.replace('["CT"]', '["CT"]\ncrop = "head"'))
    few = ("phantoms.studies=3", "phantoms.epochs=1", "phantoms.top_checkpoints=1")
    wetread.train(
        str(task), phantoms.images.parent, run, labels=sheets[1],
        settings=[*settings, *QUICK, *few], epochs=1, workers=1,
    )  # fmt: skip
    first = torch.load(run / "phantoms" / "run" / "model-0" / "best.pt", weights_only=False)
    assert len(first["model"]["head.bias"]) == 6  # the findings of hemorrhage
    for part in (0, 1):
        report = json.loads((run / f"model-0/part-{part}/weak/weights.json").read_text())
        assert "stem.0.weight" in report["loaded"]
        assert "head.weight" in report["skipped"]
    page = (run / "page.html").read_text()
    assert "after 3 studies of phantoms" in page


def check_answers(out: Path, scored: wetread.Evaluation, labels: Path, run: Path) -> None:
    """Probabilities agree, the submission has what costs least, and both score the same."""
    said = pl.read_csv(out / "probabilities.csv").filter(level="study")
    p = said.pivot("finding", index="id", values="probability").sort("id")
    np.testing.assert_allclose(p["left"] + p["right"], 1, atol=2e-6)
    rows = pl.read_csv(out / "submission.csv").with_columns(
        pl.col("ID").str.extract_groups(r"^(?<id>.*)_(?<finding>[a-z]+)$").struct.unnest()
    )
    answer = rows.pivot("finding", index="id", values="Label").sort("id")
    blood = p["blood"].to_numpy()
    np.testing.assert_allclose(answer["blood"], 3 * blood / (1 + 2 * blood), atol=1e-5)
    np.testing.assert_allclose(answer["left"], p["left"], atol=2e-6)
    (of_readings,) = scored.scores.find("group_log_loss", level="study")
    submitted = wetread.score(str(run / TASK_FILE), labels, out / "submission.csv")
    (of_submission,) = submitted.scores.find("group_log_loss")
    assert of_submission.value == pytest.approx(of_readings.value, abs=1e-5)
    assert "Log loss of groups, all findings (lower is better)" in (run / "page.html").read_text()


def test_slice_labels_from_a_second_file_are_used_with_study_labels(
    phantoms: PhantomTruth, sheets: Sheets, settings: tuple[str, ...], tmp_path: Path
) -> None:
    task, some = tmp_path / "both.toml", tmp_path / "some.csv"
    task.write_text(STUDIES + '[[labels]]\nid = "file"\nid_of = "file"\n')
    pl.read_csv(sheets[0]).head(20).write_csv(some)
    run = tmp_path / "run"
    result = wetread.train(
        str(task), phantoms.images.parent, run, labels=[sheets[1], some],
        settings=[*settings, *QUICK], epochs=1, workers=1,
    )  # fmt: skip
    assert {score.level for score in result.scores} >= {"study"}
    truth = pl.read_parquet(run / "predictions.parquet").filter(level="image", finding="blood")
    assert truth["truth"].is_not_null().sum() <= 20


def test_the_package_s_task_as_a_file_gives_the_same_predictions(
    one_split: wetread.TrainResult,
    phantoms: PhantomTruth,
    settings: tuple[str, ...],
    tmp_path: Path,
) -> None:
    file = tmp_path / "hemorrhage.toml"
    file.write_text(shown("hemorrhage"))
    own = wetread.train(
        str(file), [phantoms.images], tmp_path / "own", labels=[phantoms.labels],
        settings=settings, epochs=1, workers=1,
    )  # fmt: skip
    first, second = (
        pl.read_parquet(run / "predictions.parquet") for run in (one_split.run, own.run)
    )
    assert first.equals(second)
    of_both = [json.loads((one.run / "scores.json").read_text()) for one in (one_split, own)]
    assert of_both[0] == of_both[1]


def test_films_drawn_by_the_package_s_task_as_a_file_are_the_same(tmp_path: Path) -> None:
    archive = tmp_path / "films"
    truth = write_radiograph_archive(archive, 24, 3, progress=lambda done, total: None)
    settings = ("size=64", "epochs=1", "phantoms.studies=0", "runtime.device=cpu", 'crop="task"')
    file = tmp_path / "pneumothorax.toml"
    file.write_text(shown("pneumothorax"))
    runs = [
        wetread.train(
            task, truth.images, tmp_path / name, labels=truth.labels, folds=2,
            patients=archive / "patients.csv", recipe="pneumothorax-compact", settings=settings,
            workers=1,
        )
        for name, task in (("built", "pneumothorax"), ("own", str(file)))
    ]  # fmt: skip
    for table in ("predictions.parquet", "masks.parquet"):
        first, second = (pl.read_parquet(one.run / table) for one in runs)
        assert first.equals(second)
    of_both = [json.loads((one.run / "scores.json").read_text()) for one in runs]
    assert of_both[0] == of_both[1]
    for name in ("built", "own"):
        wetread.predict(truth.images, tmp_path / name, tmp_path / f"{name}-out", workers=1)
    texts = [(tmp_path / f"{name}-out" / "submission.csv").read_text() for name in ("built", "own")]
    assert texts[0] == texts[1]
    scores = [
        wetread.score(task, truth.labels, tmp_path / "own-out" / "submission.csv").scores
        for task in ("pneumothorax", str(file))
    ]
    assert scores[0] == scores[1]
