"""phantoms/dicom/archive.py: the one writer of phantom archives: whole, resumed, in parallel.

A study is decided by (seed, its number) alone, so neither the number of workers nor an interruption
changes a byte; a study that is whole on disk is not written again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import polars as pl

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import parallel_map
from wetread.archive.files.atomic import write_whole
from wetread.archive.files.json_file import read_json
from wetread.archive.files.table_file import read_csv
from wetread.archive.types import Progress, Row
from wetread.phantoms.random_streams import Stream, generator


@dataclass(frozen=True)
class ArchiveSettings:
    """Settings that decide an archive's content; kept in its folder as phantom.json.

    positives: share of the studies with a finding, None for the usual one.
    """

    seed: int
    difficulty: float
    size: int
    positives: float | None = None


@dataclass(frozen=True)
class StudyRequest:
    """One study to be made: its number, its patient's number, and the archive's settings."""

    number: int
    patient: int
    settings: ArchiveSettings

    def body_generator(self) -> np.random.Generator:
        """Make the generator of the patient's body; equal in all studies of one patient."""
        return generator(self.settings.seed, Stream.BODY, self.patient)

    def study_generator(self, stream: Stream = Stream.STUDY) -> np.random.Generator:
        """Make the generator of one of the study's own streams."""
        return generator(self.settings.seed, stream, self.number)


class PhantomImage(NamedTuple):
    """One image of a study: its row of truth, and the bytes of its DICOM file."""

    row: Row
    content: bytes


@dataclass(frozen=True)
class ArchiveKind:
    """All that one kind of archive differs in from another.

    images:       the folder of DICOM files below the archive; labels: the label file.
    image_file:   path of an image below `images`, with the names of its row in braces.
    schema:       of truth.csv, one row an image; has image and study_number.
    make_images:  a request -> the images of the study, in the order of their rows.
    make_tables:  truth -> the tables to write beside it, by file name; the label file is one.
    repeat_share: share of the studies that belong to the patient of the study before.
    """

    images: str
    labels: str
    image_file: str
    schema: dict[str, pl.DataType]
    make_images: Callable[[StudyRequest], Iterable[PhantomImage]]
    make_tables: Callable[[pl.DataFrame], dict[str, pl.DataFrame]]
    repeat_share: float

    def path_of(self, out: Path, row: Row) -> Path:
        """Give the file of an image's row of truth in the archive at out."""
        return out / self.images / self.image_file.format_map(row)


@dataclass(frozen=True, eq=False)
class PhantomTruth:
    """Truth of an archive on disk.

    rows:   one row an image in the schema of its kind, ordered by study and image.
    images: the folder of DICOM files; labels: the label file in the competition's form.
    """

    rows: pl.DataFrame
    images: Path
    labels: Path


def write_archive(
    out: Path,
    kind: ArchiveKind,
    studies: int,
    settings: ArchiveSettings,
    *,
    workers: int,
    progress: Progress,
) -> PhantomTruth:
    """Write `studies` studies of a kind under out: images, truth.csv, label tables.

    Raises ValueError where out holds an archive of other settings or a larger one, RuntimeError
    where a study could not be written.
    """
    claim_folder(out, studies, settings)
    rows = _write_studies(out, kind, _requests(kind, studies, settings), workers, progress)
    for name, table in kind.make_tables(rows).items():
        _write_table(out / name, table)
    return PhantomTruth(rows, out / kind.images, out / kind.labels)


def patient_numbers(seed: int, studies: int, repeat_share: float) -> list[int]:
    """Number the patient of each study: a share of the studies is a patient's second or later."""
    rng = generator(seed, Stream.PATIENTS)
    fresh = rng.random(studies) >= repeat_share
    return [int(n) for n in np.cumsum(fresh)]


