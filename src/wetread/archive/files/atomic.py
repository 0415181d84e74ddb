"""archive/files/atomic.py: the one way to write a whole file, for every room.

A file is written under a name that no other process takes, synced to the disk, and renamed: whoever
reads it, also after a power failure, finds the old file or the new one and never a part.
"""

import errno
import glob
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import polars as pl

from wetread.archive.files.foreign_text import escape_formulas, format_bytes

PART_SUFFIX = ".part"  # ends the names of what is not whole
# A name that only this file gives.
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{32}\.part", re.DOTALL)
_observers: list[Callable[[Path], None]] = []  # called with each file, from whichever thread
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, content: bytes | memoryview, *, durable: bool = True) -> None:
    """Write content to path; durable: as `atomic_path` takes it.

    Raises OSError with the path, and of a full disk what was needed.
    """
    with atomic_path(path, needed=len(content), durable=durable) as part:
        part.write_bytes(content)


def write_output(path: Path, content: bytes) -> None:
    """Write a file that is a command's whole output, and remove what killed commands left of it.

    Raises FileExistsError where another command wrote it in the meantime.
    """
    write_whole(path, content)
    for left in path.parent.glob(f".{glob.escape(short_name(path))}.*{PART_SUFFIX}"):
        if _UNFINISHED.fullmatch(left.name):
            left.unlink(missing_ok=True)


def create_whole(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet, with the permissions `mode`; of several processes that do
    so the first one's content stands."""
    part = _unfinished_name(path, path.parent)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_path(
    path: Path, within: Path | None = None, needed: int | None = None, *, durable: bool = True
) -> Iterator[Path]:
    """Yield the name to write a file under; in the end it becomes path.

    within:  the folder of that name, on the same file system; None: path's own.
    needed:  bytes, where they are known, for the message of a full disk.
    durable: whether to wait for the disk; False only where the next run finds out by itself what a
             power failure left empty.
    """
    with explain_os_errors(path, needed):
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_devices(path)
        part = _unfinished_name(path, within or path.parent)
        try:
            yield part
            move_whole(part, path, durable=durable)
        finally:
            with suppress(OSError):  # where it could not be written, it is not there either
                part.unlink(missing_ok=True)


def _refuse_devices(path: Path) -> None:
    """Raise FileExistsError for a device or a pipe, which a rename would remove."""
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise FileExistsError(
                errno.ENOTSUP, "a device or a pipe, and a file is meant", str(path)
            )


def _unfinished_name(path: Path, folder: Path) -> Path:
    return folder / f".{short_name(path)}.{uuid4().hex}{PART_SUFFIX}"


def move_whole(part: Path, path: Path, *, durable: bool = True) -> None:
    """Rename a file that is written to path; durable: when the disk has it.

    Raises FileExistsError where another command took the file and wrote path itself.
    """
    if durable:
        with suppress(FileNotFoundError), part.open("rb+") as file:  # raised below
            os.fsync(file.fileno())
    for observer in list(_observers):
        observer(path)
    try:
        part.replace(path)
    except FileNotFoundError as error:
        if not part.parent.is_dir() or not path.is_file():
            raise
        message = "another command wrote it at the same time; run again"
        raise FileExistsError(errno.EEXIST, message, str(path)) from error


@contextmanager
def observe_writes(observer: Callable[[Path], None]) -> Iterator[None]:
    """Call observer with the path of every file that is written whole, before it is there, until
    the end."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)


@contextmanager
def explain_os_errors(path: Path, needed: int | None = None) -> Iterator[None]:
    """Give an OSError the file it is about; of a full disk also what was needed and what is free.

    needed: bytes, where they are known.
    """
    try:
        yield
    except OSError as error:
        number, named = error.errno, error.filename
        if named is not None and not str(named).endswith((PART_SUFFIX, ".tmp")):
            raise  # it names another file, or was named already
        if number is None and " requested and " in str(error):  # NumPy's words for a short write
            number = errno.ENOSPC
        if number is None:
            raise
        if number not in NO_ROOM:
            raise type(error)(number, os.strerror(number), str(path)) from error
        message = os.strerror(number)
        if needed is not None:
            message += f": {format_bytes(needed)} needed"
        if number != errno.EFBIG and (free := free_bytes(path)) is not None:
            message += f"{':' if needed is None else ','} {format_bytes(free)} free"
        raise OSError(number, message, str(path)) from error


def free_bytes(path: Path) -> int | None:
    """Count the bytes that may still be written where path lies, or will; None where not known."""
    for folder in (path, *path.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(folder).free
    return None


def short_name(path: Path) -> str:
    """Cut the file's name so that a prefix and suffix still fit a file system (255 bytes)."""
    return os.fsdecode(os.fsencode(path.name)[:180])


def clear_unfinished(folder: Path, is_held: Callable[[str], bool]) -> None:
    """Remove what killed commands left unfinished in a folder and below it, but in folders that
    another command holds (is_held)."""
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


def write_csv(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame as CSV: header, `\\n`, null as an empty cell, every digit kept, no formula."""
    write_whole(path, escape_formulas(frame).write_csv(null_value="").encode())
