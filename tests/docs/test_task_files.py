"""tests/docs/test_task_files.py: the tasks of docs/tasks/ are drafts but for a line at most."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.verbs.task.public_forms import PUBLIC_FORMS, write_public_form

from wetread.verbs.task.check import check_task
from wetread.verbs.task.new import new_task

TASKS = Path(__file__).parents[2] / "docs" / "tasks"


def differences(first: Any, second: Any) -> int:
    """Count the keys of plain values that differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        return sum(differences(first.get(key), second.get(key)) for key in {*first, *second})
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return sum(map(differences, first, second))
    return int(first != second)


@pytest.mark.parametrize("name", PUBLIC_FORMS)
def test_a_task_is_its_draft_but_for_a_line_and_reads_its_file(name: str, tmp_path: Path) -> None:
    labels, out = write_public_form(name, tmp_path), tmp_path / f"{name}.toml"
    new_task(labels, out)
    file = TASKS / out.name
    drafted, corrected = tomllib.loads(out.read_text()), tomllib.loads(file.read_text())
    del drafted["title"], corrected["title"]
    names = {one["name"]: one for one in drafted["findings"]}  # the order is that of frequency
    drafted["findings"] = [names[one["name"]] for one in corrected["findings"]]
    assert differences(drafted, corrected) <= 1
    assert check_task(file, labels).refused == 0
    assert f"({file.name})" in (TASKS / "index.md").read_text()
