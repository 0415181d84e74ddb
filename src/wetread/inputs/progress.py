"""inputs/progress.py: how a long verb says where it is: a stage, what is done, what there is."""

from collections.abc import Callable
from functools import partial

Report = Callable[[str, int, int], None]  # stage, done, total


def silent(stage: str, done: int, total: int) -> None:
    """Says nothing."""


def stage(report: Report, name: str) -> Callable[[int, int], None]:
    """The (done, total) callback that the rooms take, under a stage's name."""
    return partial(report, name)
