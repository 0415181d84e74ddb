"""training/phantom_recipe.py: the settings under which a recipe's phantoms are learned."""

from __future__ import annotations

from collections.abc import Mapping

from wetread.training.recipe import Recipe, flat_settings
from wetread.training.recipe_file import check_recipe


def phantom_recipe(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    """Make the settings of a training on phantoms: their epochs, rate and checkpoints, one
    size.

    changes: of further settings. Raises ValueError where they do not fit each other.
    """
    first = {
        "phantoms.studies": 0,
        "phantoms.share": 0.0,
        "members": 1,  # all start from the same weights
        "refit": False,
        "pseudo_labels": False,
        "grafts.share": 0.0,
        "epochs": recipe.phantoms.epochs,
        "optimizer.learning_rate": recipe.phantoms.learning_rate,
        "smaller_first": (),
        "top_checkpoints": recipe.phantoms.top_checkpoints,
        # What keeps learned weights is for the training after it.
        "average_with_start": 0.0,
        "optimizer.encoder_rate": 1.0,
        "optimizer.freeze_norms": False,
    }
    settings = flat_settings(recipe) | first | dict(changes)
    return check_recipe(settings, "the recipe, on phantoms")
