"""tests/verbs/train/test_fit_splits.py: the plan of a run and the predictions of its splits."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import finding_names
from wetread.study.patients import Identity
from wetread.tasks import find_task
from wetread.training import mask_table
from wetread.training.calibration import ALTERED, read_calibration
from wetread.training.data import LabeledSlices, Split
from wetread.training.predictions import FILE, LevelPredictions
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.slices.fit import SplitResult
from wetread.training.slices.prepare import Prepared, Start, label_shares
from wetread.verbs.train.fit_splits import fit_splits, plan_run
from wetread.verbs.train.train import TrainResult

TASK = find_task("hemorrhage")
SLICES = 40


class Fitted:
    """A training that remembers its splits and predicts the truth."""

    def __init__(self, data: LabeledSlices) -> None:
        self.data = data
        self.splits: list[tuple[int, Split, Start]] = []

    def __call__(self, number: int, split: Split, start: Start) -> SplitResult:
        self.splits.append((number, split, start))
        truth = self.data.truth[split.scored]
        ids = tuple(f"i{row}" for row in split.scored)
        baselines = {name: np.full(truth.shape, 0.5) for name in ("prior", "position", "histogram")}
        level = LevelPredictions(
            level="image", split=split.name, findings=TASK.findings, ids=ids, studies=ids,
            patients=ids, rows=split.scored, truth=truth, probability=truth, baselines=baselines,
        )  # fmt: skip
        return SplitResult([level], pl.DataFrame([], schema=mask_table.SCHEMA, orient="row"))


@pytest.fixture
def prepared() -> Prepared:
    """Slices of twenty patients, of which none has an epidural bleeding."""
    rng = np.random.default_rng(0)
    truth = (rng.random((SLICES, 6)) < 0.4).astype(float)
    truth[:, 0] = 0.0
    slices = pl.DataFrame(
        {
            "SOPInstanceUID": [f"i{k}" for k in range(SLICES)],
            "StudyInstanceUID": [f"s{k // 2}" for k in range(SLICES)],
            "patient": [f"p{k // 2}" for k in range(SLICES)],
        }
    )
    store: Any = SimpleNamespace(slices=slices)
    data = LabeledSlices(store, np.arange(SLICES), truth, TASK.findings)
    return Prepared(data, Fitted(data), label_shares(truth, TASK.findings))


@pytest.fixture
def given() -> tuple[Any, Any]:
    """The request and the archive, as far as a plan looks at them."""
    recipe = read_recipe("compact", ["folds=2", "seed=3"])
    images = pl.DataFrame(
        {"StudyInstanceUID": ["s0"], "notes": [[]]}, schema_overrides={"notes": pl.List(pl.String)}
    )
    archive = SimpleNamespace(
        images=images, counts={"files": SLICES}, identity=Identity("patient", "headers")
    )
    return SimpleNamespace(task=TASK, recipe=recipe), archive


def test_the_plan_parts_patients_and_describes_the_run(
    prepared: Prepared, given: tuple[Any, Any], tmp_path: Path
) -> None:
    plan = plan_run(*given, prepared)
    assert len(plan.splits) == 2
    plan.write(Run(tmp_path))
    about = json.loads((tmp_path / "about.json").read_text())
    assert (about["task"], about["folds"]) == ("hemorrhage", 2)
    assert about["counts"] == {"files": SLICES}
    assert about["scored_on"]["images"] == SLICES
    assert about["prior"]["epidural"] == pytest.approx(0.5 / (SLICES + 1))  # never 0
    folds = json.loads((tmp_path / "folds.json").read_text())
    assert folds["proof"]["shared_patients"] == 0
    assert json.loads((tmp_path / "recipe.json").read_text())["seed"] == 3


def test_every_split_is_fitted_once_and_every_slice_predicted_once(
    prepared: Prepared, given: tuple[Any, Any], tmp_path: Path
) -> None:
    begun = Start({"hemorrhage": tmp_path / "start.pt"})
    fit_splits(Run(tmp_path), plan_run(*given, prepared), prepared, begun)
    fitted = prepared.fit
    assert isinstance(fitted, Fitted)
    assert [number for number, _, _ in fitted.splits] == [0, 1]
    assert all(start is begun for _, _, start in fitted.splits)
    table = pl.read_parquet(tmp_path / FILE)
    assert sorted(table["id"].unique()) == sorted(f"i{k}" for k in range(SLICES))
    assert table.height == 6 * SLICES
    assert (table["truth"] == table["uncalibrated"]).all()
    assert ((table["truth"] == 1) == (table["probability"] > 0.5)).all()
    assert set(read_calibration(tmp_path).fitted["image"]) == set(finding_names(TASK.findings))
    assert set(table["model"]) == {0, 1}
    assert not (tmp_path / mask_table.FILE).exists()  # nothing was drawn


def test_a_run_that_goes_on_keeps_its_files_until_its_models_have_agreed(
    prepared: Prepared, given: tuple[Any, Any], tmp_path: Path
) -> None:
    (tmp_path / "model-0").mkdir()
    (tmp_path / "model-0" / "last.pt").write_bytes(b"")
    (tmp_path / "about.json").write_text("old")

    def refuse(number: int, split: Split, start: Start) -> SplitResult:
        raise ValueError("begun otherwise")

    other = Prepared(prepared.data, refuse, prepared.shares)
    with pytest.raises(ValueError, match="begun otherwise"):
        fit_splits(Run(tmp_path), plan_run(*given, prepared), other, Start({}))
    assert (tmp_path / "about.json").read_text() == "old"


def test_probabilities_that_minimize_a_metric_of_their_own_are_not_scaled(
    prepared: Prepared, given: tuple[Any, Any], tmp_path: Path
) -> None:
    own = replace(prepared, calibrated=False)
    fit_splits(Run(tmp_path), plan_run(*given, own), own, Start({}))
    table = pl.read_parquet(tmp_path / FILE)
    assert (table["truth"] == table["probability"]).all()
    assert table["uncalibrated"].null_count() == table.height
    assert read_calibration(tmp_path).fitted == {}


def test_new_studies_of_a_run_of_phantoms_are_calibrated_on_changed_ones(
    one_split: TrainResult,
) -> None:
    (on,) = read_calibration(one_split.run).on
    assert on.source == ALTERED
    predicted = pl.read_parquet(one_split.run / "predictions.parquet")
    scored = predicted.filter(pl.col("level") == "image")
    assert on.images == scored["id"].n_unique()
    assert on.patients == scored["patient"].n_unique()
