"""training/phantom_recipe.py: the settings under which a recipe's phantoms are learned."""

from __future__ import annotations

from collections.abc import Mapping

from wetread.training.recipe import Recipe, check_recipe


def phantom_recipe(recipe: Recipe, changes: Mapping[str, object]) -> Recipe:
    """Make the settings of a training on phantoms: their epochs and rate, one size, one checkpoint.

    changes: of further settings. Raises ValueError where they do not fit each other.
    """
    first = {
        "phantoms": 0,
        "epochs": recipe.phantom_epochs,
        "learning_rate": recipe.phantom_learning_rate,
        "smaller_first": (),
        "top_checkpoints": 1,
    }
    return check_recipe({**recipe.model_dump(), **first, **changes}, "the recipe, on phantoms")
