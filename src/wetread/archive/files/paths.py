"""archive/files/paths.py: paths as callers give them, one or several, become a tuple of Path."""

from __future__ import annotations

import os
from pathlib import Path

from wetread.archive.types import StrPath, StrPaths


def as_paths(paths: StrPaths) -> tuple[Path, ...]:
    """Return one path, or several, as a tuple of `Path`, in their order.

    >>> [path.name for path in as_paths("archive.zip")]
    ['archive.zip']
    >>> [path.name for path in as_paths(["first", Path("second")])]
    ['first', 'second']
    """
    if isinstance(paths, str | os.PathLike):
        return (Path(paths),)
    return tuple(map(Path, paths))


def as_path_or_none(path: StrPath | None) -> Path | None:
    """Return a path as `Path`; None stays None."""
    return None if path is None else Path(path)
