"""cli/progress.py: progress on stderr: bars with the time left on a terminal, else a line a
minute."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from wetread.inputs.progress import Report

EVERY_S = 60.0  # seconds from one line to the next, where stderr is no terminal


@contextmanager
def bars() -> Iterator[Report]:
    """Open a Report that draws one bar a stage; where stderr is no terminal, one that writes a line
    a minute."""
    if not sys.stderr.isatty():
        with lines(sys.stderr) as report:
            yield report
        return
    with Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        known: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in known:
                known[stage] = progress.add_task(stage, total=total)
            progress.update(known[stage], completed=done, total=total)

        yield report


@contextmanager
def lines(stream: TextIO, every_s: float = EVERY_S) -> Iterator[Report]:
    """Open a Report of which the last call is written as a line ("train 1: 120 of 400") every so
    many seconds, whether it was called since or not."""
    last: tuple[str, int, int] | None = None
    ended = Event()

    def report(stage: str, done: int, total: int) -> None:
        nonlocal last
        last = stage, done, total

    def write() -> None:
        while not ended.wait(every_s):
            if last is not None:
                stage, done, total = last
                stream.write(f"{stage}: {done} of {total}\n")
                stream.flush()

    writer = Thread(target=write, name="progress", daemon=True)
    writer.start()
    try:
        yield report
    finally:
        ended.set()
        writer.join()
