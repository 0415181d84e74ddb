"""archive/containers/contents.py: the bytes of a file, or of a member of a zip or tar.

A zip or tar is read as it lies and never unpacked to disk. What is no regular file is not opened.
"""

import os
import stat
import tarfile
import threading
import weakref
import zipfile
from collections.abc import Container, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import IO, TypeVar

from wetread.archive.rejects import RejectError
from wetread.archive.types import ReadAt

Info = TypeVar("Info", zipfile.ZipInfo, tarfile.TarInfo)
_TAR_LOCK = threading.Lock()
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
# Bytes of a name that are not UTF-8 travel as private-use characters: any name fits a table.
_TO_TEXT = {0xDC00 + byte: 0xF700 + byte for byte in range(0x80, 0x100)}
_TO_NAME = {private: surrogate for surrogate, private in _TO_TEXT.items()}


def open_contents(path: str, member: str | None) -> AbstractContextManager[tuple[ReadAt, int]]:
    """Open a file, or a member of a zip or tar: (read_at, size in bytes).

    Raises RejectError `io_error` or `not_file` where it cannot be read.
    """
    return _File(path) if member is None else _opened_member(path, member)


class _File:
    """A regular file, open for as long as it is read; plain, because every file goes through it."""

    __slots__ = ("_handle", "_path")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> tuple[ReadAt, int]:
        try:
            handle = self._handle = os.open(text_to_name(self._path), _OPEN_FLAGS)
            status = os.fstat(handle)
        except OSError as error:
            raise _unreadable(error) from error
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise RejectError("not_file", f"a {special_file_kind(status.st_mode)}")
        return lambda offset, length: os.pread(handle, length, offset), status.st_size

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        os.close(self._handle)
        if isinstance(error, OSError | EOFError | NotImplementedError):
            raise _unreadable(error) from error


def _unreadable(error: Exception) -> RejectError:
    what = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return RejectError("io_error", f"cannot be read: {what}")


@contextmanager
def _opened_member(path: str, member: str) -> Iterator[tuple[ReadAt, int]]:
    try:
        if _is_zip(path, mtime_ns := os.stat(text_to_name(path)).st_mtime_ns):
            container, members = zip_members(path, mtime_ns, os.getpid())
            info = _find_member(members, member)
            with container.open(info) as stream:
                yield lambda offset, length: _read_stream(stream, offset, length), info.file_size
        else:
            tar, inside, plain = tar_members(path, mtime_ns, os.getpid())
            with _open_tar_member(path, tar, _find_member(inside, member), plain) as found:
                yield found
    except (OSError, EOFError, NotImplementedError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise _unreadable(error) from error
    except RuntimeError as error:  # what zipfile raises for a password
        if not isinstance(error, RecursionError):
            raise RejectError("io_error", f"cannot be read: {error}") from error
        raise


@contextmanager
def _open_file(path: str) -> Iterator[int]:
    """Open a regular file: its descriptor."""
    handle = os.open(text_to_name(path), _OPEN_FLAGS)
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise RejectError("not_file", f"a {special_file_kind(mode)}")
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _open_tar_member(
    path: str, tar: tarfile.TarFile, info: tarfile.TarInfo, plain: bool
) -> Iterator[tuple[ReadAt, int]]:
    start, size = info.offset_data, info.size
    if plain and not info.issparse():
        with _open_file(path) as handle:
            yield (
                lambda at, length: os.pread(handle, max(min(length, size - at), 0), start + at),
                size,
            )
        return
    with _TAR_LOCK:  # its members share one place in the compressed stream
        stream = tar.extractfile(info)
        data = b"" if stream is None else stream.read()
    yield lambda at, length: data[at : at + length], len(data)


def _find_member(members: Mapping[str, Info], member: str) -> Info:
    if member not in members:
        raise RejectError("io_error", "the archive has no such member any more")
    return members[member]


def _read_stream(stream: IO[bytes], offset: int, length: int) -> bytes:
    if stream.tell() != offset:
        stream.seek(offset)
    return stream.read(length)


@lru_cache(maxsize=2)
def zip_members(
    path: str, mtime_ns: int, process: int
) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """Open a zip and list its files by name; a name that comes twice gets `#2`.

    process: os.getpid(): a forked process must not share an open file's place.
    """
    container = zipfile.ZipFile(text_to_name(path))
    entries = container.infolist()
    if entries and _begins_as_zip(path) and all(info.header_offset for info in entries):
        container.close()
        raise zipfile.BadZipFile("its end is missing; what is left is that of a zip inside it")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in entries:
        if not _is_folder(info):
            members[_unique_name(name_to_text(info.filename), members)] = info
    return container, members


def _is_folder(info: zipfile.ZipInfo) -> bool:
    """Whether an entry of a zip is a folder; Windows ends its name with a backslash, or says so in
    its attributes alone."""
    flagged = bool(info.external_attr & 0x10) or stat.S_ISDIR(info.external_attr >> 16)
    return info.is_dir() or info.filename.endswith("\\") or (flagged and not info.file_size)


def is_zip(path: str) -> bool:
    """Whether a file is a zip; a tar that ends with a zip inside it is none."""
    if not zipfile.is_zipfile(text_to_name(path)):
        return False
    return path.lower().endswith(".zip") or _begins_as_zip(path)


def _begins_as_zip(path: str) -> bool:
    with open(text_to_name(path), "rb") as file:
        return file.read(2) == b"PK"


@lru_cache(maxsize=2)
def tar_members(
    path: str, mtime_ns: int, process: int
) -> tuple[tarfile.TarFile, dict[str, tarfile.TarInfo], bool]:
    """Open a tar and list its files by name; also whether they lie in it uncompressed."""
    try:
        container, plain = tarfile.open(text_to_name(path), "r:"), True  # noqa: SIM115 (kept by the cache)
    except tarfile.TarError:
        container, plain = tarfile.open(text_to_name(path), "r:*"), False  # noqa: SIM115
    if container.fileobj is not None:
        weakref.finalize(container, container.fileobj.close)
    members: dict[str, tarfile.TarInfo] = {}
    for info in container.getmembers():
        if not info.isdir():
            members[_unique_name(name_to_text(info.name), members)] = info
    return container, members, plain


@lru_cache(maxsize=8)
def _is_zip(path: str, mtime_ns: int) -> bool:
    return is_zip(path)


def _unique_name(name: str, taken: Container[str]) -> str:
    count, fresh = 1, name
    while fresh in taken:
        count += 1
        fresh = f"{name}#{count}"
    return fresh


def special_file_kind(mode: int) -> str:
    """Name the kind of a mode of os.stat that is no file, folder or link."""
    kinds = ((stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"), (stat.S_ISBLK, "block device"))
    return next((name for test, name in kinds if test(mode)), "device")


def name_to_text(name: str) -> str:
    """Make a file name text for a table; bytes that are no UTF-8 become U+F780 to U+F7FF."""
    return name if name.isascii() else name.translate(_TO_TEXT)


def text_to_name(text: str) -> str:
    """Return the file name that `name_to_text` made the text from."""
    if text.isascii() or os.path.lexists(text):
        return text
    return text.translate(_TO_NAME)
