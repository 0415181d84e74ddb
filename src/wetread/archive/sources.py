"""archive/sources.py: what lies in folders, zips and tars, and how its bytes are read.

A zip or tar is read as it lies and never unpacked to disk. What is no regular file is not opened.
"""

import errno
import os
import stat
import tarfile
import threading
import weakref
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import IO, Any, NamedTuple

from wetread.archive.rejects import Reject, RejectError

ReadAt = Callable[[int, int], bytes]  # (offset, length) -> at most length bytes

ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_CONTAINERS = ZIP_SUFFIXES + TAR_SUFFIXES
_TAR_LOCK = threading.Lock()
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
# Bytes of a name that are not UTF-8 travel as private-use characters: any name fits a table.
_TO_TEXT = {0xDC00 + byte: 0xF700 + byte for byte in range(0x80, 0x100)}
_TO_NAME = {private: surrogate for surrogate, private in _TO_TEXT.items()}


class Entry(NamedTuple):
    """One file, or one member of a zip or tar, with the marks that change when it changes."""

    path: str
    member: str | None
    size: int
    mtime_ns: int | None
    crc: int | None


def list_entries(
    sources: Sequence[Path], leave_out: frozenset[str] = frozenset()
) -> Iterator[Entry | Reject]:
    """Every file below the sources once, members in place of their zip or tar.

    sources:   folders and files; one that does not exist raises FileNotFoundError.
    leave_out: absolute paths that are not looked at (the index's own files).
    """
    seen_files: set[str] = set()
    seen_folders: set[str] = set()
    links: list[str] = []
    for source in sources:
        top = os.path.abspath(source)
        if not os.path.lexists(top):
            raise FileNotFoundError(
                f"{source}: no such file or folder; name folders, zips or DICOM files that exist"
            )
        links.append(top)
    while links:  # linked folders wait until the real ones are read, so that each is read once
        top = links.pop(0)
        for found in _walk(top, seen_folders, links, leave_out):
            if found.path in seen_files:
                continue
            seen_files.add(found.path)
            if isinstance(found, Entry) and found.path.lower().endswith(_CONTAINERS):
                yield from list_members(found)
            else:
                yield found


def _walk(
    top: str, seen_folders: set[str], links: list[str], leave_out: frozenset[str]
) -> Iterator[Entry | Reject]:
    pending = [top]
    while pending:
        path = pending.pop()
        if path in leave_out:
            continue
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                status = os.stat(path)
                if stat.S_ISDIR(status.st_mode) and path != top:
                    links.append(path)
                    continue
        except OSError as error:
            yield _refused(path, error)
            continue
        if stat.S_ISREG(status.st_mode):
            yield Entry(as_text(path), None, status.st_size, status.st_mtime_ns, None)
        elif stat.S_ISDIR(status.st_mode):
            real = os.path.realpath(path)
            if real in seen_folders:
                if os.path.islink(path):
                    detail = f"a link to {as_text(real)}, which is read under that name"
                    yield Reject(as_text(path), None, "link_loop", detail)
                continue
            seen_folders.add(real)
            try:
                with os.scandir(path) as inside:
                    items = sorted(inside, key=attrgetter("name"), reverse=True)
            except OSError as error:
                yield _refused(path, error)
                continue
            for item in items:
                plain = _plain_file(item)
                if plain is None or item.path in leave_out:
                    pending.append(item.path)
                else:
                    yield plain
        else:
            detail = f"a {_kind(status.st_mode)}; only files, folders, zips and tars are read"
            yield Reject(as_text(path), None, "not_file", detail)


def _plain_file(item: os.DirEntry[str]) -> Entry | None:
    """A regular file of a folder; None for what needs a second look."""
    try:
        if not item.is_file(follow_symlinks=False):
            return None
        status = item.stat(follow_symlinks=False)
    except OSError:
        return None
    return Entry(as_text(item.path), None, status.st_size, status.st_mtime_ns, None)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "FIFO"), (stat.S_ISSOCK, "socket"), (stat.S_ISBLK, "block device"))
    return next((name for test, name in kinds if test(mode)), "device")


def _refused(path: str, error: OSError) -> Reject:
    if error.errno == errno.ELOOP:
        return Reject(as_text(path), None, "link_loop", "a link that leads back to itself")
    if error.errno == errno.ENOENT and os.path.islink(path):
        target = as_text(os.readlink(path))
        return Reject(as_text(path), None, "dangling_link", f"a link to {target}, not there")
    return Reject(as_text(path), None, "io_error", error.strerror or type(error).__name__)


def list_members(entry: Entry) -> Iterator[Entry | Reject]:
    """The members of the zip or tar that lies at entry; the whole of it as one reject if broken."""
    try:
        if zipfile.is_zipfile(as_name(entry.path)):
            found = _zip_entries(entry)
        elif entry.path.lower().endswith(ZIP_SUFFIXES):
            raise zipfile.BadZipFile("the end of the zip is missing or damaged")
        else:
            found = _tar_entries(entry)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        reason = "empty" if entry.size == 0 else "io_error"
        yield Reject(entry.path, None, reason, f"not a readable archive: {error}")
        return
    yield from found


