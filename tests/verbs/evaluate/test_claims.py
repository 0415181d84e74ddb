"""tests/verbs/evaluate/test_claims.py: a run's own scores, and the images it knew."""

import json
from pathlib import Path

import polars as pl
import pytest
from tests.conftest import REPOSITORY

from wetread.evaluation.score import Scores
from wetread.inputs.predictions import Predictions
from wetread.labels.table import EXAM_SCHEMA, LABEL_SCHEMA, label_table
from wetread.store.store import open_store
from wetread.tasks import find_task
from wetread.training.predictions import LevelPredictions, from_table, read_predictions
from wetread.verbs.evaluate.claims import read_claims
from wetread.verbs.evaluate.levels import Levels
from wetread.verbs.train.train import TrainResult

TASK = find_task("hemorrhage")


def images_of(run: Path) -> LevelPredictions:
    table = read_predictions(
        run / "predictions.parquet", {k: TASK.at(k) for k in ("image", "study")}
    )
    found = from_table(table, "image", TASK.at("image"))
    assert found is not None
    return found


def test_images_that_the_run_was_made_with_are_counted(one_split: TrainResult) -> None:
    empty = label_table(pl.DataFrame(schema=LABEL_SCHEMA))
    given = Predictions(REPOSITORY, TASK, empty)
    levels = Levels((images_of(one_split.run),), {}, pl.DataFrame(schema=EXAM_SCHEMA))
    claims = read_claims(one_split.run, given, levels)
    scored = len(images_of(one_split.run).ids)
    assert claims.images == scored
    assert scored < len(open_store(one_split.run / "store").slices)
    assert claims.scores == one_split.scores
    assert claims.studies is None
    assert claims.patients is None


def test_studies_that_the_run_was_made_with_are_counted_where_they_alone_are_scored(
    one_split: TrainResult,
) -> None:
    slices = open_store(one_split.run / "store").slices
    table = read_predictions(
        one_split.run / "predictions.parquet", {k: TASK.at(k) for k in ("image", "study")}
    )
    studies = from_table(table, "study", TASK.at("study"))
    assert studies is not None
    places = slices.select(
        image="SOPInstanceUID", series="SeriesInstanceUID", study="StudyInstanceUID"
    )
    given = Predictions(REPOSITORY, TASK, label_table(pl.DataFrame(schema=LABEL_SCHEMA)))
    claims = read_claims(one_split.run, given, Levels((studies,), {}, places))
    assert claims.studies == len(studies.ids)
    of_them = slices.filter(pl.col("StudyInstanceUID").is_in(list(studies.ids)))
    assert claims.images == of_them.height > 0


def test_a_folder_without_scores_is_no_run(tmp_path: Path) -> None:
    given = Predictions(tmp_path, TASK, label_table(pl.DataFrame(schema=LABEL_SCHEMA)))
    with pytest.raises(FileNotFoundError):
        read_claims(tmp_path, given, Levels((), {}, pl.DataFrame(schema=EXAM_SCHEMA)))
    (tmp_path / "scores.json").write_text(json.dumps(Scores().to_dict()))
