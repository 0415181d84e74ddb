"""labels/table_bytes.py: a table's bytes, unpacked where it is a gzip, or a zip of one file."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path

from wetread.labels.table import LabelError

HEAD = 64 * 1024  # bytes that are looked at
UNPACKED = 1 << 30  # bytes that a packed table may unpack to
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
WORKBOOK = "[Content_Types].xml"  # a member of the zips that are workbooks
ODF = "mimetype"


def read_head(path: Path) -> tuple[bool, bytes]:
    """Read whether a file is packed, and its first bytes, unpacked."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(GZIP) or (head.startswith(ZIP) and not is_workbook(path)):
        return True, _unpack(path, HEAD)
    return False, head


def read_content(path: Path) -> bytes:
    """Read the whole file, unpacked where it is packed and has no more than UNPACKED bytes."""
    if not read_head(path)[0]:
        return path.read_bytes()
    content = _unpack(path, UNPACKED + 1)
    if len(content) > UNPACKED:
        raise LabelError(
            f"{path}: it unpacks to more than {UNPACKED >> 20} MiB; unpack it, if that is meant."
        )
    return content


def is_workbook(path: Path) -> bool:
    """Whether a zip is a workbook, or no whole zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool({WORKBOOK, ODF} & set(archive.namelist()))
    except (zipfile.BadZipFile, OSError):
        return True


def _unpack(path: Path, size: int) -> bytes:
    """Unpack so many bytes at most. LabelError where it is damaged, or a zip of several files."""
    try:
        if not zipfile.is_zipfile(path):
            with gzip.open(path, "rb") as file:
                return file.read(size)
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(path, archive)) as file:
            return file.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise LabelError(f"{path}: the gzip is damaged ({problem}); fetch it again.") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as problem:
        raise LabelError(f"{path}: the zip cannot be unpacked ({problem}); unpack it.") from None


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Find the one file of a zip."""
    members = [
        one
        for one in archive.infolist()
        if not one.is_dir() and not one.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        raise LabelError(
            f"{path}: a zip of {len(members)} files, where a table is expected; unpack it and name "
            "the one that is meant."
        )
    return members[0]
