"""archive/files/lock.py: one command at a time writes an output.

The lock is the kernel's, on the output's folder itself: it ends with the process that holds it,
however that ends, and nothing lies on disk for it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import ParamSpec, TypeVar

from wetread.archive.errors import WetreadError
from wetread.archive.files.atomic import clear_unfinished

try:
    import fcntl
except ImportError:  # no POSIX: nothing is locked
    fcntl = None  # type: ignore[assignment]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
LEASE = ".lease"  # the file of a lease (lease.py)
PATIENCE_S = 0.3  # for a command that only asks whether the folder is locked
_locked_here: ContextVar[frozenset[str]] = ContextVar("_ours", default=frozenset())


class BusyError(WetreadError):
    """Another command writes the same output at this moment."""


@contextmanager
def locked(folder: Path, output: Path | None = None) -> Iterator[None]:
    """Hold folder, made where it is not there, until the end; a folder left empty goes again.

    output: what the words of BusyError name, where it is not the folder. Whoever holds a folder
    may call what holds it too. What a killed command left unfinished in the folder is removed, but
    where another machine may be at work in a folder of it.
    """
    made = make_folders(folder)
    try:
        name = os.path.realpath(folder)
        if fcntl is None or name in _locked_here.get():
            yield
            return
        handle = _lock_handle(folder, output or folder)
        token = _locked_here.set(_locked_here.get() | {name})
        try:
            if not any(folder.glob(f"*/{LEASE}")):
                clear_unfinished(folder, is_locked)
            yield
        finally:
            with contextlib.suppress(ValueError):  # closed in another context: a generator's end
                _locked_here.reset(token)
            os.close(handle)
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # it holds something now
                path.rmdir()


def exclusive_output(
    word: str = "out",
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Let a verb hold the folder that is its argument `word` while it works."""

    def wrap(verb: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        signature = inspect.signature(verb)

        @functools.wraps(verb)
        def alone(*args: Arguments.args, **words: Arguments.kwargs) -> Result:
            with locked(Path(signature.bind(*args, **words).arguments[word])):
                return verb(*args, **words)

        return alone

    return wrap


def make_folders(folder: Path) -> list[Path]:
    """Make the folder; list it and its parents that were not there, the deepest first."""
    lacking = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return lacking


def _lock_handle(folder: Path, output: Path) -> int:
    """Open and lock the folder. Raises BusyError where another command holds it."""
    until = time.monotonic() + PATIENCE_S
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = _lock_holder(handle)
            os.close(handle)
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            raise busy(output, who) from error
        except OSError:  # a file system without locks
            return handle
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), os.stat(folder)):
                return handle
        os.close(handle)  # removed by who held it before


def busy(output: Path, who: str) -> BusyError:
    """Return the error of an output that another command writes; who: its process, "" if
    unknown."""
    named = f" ({who})" if who else ""
    return BusyError(
        f"{output}: another wetread command{named} writes there now; wait until it has ended, or "
        "give another output"
    )


def is_locked(folder: str) -> bool:
    """Whether another process, or another thread of this one, holds a folder."""
    if fcntl is None:
        return False
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _lock_holder(handle: int) -> str:
    """Name the process that holds the lock, `process 123`, where the system knows it."""
    about = os.fstat(handle)
    place = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
    with contextlib.suppress(OSError), open("/proc/locks") as locks:
        for line in locks:
            parts = line.split()
            if "FLOCK" in parts and place in parts:
                return f"process {parts[parts.index(place) - 1]}"
    return ""
