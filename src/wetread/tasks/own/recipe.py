"""tasks/own/recipe.py: the recipe that a task's file is learned by, and what it changes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from wetread.tasks.own.schema import TaskEntry, TaskFileError
from wetread.training.recipe_file import read_recipe

CT_RECIPE, FILM_RECIPE, SERIES_RECIPE = "compact", "pneumothorax-small", "series-compact"
CT_SETTINGS = ('windows=["brain", "lung", "bone"]',)  # soft tissue, air, bone
FILM_SETTINGS = ('windows=["display"]',)
DRAWING = ("decoder=unet",)  # where a finding is drawn
# Of a study's label alone encoders learn patients by heart; phantoms' slices, whose labels are
# known, teach them the part of the body first. As measured in docs/experiments/heads.md.
PHANTOMS_FIRST = (
    "size=96",
    "epochs=12",
    "phantoms.studies=300",
    "phantoms.epochs=24",
    "phantoms.learning_rate=2e-3",
    "phantoms.top_checkpoints=8",
    "phantoms.masks=false",
)


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
    default = SERIES_RECIPE if of_studies else CT_RECIPE if in_hu else FILM_RECIPE
    settings: tuple[str, ...] = CT_SETTINGS if in_hu else FILM_SETTINGS
    if any(one.level == "pixel" for one in entry.findings):
        settings = (*settings, *DRAWING)
    if name is not None:
        default, settings = name, ()
    if phantoms and default == SERIES_RECIPE:
        settings = (*settings, *PHANTOMS_FIRST)
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
