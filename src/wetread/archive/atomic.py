"""archive/atomic.py: a file that is there is whole. Written beside its place, then renamed."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import polars as pl

PART = ".part"  # ends the names of what is not whole
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}\.part", re.DOTALL)  # a name that only `beside` gives


def write_whole(path: Path, content: bytes) -> None:
    """Write content to path; a reader sees the old file or the new one, never a part."""
    with beside(path) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def beside(path: Path, within: Path | None = None) -> Iterator[Path]:
    """A name for whoever writes a file by name; what lies there in the end becomes path.

    within: a folder on the same file system; None: path's own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = (within or path.parent) / f".{path.name}.{uuid4().hex}{PART}"
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def clear_unfinished(folder: Path, is_held: Callable[[str], bool]) -> None:
    """Remove what killed commands left unfinished in a folder and below it; nobody else writes
    there now, but in folders of which is_held says so."""
    pending = [os.fspath(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as inside:
                entries = list(inside)
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not is_held(entry.path):
                    pending.append(entry.path)
            elif _UNFINISHED.fullmatch(entry.name):
                Path(entry.path).unlink(missing_ok=True)


def clear_unfinished_of(path: Path) -> None:
    """The same for one file, which is written beside its place."""
    for left in path.parent.iterdir() if path.parent.is_dir() else ():
        if left.name.startswith(f".{path.name}.") and _UNFINISHED.fullmatch(left.name):
            left.unlink(missing_ok=True)


def write_csv(path: Path, frame: pl.DataFrame) -> None:
    """A frame as CSV: header, `\\n`, null as an empty cell, every digit kept."""
    write_whole(path, frame.write_csv(null_value="").encode())
