"""outputs/uid_names.py: where an exported file lies: named by UIDs, safe on any file system."""

import hashlib
import re
from pathlib import PurePosixPath

from wetread.archive.types import Row

LONGEST = 64  # what a UID may have (PS3.5 9.1)
_ODD = re.compile(r"[^A-Za-z0-9._-]|^[.-]")


def slice_name(row: Row, ending: str) -> PurePosixPath:
    """Return STUDY/SERIES/INSTANCE + ending; a frame is counted from 1, as in DICOM: .frame-0001.

    row: of the index. What has no UID is named after a digest of where its file lies.
    """
    frame = row.get("frame")
    stem = safe_name(row["SOPInstanceUID"] or f"file-{_digest(row)}")
    if frame is not None:
        stem += f".frame-{frame + 1:04d}"
    return PurePosixPath(*_folders(row), stem + ending)


def stack_name(
    row: Row, number: int, stacks: int, ending: str, acquisition: str = ""
) -> PurePosixPath:
    """Return STUDY/SERIES + ending; with several stacks SERIES.stack-1, the largest, and on.

    row: any of the stack. acquisition: its name, as `phase 40 %`: SERIES.stack-1.phase-40.
    """
    study, series = _folders(row)
    words = re.sub("[^a-z0-9.]+", "-", acquisition.lower()).strip("-.")[:LONGEST]
    which = f".stack-{number + 1}" + (f".{words}" if words else "")
    return PurePosixPath(study, series + (which if stacks > 1 else "") + ending)


def safe_name(uid: str) -> str:
    """Return the UID itself where it is a plain name; else a plain one that no other UID has."""
    if len(uid) <= LONGEST and uid not in ("", ".", "..") and not _ODD.search(uid):
        return uid
    digest = hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{_ODD.sub('_', uid)[: LONGEST - 17]}-{digest}"


def _folders(row: Row) -> tuple[str, str]:
    study, series = row["StudyInstanceUID"], row["SeriesInstanceUID"]
    alone = series or row["SOPInstanceUID"] or f"file-{_digest(row)}"
    return safe_name(study or "no-study"), safe_name(alone)


def _digest(row: Row) -> str:
    where = f"{row['path']}\n{row['member'] or ''}"
    return hashlib.sha256(where.encode("utf-8", "surrogatepass")).hexdigest()[:16]