def _zip_entries(entry: Entry) -> list[Entry | Reject]:
    found: list[Entry | Reject] = []
    for member, info in _zip_members(entry.path, entry.mtime_ns or 0, os.getpid())[1].items():
        if info.flag_bits & 1:
            detail = "encrypted member; unpack the zip with its password first"
            found.append(Reject(entry.path, member, "io_error", detail))
        else:
            found.append(Entry(entry.path, member, info.file_size, None, info.CRC))
    return found


def _tar_entries(entry: Entry) -> list[Entry | Reject]:
    found: list[Entry | Reject] = []
    for member, info in _tar_members(entry.path, entry.mtime_ns or 0, os.getpid())[1].items():
        if info.isreg():
            found.append(Entry(entry.path, member, info.size, entry.mtime_ns, None))
        else:
            detail = "a link or device inside a tar"
            found.append(Reject(entry.path, member, "not_file", detail))
    return found


@lru_cache(maxsize=2)
def _zip_members(
    path: str, mtime_ns: int, process: int
) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """The open zip and its files by name; a name that comes twice gets `#2`.

    process: os.getpid(): a forked process must not share an open file's place.
    """
    opened = zipfile.ZipFile(as_name(path))
    members: dict[str, zipfile.ZipInfo] = {}
    for info in opened.infolist():
        if not info.is_dir():
            members[_fresh(as_text(info.filename), members)] = info
    return opened, members


@lru_cache(maxsize=2)
def _tar_members(
    path: str, mtime_ns: int, process: int
) -> tuple[tarfile.TarFile, dict[str, tarfile.TarInfo], bool]:
    """The open tar, its files by name, and whether they lie in it uncompressed."""
    try:
        opened, plain = tarfile.open(as_name(path), "r:"), True  # noqa: SIM115 (kept by the cache)
    except tarfile.TarError:
        opened, plain = tarfile.open(as_name(path), "r:*"), False  # noqa: SIM115
    if opened.fileobj is not None:
        weakref.finalize(opened, opened.fileobj.close)
    members: dict[str, tarfile.TarInfo] = {}
    for info in opened.getmembers():
        if not info.isdir():
            members[_fresh(as_text(info.name), members)] = info
    return opened, members, plain


@lru_cache(maxsize=8)
def _is_zip(path: str, mtime_ns: int) -> bool:
    return zipfile.is_zipfile(as_name(path))


def _fresh(name: str, taken: dict[str, Any]) -> str:
    count, fresh = 1, name
    while fresh in taken:
        count += 1
        fresh = f"{name}#{count}"
    return fresh


def opened(path: str, member: str | None) -> AbstractContextManager[tuple[ReadAt, int]]:
    """(read_at, size in bytes) of a file or member; what goes wrong is the reject `io_error`."""
    return _File(path) if member is None else _opened_member(path, member)


class _File:
    """A regular file, open for as long as it is read; plain, because every file goes through it."""

    __slots__ = ("_handle", "_path")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> tuple[ReadAt, int]:
        try:
            handle = self._handle = os.open(as_name(self._path), _OPEN_FLAGS)
            status = os.fstat(handle)
        except OSError as error:
            raise _unreadable(error) from error
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise RejectError("not_file", f"a {_kind(status.st_mode)}")
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
        if _is_zip(path, mtime_ns := os.stat(as_name(path)).st_mtime_ns):
            container, members = _zip_members(path, mtime_ns, os.getpid())
            info = _found(members, member)
            with container.open(info) as stream:
                yield lambda offset, length: _read_stream(stream, offset, length), info.file_size
        else:
            tar, tar_members, plain = _tar_members(path, mtime_ns, os.getpid())
            with _open_tar_member(path, tar, _found(tar_members, member), plain) as found:
                yield found
    except (OSError, EOFError, NotImplementedError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise _unreadable(error) from error
    except RuntimeError as error:  # what zipfile raises for a password
        if not isinstance(error, RecursionError):
            raise RejectError("io_error", f"cannot be read: {error}") from error
        raise


@contextmanager
def _open_file(path: str) -> Iterator[int]:
    """The descriptor of a regular file."""
    handle = os.open(as_name(path), _OPEN_FLAGS)
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise RejectError("not_file", f"a {_kind(mode)}")
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


def _found(members: dict[str, Any], member: str) -> Any:
    if member not in members:
        raise RejectError("io_error", "the archive has no such member any more")
    return members[member]


def _read_stream(stream: IO[bytes], offset: int, length: int) -> bytes:
    if stream.tell() != offset:
        stream.seek(offset)
    return stream.read(length)


def as_text(name: str) -> str:
    """A file name as a table can hold it; bytes that are no UTF-8 become U+F780 to U+F7FF."""
    return name if name.isascii() else name.translate(_TO_TEXT)


def as_name(text: str) -> str:
    """The file name that `as_text` made the text from."""
    if text.isascii() or os.path.lexists(text):
        return text
    return text.translate(_TO_NAME)
