"""archive/atomic.py: a file that is there is whole. Written beside its place, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import polars as pl

PART = ".part"  # ends the names of what is not whole


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


def write_csv(path: Path, frame: pl.DataFrame) -> None:
    """A frame as CSV: header, `\\n`, null as an empty cell, every digit kept."""
    write_whole(path, frame.write_csv(null_value="").encode())
