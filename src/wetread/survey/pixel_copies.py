"""survey/pixel_copies.py: an Index's images -> which show the same pixels under other identifiers.

Exact copies have equal values, whatever their encoding. Similar images share their fine structure:
flipped, rotated, windowed to 8 bits, inverted, re-encoded or resized copies. Fingerprints of all
images are kept, 22 kB each, in a scratch file: to read each candidate again would decode most
slices of a thin series more than once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import Workers, parallel_map
from wetread.archive.files.scratch import scratch_folder
from wetread.archive.rejects import Reject, RejectError
from wetread.archive.types import Int64Array, Progress, Row
from wetread.study.series import with_frames
from wetread.study.slices import slice_from_row
from wetread.survey.fingerprint import (
    COARSE,
    FINE,
    GRAY,
    MASKED,
    Fingerprint,
    Int8Array,
    UInt16Array,
    fingerprint,
)
from wetread.survey.orientation import NAMES, TRANSPOSED
from wetread.survey.similar_pairs import ComparedImages, SimilarPair, similar_pairs

_IDENTITY: dict[str, pl.DataType] = {
    "SOPInstanceUID": pl.String(),
    "SeriesInstanceUID": pl.String(),
    "StudyInstanceUID": pl.String(),
    "path": pl.String(),
    "member": pl.String(),
    "frame": pl.Int64(),  # from 0; null where the file has one
}
EXACT_SCHEMA: dict[str, pl.DataType] = {
    "group": pl.Int64(),  # from 0: images of one number are equal
    "source": pl.String(),  # "images" or "others": which archive
    **_IDENTITY,
}
SIMILAR_SCHEMA: dict[str, pl.DataType] = {
    **{f"first_{name}": dtype for name, dtype in _IDENTITY.items()},
    **{f"second_{name}": dtype for name, dtype in _IDENTITY.items()},
    "how": pl.String(),  # what became of the first, as far as it is sure
    "correlation": pl.Float64(),  # of fine structure, -1 to 1; below 0 where one is inverted
}
_FORM = ("Rows", "Columns", "BitsStored", "PhotometricInterpretation", "RescaleSlope", "unit")
_SOURCES = ("images", "others")
# A copy of a copy's size masks as much as its original, within 0.9; a window masks more.
_WINDOWED = 0.9


@dataclass(frozen=True, eq=False)
class PixelCopies:
    """Images that show the same under different identifiers.

    exact:    EXACT_SCHEMA, by group.
    similar:  SIMILAR_SCHEMA, a row a pair; of exact copies the first stands for all.
    compared: how many images, and frames of images, were read, of all archives.
    rejects:  those that could not be read.
    """

    exact: pl.DataFrame
    similar: pl.DataFrame
    compared: int
    rejects: tuple[Reject, ...] = ()


def same_pixels(
    images: pl.DataFrame, workers: Workers = 1, progress: Progress | None = None
) -> PixelCopies:
    """Find copies among images by their pixels alone.

    images: rows of an Index, state "image"; files of several frames are taken frame by frame.
    progress: called with (images read, in all).
    """
    with scratch_folder() as folder:
        return _find_copies(_read_all([images], workers, folder, progress), across=False)


def same_pixels_across(
    images: pl.DataFrame,
    others: pl.DataFrame,
    workers: Workers = 1,
    progress: Progress | None = None,
) -> tuple[PixelCopies, PixelCopies]:
    """Find copies within the first of two archives, and copies of which one is in each, where one
    image in both, under one SOP Instance UID, counts too. Every image is read once.

    images, others: rows of their Indexes. progress: called with (images read, in all).
    """
    with scratch_folder() as folder:
        read = _read_all([images, others], workers, folder, progress)
        return _find_copies(read, across=False), _find_copies(read, across=True)


def _find_copies(read: _ReadImages, *, across: bool) -> PixelCopies:
    """Find copies among the images of the first archive, or across both."""
    groups = _equal_pixels(read, _SOURCES if across else _SOURCES[:1])
    first = _first_of_each(read, groups)
    pairs = similar_pairs(_compared(read, first), across=across)
    similar = [_similar_row(read, pair, first) for pair in pairs]
    return PixelCopies(
        exact=pl.DataFrame(_exact_rows(read, groups, across), EXACT_SCHEMA),
        similar=pl.DataFrame(similar, SIMILAR_SCHEMA),
        compared=len(read.rows),
        rejects=read.rejects,
    )


@dataclass(frozen=True, eq=False)
class _ReadImages:
    """Images that were read.

    rows:    with `source`, a place in _SOURCES, and `unit`.
    digests: one a row, None where all values are one.
    coarse, fine: (R, side, side) int8 residuals, one a row; gray: (R, GRAY, GRAY) uint16.
    """

    rows: list[Row]
    digests: list[bytes | None]
    coarse: Int8Array
    fine: Int8Array
    gray: UInt16Array
    rejects: tuple[Reject, ...]


def _read_all(
    tables: Sequence[pl.DataFrame], workers: Workers, folder: Path, progress: Progress | None
) -> _ReadImages:
    """Read the images of one or two archives, with residuals kept in files of a scratch folder."""
    listed = [with_frames(table.filter(pl.col("state") == "image")) for table in tables]
    rows: list[Row] = [
        {**row, "source": number}
        for number, table in enumerate(listed)
        for row in table.iter_rows(named=True)
    ]
    taken: list[Row] = []
    digests: list[bytes | None] = []
    rejects: list[Reject] = []
    coarse, fine, gray = (
        np.memmap(folder / str(side), dtype, "w+", shape=(max(1, len(rows)), side, side))
        for side, dtype in ((COARSE, np.int8), (FINE, np.int8), (GRAY, np.uint16))
    )
    answers = parallel_map(_read, rows, workers)
    for done, (row, answer) in enumerate(zip(rows, answers, strict=True), 1):
        if isinstance(answer, LostItem | RejectError):
            rejects.append(Reject(row["path"], row["member"], answer.reason, answer.detail))
        else:
            found, unit = answer
            place = len(taken)
            coarse[place], fine[place], gray[place] = found.coarse, found.fine, found.gray
            digests.append(found.digest)
            taken.append({**row, "unit": unit})
        if progress is not None:
            progress(done, len(rows))
    return _ReadImages(taken, digests, coarse, fine, gray, tuple(rejects))


def _read(row: Row) -> tuple[Fingerprint, str | None] | RejectError:
    """Read (fingerprint, unit) of one image or frame, in a process of its own."""
    try:
        slice_ = slice_from_row(row)
    except RejectError as reject:
        return reject
    return fingerprint(slice_.values()), slice_.unit


def _instance(row: Row) -> str:
    """Name an image by its SOP Instance UID, or by its file where it has none."""
    return row["SOPInstanceUID"] or f"{row['path']}\n{row['member'] or ''}"


def _equal_pixels(read: _ReadImages, sources: Sequence[str]) -> list[list[int]]:
    """Group the numbers of images of some sources by their pixels, constant images left out."""
    groups: dict[bytes, list[int]] = {}
    for number, (row, digest) in enumerate(zip(read.rows, read.digests, strict=True)):
        if digest is not None and row["source"] < len(sources):
            groups.setdefault(digest, []).append(number)
    return list(groups.values())


def _study(row: Row) -> str:
    """Name the study of an image, or what comes next to one."""
    return row["StudyInstanceUID"] or row["SeriesInstanceUID"] or _instance(row)


def _first_of_each(read: _ReadImages, groups: list[list[int]]) -> Int64Array:
    """List one image of each group, source and study, by number: others there are equal to it."""
    firsts = {
        (number, read.rows[k]["source"], _study(read.rows[k])): k
        for number, group in enumerate(groups)
        for k in reversed(group)
    }
    return np.array(sorted(firsts.values()), np.int64)


def _exact_rows(
    read: _ReadImages, groups: list[list[int]], across: bool
) -> list[dict[str, object]]:
    """Make rows of EXACT_SCHEMA of the groups that hold copies."""
    copied = [
        group
        for group in groups
        if len({read.rows[k]["source"] if across else _instance(read.rows[k]) for k in group}) > 1
    ]
    return [
        {"group": number, "source": _SOURCES[read.rows[k]["source"]]}
        | {name: read.rows[k][name] for name in _IDENTITY}
        for number, group in enumerate(copied)
        for k in group
    ]


def _compared(read: _ReadImages, first: Int64Array) -> ComparedImages:
    """Gather what similar pairs are found by, of the images `first` lists."""
    rows = [read.rows[k] for k in first]
    return ComparedImages(
        coarse=read.coarse,
        fine=read.fine,
        gray=read.gray,
        place=first,
        pixels=_codes(read.digests[k] for k in first),
        study=_codes(map(_study, rows)),
        form=_codes(repr([row[name] for name in _FORM]) for row in rows),
        instance=_codes(map(_instance, rows)),
        source=np.array([row["source"] for row in rows], np.int64),
    )


def _codes(names: Iterable[Hashable]) -> Int64Array:
    """Number names (N,): equal names, equal numbers."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def _similar_row(read: _ReadImages, pair: SimilarPair, first: Int64Array) -> dict[str, object]:
    """Make a row of SIMILAR_SCHEMA."""
    one, other = int(first[pair.first]), int(first[pair.second])
    return {
        **{f"first_{name}": read.rows[one][name] for name in _IDENTITY},
        **{f"second_{name}": read.rows[other][name] for name in _IDENTITY},
        "how": _how(read, one, other, pair),
        "correlation": pair.correlation,
    }


def _how(read: _ReadImages, one: int, other: int, pair: SimilarPair) -> str:
    """Say how the second image differs from the first, as far as it is sure."""
    shapes = [(read.rows[k]["Rows"], read.rows[k]["Columns"]) for k in (one, other)]
    if pair.turn >= TRANSPOSED:
        shapes[1] = shapes[1][::-1]
    shown = [float((read.fine[k] != MASKED).mean()) for k in (one, other)]
    found = [NAMES[pair.turn]] if pair.turn else []
    found += ["inverted"] if pair.correlation < 0 else []
    found += ["windowed"] if min(shown) < _WINDOWED * max(shown) else []
    found += ["resized"] if shapes[0] != shapes[1] else []
    return ", ".join(found) or "other values"
