"""tests/tasks/own/test_recipe.py: the recipe that a task's file is learned by."""

import pytest

from wetread.tasks.own.build import build_task
from wetread.tasks.task import Task
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe

TEXT = """
modalities = ["CT"]
crop = "head"
[[findings]]
name = "a"
level = "study"
[[labels]]
id = "id"
"""


def built(text: str) -> tuple[Task, Recipe]:
    task = build_task(text, "mine.toml", "mine")
    return task, read_recipe(task.recipe, task.settings)


def test_heads_known_of_studies_learn_phantoms_first() -> None:
    task, recipe = built(TEXT)
    assert task.phantom_task is not None
    assert task.phantom_task.name == "hemorrhage"
    assert (task.recipe, recipe.phantoms.studies, recipe.size) == ("series-heads", 300, 96)


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "[recipe.phantoms]\nstudies = 0\n",
        TEXT + '[recipe]\nname = "series-compact"\n',
        TEXT.replace('"study"', '"image"'),
        TEXT.replace('"head"', '"lungs"'),
        TEXT.replace('"CT"', '"DX"').replace('"head"', '"picture"'),
    ],
)
def test_others_do_not(text: str) -> None:
    assert built(text)[1].phantoms.studies == 0


def test_where_no_phantoms_show_the_part_of_the_body_there_are_none() -> None:
    assert built(TEXT.replace('"head"', '"lungs"'))[0].phantom_task is None
