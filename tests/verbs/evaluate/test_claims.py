"""tests/verbs/evaluate/test_claims.py: a run's own scores, and the images it knew."""

import json
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY

from wetread.evaluation.score import Scores
from wetread.inputs.predictions import Predictions
from wetread.labels.table import LABEL_SCHEMA, label_table
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
    import polars as pl

    empty = label_table(pl.DataFrame(schema=LABEL_SCHEMA))
    given = Predictions(REPOSITORY, TASK, empty)
    levels = Levels((images_of(one_split.run),), {}, pl.DataFrame())
    claims = read_claims(one_split.run, given, levels)
    scored = len(images_of(one_split.run).ids)
    assert claims.images == scored
    assert scored < len(open_store(one_split.run / "store").slices)
    assert claims.scores == one_split.scores
    assert claims.patients is None


def test_a_folder_without_scores_is_no_run(tmp_path: Path) -> None:
    import polars as pl

    given = Predictions(tmp_path, TASK, label_table(pl.DataFrame(schema=LABEL_SCHEMA)))
    with pytest.raises(FileNotFoundError):
        read_claims(tmp_path, given, Levels((), {}, pl.DataFrame()))
    (tmp_path / "scores.json").write_text(json.dumps(Scores().to_dict()))