def claim_folder(out: Path, studies: int, settings: ArchiveSettings) -> None:
    """Record the settings in out/phantom.json; ValueError where others or more studies stand."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "phantom.json"
    current = {**asdict(settings), "studies": studies}
    if path.exists():
        recorded = read_json(path, "the settings of a phantom archive; choose a new folder")
        differing = [k for k in asdict(settings) if recorded.get(k) != current[k]]
        if recorded.get("studies", 0) > studies:
            differing.append("studies")
        if differing:
            text = ", ".join(f"{k} {recorded.get(k)} there, {current[k]} asked" for k in differing)
            raise ValueError(
                f"{path}: another phantom archive lies here ({text}); choose a new folder"
            )
    write_whole(path, (json.dumps(current) + "\n").encode())


def _requests(kind: ArchiveKind, studies: int, settings: ArchiveSettings) -> list[StudyRequest]:
    patients = patient_numbers(settings.seed, studies, kind.repeat_share)
    return [StudyRequest(number, patients[number], settings) for number in range(studies)]


def _write_studies(
    out: Path, kind: ArchiveKind, requests: list[StudyRequest], workers: int, progress: Progress
) -> pl.DataFrame:
    """Write what is not whole yet; the truth of all studies, which goes to out/truth.csv too."""
    parts = out / "parts"
    parts.mkdir(exist_ok=True)
    whole = _whole_studies(out, kind, len(requests))
    missing = [request for request in requests if request.number not in whole]
    progress(len(whole), len(requests))
    for number, rows in _write_missing(partial(_write_study, out, kind), missing, workers):
        whole[number] = rows
        progress(len(whole), len(requests))
    truth = pl.concat([whole[request.number] for request in requests])
    _write_table(out / "truth.csv", truth)
    shutil.rmtree(parts)
    return truth


def _write_missing(
    write: Callable[[StudyRequest], pl.DataFrame], missing: list[StudyRequest], workers: int
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Write studies, here or in processes; yields number and truth of each, in their order."""
    if workers <= 1 or len(missing) <= 1:
        threads = cv2.getNumThreads()
        try:
            for request in missing:
                yield request.number, write(request)
        finally:
            cv2.setNumThreads(threads)
        return
    results = parallel_map(write, missing, min(workers, len(missing)))
    for request, rows in zip(missing, results, strict=True):
        if isinstance(rows, LostItem):
            raise RuntimeError(f"study {request.number} could not be written: {rows.detail}")
        yield request.number, rows


def _write_study(out: Path, kind: ArchiveKind, request: StudyRequest) -> pl.DataFrame:
    """Compute and write one study; its truth is written last, which makes it whole."""
    cv2.setNumThreads(1)  # the processes work in parallel
    rows = []
    for row, content in kind.make_images(request):
        # Nobody waits for the disk: an image that a power failure left empty is drawn again.
        write_whole(kind.path_of(out, row), content, durable=False)
        rows.append(row)
    table = pl.DataFrame(rows, schema=kind.schema)
    _write_table(out / "parts" / f"{request.number}.csv", table)
    return table


def _whole_studies(out: Path, kind: ArchiveKind, studies: int) -> dict[int, pl.DataFrame]:
    """Read the truth of the studies whose every image is on disk already."""
    parts = [*sorted((out / "parts").glob("*.csv")), out / "truth.csv"]
    found: dict[int, pl.DataFrame] = {}
    for part in parts:
        table = _read_truth(part, kind)
        if table is None:
            continue
        for rows in table.partition_by("study_number"):
            number = int(rows["study_number"][0])
            files = (kind.path_of(out, row) for row in rows.iter_rows(named=True))
            if number < studies and all(map(_holds_bytes, files)):
                found[number] = rows
    return found


def _holds_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _read_truth(path: Path, kind: ArchiveKind) -> pl.DataFrame | None:
    """Read a table of truth; None where there is none, or it is cut: its studies are made again."""
    try:
        return read_csv(path, schema=kind.schema)
    except (OSError, pl.exceptions.PolarsError):
        return None


def _write_table(path: Path, table: pl.DataFrame) -> None:
    write_whole(path, table.write_csv().encode())
