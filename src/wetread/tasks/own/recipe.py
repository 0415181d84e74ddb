"""tasks/own/recipe.py: the recipe that a task's file is learned by, and what it changes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from wetread.tasks.own.schema import TaskEntry, TaskFileError
from wetread.training.recipe_file import read_recipe

CT_RECIPE, FILM_RECIPE = "compact", "pneumothorax-small"
SERIES_RECIPE, HEADS_RECIPE = "series-compact", "series-heads"  # the second learns phantoms first
CT_SETTINGS = ('windows=["brain", "lung", "bone"]',)  # soft tissue, air, bone
FILM_SETTINGS = ('windows=["display"]',)
DRAWING = ("decoder=unet",)  # where a finding is drawn


def task_recipe(
    entry: TaskEntry, where: str, *, in_hu: bool, of_studies: bool, phantoms: bool
) -> tuple[str, tuple[str, ...]]:
    """Return the name of the default recipe, and the settings that the task changes of it.

    phantoms: whether there are any to learn first.
    """
    own = dict(entry.recipe)
    name = own.pop("name", None)
    if name is not None and not isinstance(name, str):
        raise TaskFileError(f"{where}: recipe.name = {name!r} is no name of a recipe")
    of_series = HEADS_RECIPE if phantoms else SERIES_RECIPE
    default = of_series if of_studies else CT_RECIPE if in_hu else FILM_RECIPE
    settings: tuple[str, ...] = CT_SETTINGS if in_hu else FILM_SETTINGS
    if any(one.level == "pixel" for one in entry.findings):
        settings = (*settings, *DRAWING)
    if name is not None:
        default, settings = name, ()
    changed = tuple(f"{key}={json.dumps(value)}" for key, value in _flat(own).items())
    try:
        read_recipe(default, [*settings, *changed])
    except ValueError as error:
        raise TaskFileError(f"{where}: [recipe]: {error}") from None
    return default, (*settings, *changed)


def _flat(values: Mapping[str, object], before: str = "") -> dict[str, object]:
    """Return the settings of nested tables by dotted names."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat
