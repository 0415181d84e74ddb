"""archive/containers/sources.py: every file of folders, zips and tars, once."""

import errno
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from wetread.archive.containers.contents import (
    is_zip,
    name_to_text,
    special_file_kind,
    tar_members,
    zip_members,
)
from wetread.archive.rejects import Reject

ZIP_SUFFIXES = (".zip",)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_CONTAINERS = ZIP_SUFFIXES + TAR_SUFFIXES


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
    """List every file below the sources once, members in place of their zip or tar.

    sources:   folders and files; one that does not exist raises FileNotFoundError.
    leave_out: absolute paths that are not listed (the index's own files).
    """
    listed_files: set[str] = set()
    walked_folders: set[str] = set()
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
        for found in _walk(top, walked_folders, links, leave_out):
            if found.path in listed_files:
                continue
            listed_files.add(found.path)
            if isinstance(found, Entry) and found.path.lower().endswith(_CONTAINERS):
                yield from list_members(found)
            else:
                yield found


def _walk(
    top: str, walked_folders: set[str], links: list[str], leave_out: frozenset[str]
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
            yield Entry(name_to_text(path), None, status.st_size, status.st_mtime_ns, None)
        elif stat.S_ISDIR(status.st_mode):
            real = os.path.realpath(path)
            if real in walked_folders:
                if os.path.islink(path):
                    detail = f"a link to {name_to_text(real)}, which is read under that name"
                    yield Reject(name_to_text(path), None, "link_loop", detail)
                continue
            walked_folders.add(real)
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
            kind = special_file_kind(status.st_mode)
            detail = f"a {kind}; only files, folders, zips and tars are read"
            yield Reject(name_to_text(path), None, "not_file", detail)


def _plain_file(item: os.DirEntry[str]) -> Entry | None:
    """List a regular file of a folder; None for an entry that needs its own status."""
    try:
        if not item.is_file(follow_symlinks=False):
            return None
        status = item.stat(follow_symlinks=False)
    except OSError:
        return None
    return Entry(name_to_text(item.path), None, status.st_size, status.st_mtime_ns, None)


def _refused(path: str, error: OSError) -> Reject:
    if error.errno == errno.ELOOP:
        return Reject(name_to_text(path), None, "link_loop", "a link that leads back to itself")
    if error.errno == errno.ENOENT and os.path.islink(path):
        target = name_to_text(os.readlink(path))
        return Reject(name_to_text(path), None, "dangling_link", f"a link to {target}, not there")
    return Reject(name_to_text(path), None, "io_error", error.strerror or type(error).__name__)


def list_members(entry: Entry) -> Iterator[Entry | Reject]:
    """List the members of the zip or tar at entry; a broken one as one reject."""
    try:
        if is_zip(entry.path):
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
    for member, info in zip_members(entry.path, entry.mtime_ns or 0, os.getpid())[1].items():
        if info.flag_bits & 1:
            detail = "encrypted member; unpack the zip with its password first"
            found.append(Reject(entry.path, member, "io_error", detail))
        elif stat.S_ISLNK(info.external_attr >> 16):
            found.append(Reject(entry.path, member, "not_file", "a link inside a zip"))
        else:
            found.append(Entry(entry.path, member, info.file_size, None, info.CRC))
    return found


def _tar_entries(entry: Entry) -> list[Entry | Reject]:
    found: list[Entry | Reject] = []
    for member, info in tar_members(entry.path, entry.mtime_ns or 0, os.getpid())[1].items():
        if info.isreg():
            found.append(Entry(entry.path, member, info.size, entry.mtime_ns, None))
        else:
            detail = "a link or device inside a tar"
            found.append(Reject(entry.path, member, "not_file", detail))
    return found
