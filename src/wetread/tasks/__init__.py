"""tasks: what can be learned and read, each one value. Nothing outside this room names one."""

from wetread.archive.errors import WetreadError
from wetread.tasks.embolism.task import EMBOLISM
from wetread.tasks.hemorrhage import HEMORRHAGE
from wetread.tasks.pneumothorax import PNEUMOTHORAX
from wetread.tasks.task import Task

TASKS = {task.name: task for task in (HEMORRHAGE, PNEUMOTHORAX, EMBOLISM)}


class UnknownTaskError(WetreadError, ValueError):
    """No task of that name."""


def find_task(name: str) -> Task:
    """Find the task of a name, the one place where a string becomes a task.

    Raises UnknownTaskError, which names the tasks there are.

    >>> find_task("pneumothorax").headline
    'pneumothorax'
    """
    if name not in TASKS:
        raise UnknownTaskError(f"no task {name!r}; there are: {', '.join(TASKS)}")
    return TASKS[name]


__all__ = ["TASKS", "Task", "UnknownTaskError", "find_task"]
