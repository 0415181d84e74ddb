"""tests/training/test_phantom_recipe.py: phantoms are learned at one size, with settings apart."""

import pytest

from wetread.tasks import find_task
from wetread.training.phantom_recipe import phantom_recipe
from wetread.training.recipe_file import read_recipe


def test_phantoms_have_their_own_epochs_and_rate_and_no_phantoms_before_them() -> None:
    recipe = read_recipe(
        "embolism-compact",
        ["top_checkpoints=3", "phantoms.top_checkpoints=2", "smaller_first=[96]"],
    )
    first = phantom_recipe(recipe, {})
    assert (first.phantoms.studies, first.top_checkpoints, first.smaller_first) == (0, 2, ())
    assert first.epochs == recipe.phantoms.epochs
    assert first.optimizer.learning_rate == recipe.phantoms.learning_rate
    assert first.view == recipe.view
    assert first.masks == recipe.masks
    assert first.augmentation == recipe.augmentation


def test_further_changes_are_made_and_checked() -> None:
    recipe = read_recipe("compact", ["size=64"])
    assert phantom_recipe(recipe, {"decoder": "unet", "folds": 0}).decoder == "unet"
    odd = read_recipe("compact", ["size=40"])
    with pytest.raises(ValueError, match="multiples of 32"):
        phantom_recipe(odd, {"decoder": "unet"})


def test_what_keeps_learned_weights_is_not_for_phantoms_that_start_from_none() -> None:
    keeping = ["phantoms.share=0.5", "average_with_start=0.5", "optimizer.freeze_norms=true"]
    recipe = read_recipe("embolism-compact", [*keeping, "optimizer.encoder_rate=0.1"])
    first = phantom_recipe(recipe, {})
    assert (first.phantoms.share, first.average_with_start) == (0, 0)
    assert not first.optimizer.freeze_norms
    assert first.optimizer.encoder_rate == 1


def test_phantoms_are_learned_by_the_pixel_unless_the_recipe_leaves_their_masks_out() -> None:
    spec = find_task("hemorrhage").spec
    assert spec.phantom_recipe(read_recipe("compact", [])).decoder == "unet"
    assert spec.phantom_recipe(read_recipe("compact", ["phantoms.masks=false"])).decoder == "none"
