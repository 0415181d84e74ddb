"""tests/tasks/test_tasks.py: every task is whole, and is found by its name."""

import dataclasses

import pytest

from wetread.labels.finding import finding_names
from wetread.tasks import TASKS, UnknownTaskError, find_task
from wetread.training.recipe_file import read_recipe


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_is_found_by_its_name_and_names_what_there_is(name: str) -> None:
    task = find_task(name)
    assert task.name == name
    names = [finding.name for finding in task.findings]
    assert len(set(names)) == len(names)
    assert task.headline in finding_names(task.at("study"))
    assert 0 <= task.headline_column < len(task.at("image"))
    if task.at("study") == task.at("image"):
        assert names[task.headline_column] == task.headline
    assert set(task.descriptions) == set(names)
    assert read_recipe(task.recipe).size >= 64
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.name = "other"  # type: ignore[misc]


def test_an_unknown_task_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownTaskError, match=f"no task 'scurvy'; there are: {', '.join(TASKS)}"):
        find_task("scurvy")
