"""inputs/progress.py: how a long verb says where it is: a stage, what is done, what there is."""

from collections.abc import Callable
from functools import partial

from wetread.archive.types import Progress

Report = Callable[[str, int, int], None]  # stage, done, total


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


def stage(report: Report, name: str) -> Progress:
    """Bind a report to a stage: the (done, total) callback that the rooms take."""
    return partial(report, name)
