"""verbs/task/show.py: the text of a task's file, of the package's tasks what a file can say."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from wetread.archive.types import StrPath
from wetread.tasks import TASK_FILE, find_task, kept_task
from wetread.training.about import read_about


def show_task(task: StrPath) -> str:
    """Return the TOML of a task: of its file, of a run that was given it, or of the package, with
    a comment on what a file cannot say. Raises as `find_task`."""
    folder = Path(task)
    if (folder / "about.json").is_file():
        name = read_about(folder)["task"]
        kept = kept_task(folder, name)
        return kept.source or shown(name)
    if (folder / TASK_FILE).is_file():
        return kept_task(folder, "").source or ""
    chosen = find_task(task)
    return chosen.source or shown(chosen.name)


def shown(name: str) -> str:
    """Return the file of a task of the package."""
    return (files("wetread") / "tasks" / "shown" / f"{name}.toml").read_text(encoding="utf-8")
