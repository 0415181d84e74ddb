"""tests/tasks/test_find_task.py: a string becomes a task by name, by entry point, by file."""

import sys
from pathlib import Path

import pytest

from wetread.tasks import TASKS, UnknownTaskError, find_task

PACKAGE = """
from dataclasses import replace
from wetread.tasks import TASKS
OWN = replace(TASKS["hemorrhage"], name="own", title="Of another package")
OTHER = 3
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that names two tasks as entry points, one of which is none."""
    (tmp_path / "package_of_tasks.py").write_text(PACKAGE)
    info = tmp_path / "package_of_tasks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: package-of-tasks\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[wetread.tasks]\nown = package_of_tasks:OWN\nother = package_of_tasks:OTHER\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "package_of_tasks", raising=False)


@pytest.mark.usefixtures("installed")
def test_a_task_of_an_installed_package_is_found_by_its_entry_point() -> None:
    assert find_task("own").title == "Of another package"
    with pytest.raises(UnknownTaskError, match=r"the entry point other = .* gives int, no Task"):
        find_task("other")
    with pytest.raises(UnknownTaskError, match=r"no task 'nothing'; there are: .*, other, own; or"):
        find_task("nothing")


def test_names_and_files_are_found_without_it(tmp_path: Path) -> None:
    assert find_task("embolism") is TASKS["embolism"]
    file = tmp_path / "mine.toml"
    file.write_text('modalities = ["CT"]\n[[findings]]\nname = "a"\n[[labels]]\nid = "image"\n')
    assert find_task(file).name == find_task(str(file)).name == "mine"
    with pytest.raises(UnknownTaskError, match=r"no task 'none'; there are: hemorrhage, pneumo"):
        find_task("none")
