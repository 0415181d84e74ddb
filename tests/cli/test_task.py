"""tests/cli/test_task.py: the commands of a task's file, at 80 columns."""

import json
from pathlib import Path

import pytest
from tests.verbs.task.public_forms import write_public_form
from typer.testing import CliRunner

from wetread.cli.main import app


def run(*words: object) -> str:
    """Run a command that ends well; what it prints."""
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_task_is_drafted_checked_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a long path would be a long line
    labels, out = write_public_form("chestxray14", Path()), Path("nih.toml")
    drafted = run("task", "new", "--labels", labels, "-o", out)
    assert "300 rows, layout names: 14 findings of level image" in drafted
    checked = run("task", "check", out, "--labels", labels)
    assert "300 ids in the label files" in checked
    assert all(len(line) <= 80 for line in (drafted + checked).splitlines())
    found = json.loads(run("task", "check", out, "--labels", labels, "--json"))
    assert len(found["findings"]) == 14
    assert run("task", "show", out) == out.read_text()


def test_the_tasks_of_the_package_are_listed() -> None:
    assert "pneumothorax: Pneumothorax on chest radiographs" in run("task", "list")
    assert "hemorrhage" in json.loads(run("task", "list", "--json"))
