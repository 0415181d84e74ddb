"""tasks: what can be learned and read, each one value. Nothing outside this room names one."""

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from wetread.archive.errors import WetreadError
from wetread.archive.files.atomic import write_whole
from wetread.archive.types import StrPath
from wetread.tasks.embolism.task import EMBOLISM
from wetread.tasks.hemorrhage import HEMORRHAGE
from wetread.tasks.own.build import build_task, read_task_file
from wetread.tasks.own.schema import TaskFileError
from wetread.tasks.pneumothorax import PNEUMOTHORAX
from wetread.tasks.task import Task

TASKS = {task.name: task for task in (HEMORRHAGE, PNEUMOTHORAX, EMBOLISM)}
TASK_FILE = "task.toml"  # of a run, and of readings: the task that it was given as a file


class UnknownTaskError(WetreadError, ValueError):
    """No task of that name."""


def find_task(name: StrPath) -> Task:
    """Find the task of a name, the package's or that of an entry point `wetread.tasks` of another
    package, or read that of a TOML file; the one place where a string becomes a task.

    Raises UnknownTaskError, which names the tasks there are, TaskFileError for a file that does not
    fit.

    >>> find_task("pneumothorax").headline
    'pneumothorax'
    """
    if Path(name).suffix == ".toml":
        return read_task_file(Path(name))
    if str(name) in TASKS:
        return TASKS[str(name)]
    installed = entry_points(group="wetread.tasks")
    if str(name) in installed.names:
        return _loaded(installed[str(name)])
    names = ", ".join((*TASKS, *sorted(installed.names)))
    raise UnknownTaskError(
        f"no task {str(name)!r}; there are: {names}; or give a task's file, whose name ends in "
        ".toml"
    )


def _loaded(entry: EntryPoint) -> Task:
    """Load the task of an entry point. UnknownTaskError where it gives none."""
    task = entry.load()
    if not isinstance(task, Task):
        raise UnknownTaskError(
            f"the entry point {entry.name} = {entry.value} gives {type(task).__name__}, no Task"
        )
    return task


def keep_task(folder: Path, task: Task) -> None:
    """Write the task that came as a file into a folder, so that no verb needs the file again."""
    if task.source is not None:
        write_whole(folder / TASK_FILE, task.source.encode())


def kept_task(folder: Path, name: str) -> Task:
    """Return the task of a run's folder, or of readings: that of its own file, where it was given
    as one; else the package's of that name."""
    file = folder / TASK_FILE
    return read_task_file(file) if file.is_file() else find_task(name)


__all__ = [
    "TASKS",
    "TASK_FILE",
    "Task",
    "TaskFileError",
    "UnknownTaskError",
    "build_task",
    "find_task",
    "keep_task",
    "kept_task",
]
