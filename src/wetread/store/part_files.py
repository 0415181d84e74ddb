"""store/part_files.py: the files of a store, read at random by any number of threads.

They are read, not mapped into memory: what is read through a map stays in the process' resident
set, so that an epoch over a store would come to hold all of it, and its pages come one fault after
the other.
"""

from __future__ import annotations

import os
import resource
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from wetread.archive.types import Span

OPEN_SHARE = 0.25  # of the files that the system lets a process open


class PartFiles:
    """Files by their number. They stay open, unless they are so many that other files could not be
    opened: then each is opened for every read."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        few = allowed == resource.RLIM_INFINITY or len(paths) <= allowed * OPEN_SHARE
        self._open = tuple(os.open(path, os.O_RDONLY) for path in self._paths) if few else ()
        weakref.finalize(self, _close, self._open)

    def read(self, part: int, span: Span) -> bytes:
        """Read (first byte, bytes) of a file: all that there are, where it is shorter."""
        start, length = span
        with self._descriptor(part) as file:
            return os.pread(file, length, start)

    def expect(self, spans: Iterable[tuple[int, Span]]) -> None:
        """Tell the system what will be read, (number of the file, span): a disk then brings it side
        by side."""
        if not self._open or not hasattr(os, "posix_fadvise"):
            return
        for part, (start, length) in spans:
            os.posix_fadvise(self._open[part], start, length, os.POSIX_FADV_WILLNEED)

    @contextmanager
    def _descriptor(self, part: int) -> Iterator[int]:
        if self._open:
            yield self._open[part]
            return
        file = os.open(self._paths[part], os.O_RDONLY)
        try:
            yield file
        finally:
            os.close(file)


def _close(files: Sequence[int]) -> None:
    for file in files:
        os.close(file)
