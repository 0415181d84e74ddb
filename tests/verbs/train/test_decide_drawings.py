"""tests/verbs/train/test_decide_drawings.py: what a run draws in held-out phantoms, decided."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from wetread.inputs.archive import open_archive
from wetread.models.encoders import build
from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.study.series import series_slices
from wetread.tasks import find_task
from wetread.training.drawings import read_drawings
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.trained_model import TrainedModel
from wetread.verbs.pack import pack_crops_of
from wetread.verbs.train import decide_drawings as module
from wetread.verbs.train.decide_drawings import decide_drawings

TASK = find_task("embolism")


def untrained(recipe: Recipe, masks: tuple[str, ...]) -> TrainedModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build("slim", recipe.view.channels, 7, masks=len(masks)).eval()
    return TrainedModel(model, ("x",) * 7, masks, recipe.view, recipe, 1.0, 0, None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with two phantoms."""
    out = tmp_path_factory.mktemp("run")
    folder = out / "phantoms"
    write_angiogram_archive(
        folder / "archive", 2, 11, size=96, positives=1.0, workers=1, progress=lambda *at: None
    )
    index = open_archive([folder / "archive"], folder, workers=1, report=lambda *at: None, key=None)
    pack_crops_of(series_slices(index.images), folder, TASK, size=64, workers=1)
    return out


def test_encoders_that_draw_nothing_are_off_by_all_that_was_painted(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before they learn, every pixel of their maps is about 0.02."""
    recipe = read_recipe("embolism-compact", ["size=64", "runtime.device=cpu"])
    model: Any = SimpleNamespace(
        recipe=recipe,
        encoders=(
            untrained(recipe, ("pe_present_on_image",)),
            untrained(recipe, ("right_ventricle", "left_ventricle")),
        ),
    )
    monkeypatch.setattr(
        module, "read_ensemble", lambda runs: SimpleNamespace(series_models=(model,))
    )
    monkeypatch.setattr(module, "held_out_studies", frozenset)
    decide_drawings(run, TASK, lambda *at: None)
    drawings = read_drawings(run)
    assert drawings is not None
    assert set(drawings.thresholds) == {"pe_present_on_image", "right_ventricle", "left_ventricle"}
    assert drawings.studies == 2
    assert drawings.dice["left_ventricle"] == 0.0  # every phantom has one
    truth = pl.read_csv(run / "phantoms" / "archive" / "truth.csv")
    painted = [
        float(own["clot_mm2"].sum() * np.diff(np.sort(own["position_mm"]))[0] / 1000)
        for own in truth.partition_by("study")
    ]
    assert drawings.errors["clot_volume"].bias == pytest.approx(-np.mean(painted), rel=1e-4)
    assert "rv_lv_ratio" not in drawings.errors  # nothing to measure it in


def test_a_run_without_held_out_phantoms_decides_nothing(run: Path, tmp_path: Path) -> None:
    decide_drawings(tmp_path, TASK, lambda *at: None)
    assert read_drawings(tmp_path) is None
