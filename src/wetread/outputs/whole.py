"""outputs/whole.py: a file that is there is whole. Written beside its place, then renamed."""

import os
from pathlib import Path

import polars as pl


def write_whole(path: Path, content: bytes) -> None:
    """Write content to path; a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_csv(path: Path, frame: pl.DataFrame) -> None:
    """A frame as CSV: header, `\\n`, null as an empty cell, every digit kept."""
    write_whole(path, frame.write_csv(null_value="").encode())
