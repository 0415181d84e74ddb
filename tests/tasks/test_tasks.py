"""tests/tasks/test_tasks.py: every task is whole, and is found by its name."""

import dataclasses
from pathlib import Path

import pytest

from wetread.labels.finding import finding_names
from wetread.tasks import TASKS, UnknownTaskError, find_task
from wetread.training.recipe_file import read_recipe

LONG_FORM = "ID,Label\nID_a_any,1\nID_a_subdural,0.25\n"


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


def test_hemorrhage_has_the_findings_and_weights_of_the_competition() -> None:
    weights = {finding.name: finding.weight for finding in find_task("hemorrhage").findings}
    subtypes = ("epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural")
    assert weights == {**dict.fromkeys(subtypes, 1.0), "any": 2.0}
    assert find_task("hemorrhage").modalities == ("CT",)


def test_hemorrhage_reads_its_labels_and_submissions_in_the_long_form(tmp_path: Path) -> None:
    task = find_task("hemorrhage")
    path = tmp_path / "labels.csv"
    path.write_text(LONG_FORM)
    names = [finding.name for finding in task.findings]
    for read in (task.read_labels, task.submission.read):
        (values,) = read(path, task.findings).matrix_float64(["ID_a"], task.findings)
        told = {name: v for name, v in zip(names, values, strict=True) if v == v}
        assert told == {"any": 1.0, "subdural": 0.25}
