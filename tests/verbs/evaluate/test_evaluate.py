"""tests/verbs/evaluate/test_evaluate.py: predictions become scores, or are refused before any."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.evaluation.metrics import weighted_log_loss
from wetread.evaluation.score import Scores
from wetread.evaluation.task_metric import WEIGHTED_LOG_LOSS
from wetread.labels.exams import Exams
from wetread.labels.finding import finding_weights
from wetread.labels.table import EXAM_SCHEMA
from wetread.tasks import find_task
from wetread.tasks.embolism.exams import as_scored
from wetread.tasks.embolism.metric import exam_loss
from wetread.training.predictions import LevelPredictions, to_table
from wetread.verbs.evaluate.evaluate import evaluate, exam_frame, score_exams, score_level
from wetread.verbs.train.train import TrainResult

EMBOLISM = find_task("embolism")
RNG = np.random.default_rng(0)


def predictions(level: str, ids: list[str], studies: list[str]) -> LevelPredictions:
    """Random truth and probabilities of a level of the task of exams."""
    findings = EMBOLISM.at(level)
    shape = (len(ids), len(findings))
    truth, probability = (RNG.random(shape) < 0.5).astype(float), RNG.uniform(0.05, 0.95, shape)
    baselines = {name: np.full(shape, 0.5) for name in ("prior", "position", "histogram")}
    return LevelPredictions(
        level=level, split="held_out", findings=findings, ids=tuple(ids), studies=tuple(studies),
        patients=tuple(studies), rows=np.arange(len(ids)) if level == "image" else None,
        truth=truth, probability=probability, baselines=baselines,
    )  # fmt: skip


def test_evaluating_a_run_again_gives_the_same_scores(two_folds: TrainResult) -> None:
    again = evaluate(two_folds.run)
    assert isinstance(again, Scores)
    assert again == two_folds.scores
    assert json.loads((two_folds.run / "scores.json").read_text()) == again.to_dict()


def test_a_run_that_is_not_finished_is_not_scored(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its training has not ended"):
        evaluate(tmp_path)


@pytest.mark.parametrize("name", ["model-0/metrics.jsonl", "folds.json"])
def test_a_damaged_file_of_the_page_is_named_before_anything_is_scored(
    one_split: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It was named after minutes of scoring, and scores.json was new beside an old page."""
    run = tmp_path / "run"
    shutil.copytree(one_split.run, run)
    (run / name).write_text("{cut")
    monkeypatch.setattr("wetread.verbs.evaluate.evaluate.score_level", None)
    with pytest.raises(DamagedFileError):
        evaluate(run)


def test_a_level_has_its_official_figure_only_where_the_task_says_so() -> None:
    part = predictions("image", ["a", "b", "c", "d"], ["s", "s", "t", "t"])
    (official,) = [
        score.value
        for score in score_level(part, WEIGHTED_LOG_LOSS, 0, official=True)
        if score.metric == "weighted_log_loss"
    ]
    expected = weighted_log_loss(part.truth, part.probability, finding_weights(part.findings))
    assert official == pytest.approx(expected)
    metrics = {score.metric for score in score_level(part, WEIGHTED_LOG_LOSS, 0, official=False)}
    assert "weighted_log_loss" not in metrics
    assert {"log_loss", "log_loss_prior", "roc_auc_histogram"} <= metrics


def test_exams_are_scored_as_one_submission_by_the_metric_of_the_task() -> None:
    images = predictions("image", ["a", "b", "c"], ["s", "s", "t"])
    studies = predictions("study", ["s", "t"], ["s", "t"])
    table = to_table(images, 0).vstack(to_table(studies, 0))
    scores = {score.metric: score for score in score_exams(EMBOLISM, table, [images, studies], 0)}
    starts = np.array([0, 2, 3])
    truth = as_scored(Exams(studies.truth[:, :9], images.truth[:, 0], starts))
    given = Exams(studies.probability[:, :9], images.probability[:, 0], starts)
    assert scores["weighted_log_loss"].value == pytest.approx(exam_loss(truth, given))
    assert scores["weighted_log_loss"].patients == 2
    assert {score.finding for score in scores.values()} == {"all"}


def test_images_of_a_study_are_one_series_of_one_exam() -> None:
    frame = exam_frame(predictions("image", ["a", "b"], ["s", "t"]))
    assert frame.columns == list(EXAM_SCHEMA)
    assert frame.rows() == [("a", "s", "s"), ("b", "t", "t")]
