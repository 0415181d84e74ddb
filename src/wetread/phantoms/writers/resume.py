"""phantoms/writers/resume.py: studies become files, each once: claim a folder, go on, several at
a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import parallel_map
from wetread.archive.files.atomic import atomic_path, write_whole
from wetread.archive.files.json_file import read_json
from wetread.archive.files.table_file import read_csv


@dataclass(frozen=True)
class ArchiveSettings:
    """What decides an archive's content; kept beside it as phantom.json.

    positives: share of the studies with a finding, None for what is usual.
    """

    seed: int
    difficulty: float
    size: int
    positives: float | None = None


# (folder, number, patient, settings) -> the study's rows of truth, its files written
WriteStudy = Callable[[Path, int, int, ArchiveSettings], pl.DataFrame]


@dataclass(frozen=True)
class Form:
    """What one kind of archive is made of.

    schema:      of truth.csv, one row an image; has image, study_number.
    write_study: writes a study's files and returns its rows of truth.
    file:        a row of truth -> its file, relative to the folder.
    repeats:     share of the studies that belong to the patient before.
    """

    schema: dict[str, pl.DataType]
    write_study: WriteStudy
    file: Callable[[dict[str, Any]], str]
    repeats: float


def generator(seed: int, *purpose: int) -> np.random.Generator:
    """The archive's chance for one purpose: (0, patient) a body, (1, study) what is seen of it."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))


def patient_numbers(seed: int, studies: int, repeats: float) -> list[int]:
    """Patient of each study: a share `repeats` of the studies is a patient's second or later."""
    rng = generator(seed, 2)
    fresh = rng.random(studies) >= repeats
    return [int(n) for n in np.cumsum(fresh)]


def write_studies(
    out: Path,
    form: Form,
    studies: int,
    settings: ArchiveSettings,
    *,
    workers: int,
    progress: Callable[[int, int], None],
) -> pl.DataFrame:
    """Write studies under out; their truth by study and image, also in out/truth.csv.

    A study is decided by (seed, its number) alone, so neither the number of workers nor an
    interruption changes a byte; a study that is whole on disk is not written again. Label files
    are the caller's, made from the truth.
    """
    claim(out, studies, settings)
    parts = out / "parts"
    parts.mkdir(exist_ok=True)
    patients = patient_numbers(settings.seed, studies, form.repeats)
    whole = _whole_studies(out, form, studies)
    todo = [number for number in range(studies) if number not in whole]
    done = len(whole)
    progress(done, studies)
    for number, rows in _written(out, form, todo, patients, settings, workers):
        whole[number] = rows
        done += 1
        progress(done, studies)
    truth = pl.concat([whole[number] for number in range(studies)])
    write_beside(out / "truth.csv", truth)
    shutil.rmtree(parts)
    return truth


def _written(
    out: Path,
    form: Form,
    todo: list[int],
    patients: list[int],
    settings: ArchiveSettings,
    workers: int,
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Write the studies of todo, here or in processes; yields number and truth in their order."""
    if workers <= 1 or len(todo) <= 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            for number in todo:
                yield number, form.write_study(out, number, patients[number], settings)
        finally:
            cv2.setNumThreads(threads)
        return
    write = partial(_write_one, form.write_study, out, settings)
    items = [(number, patients[number]) for number in todo]
    for number, rows in zip(todo, parallel_map(write, items, min(workers, len(todo))), strict=True):
        if isinstance(rows, LostItem):
            raise RuntimeError(f"study {number} could not be written: {rows.detail}")
        yield number, rows


def _write_one(
    write_study: WriteStudy, out: Path, settings: ArchiveSettings, item: tuple[int, int]
) -> pl.DataFrame:
    """Write one study in a process of its own. item: the numbers of study and patient."""
    cv2.setNumThreads(1)  # what works side by side are the processes
    return write_study(out, *item, settings)


def claim(out: Path, studies: int, settings: ArchiveSettings) -> None:
    """Refuse a folder that holds an archive of other settings, or a larger one."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "phantom.json"
    wanted = {**asdict(settings), "studies": studies}
    if path.exists():
        held = read_json(path, "the settings of a phantom archive; choose a new folder")
        differing = [k for k in asdict(settings) if held.get(k) != wanted[k]]
        if held.get("studies", 0) > studies:
            differing.append("studies")
        if differing:
            told = ", ".join(f"{k} {held.get(k)} there, {wanted[k]} asked" for k in differing)
            raise ValueError(
                f"{path}: another phantom archive lies here ({told}); choose a new folder"
            )
    write_whole(path, (json.dumps(wanted) + "\n").encode())


def _whole_studies(out: Path, form: Form, studies: int) -> dict[int, pl.DataFrame]:
    """Truth of the studies whose every image is on disk already."""
    parts = [*sorted((out / "parts").glob("*.csv")), out / "truth.csv"]
    frames = [frame for part in parts if (frame := _truth(part, form)) is not None]
    if not frames:
        return {}
    found: dict[int, pl.DataFrame] = {}
    for frame in frames:
        for rows in frame.partition_by("study_number"):
            number = int(rows["study_number"][0])
            files = (out / form.file(row) for row in rows.iter_rows(named=True))
            if number < studies and all(file.exists() for file in files):
                found[number] = rows
    return found


def _truth(path: Path, form: Form) -> pl.DataFrame | None:
    """A table of truth; None where there is none, or it is cut: its studies are written again."""
    try:
        return read_csv(path, schema=form.schema)
    except (OSError, pl.exceptions.PolarsError):
        return None


def write_beside(path: Path, frame: pl.DataFrame) -> None:
    """Write under another name, then rename: a reader never sees half a table."""
    write_whole(path, frame.write_csv().encode())


def write_file(path: Path, content: bytes) -> None:
    """Write beside, then rename: a file is whole or absent."""
    with atomic_path(path, needed=len(content)) as part:
        part.write_bytes(content)


def write_part(out: Path, number: int, frame: pl.DataFrame) -> None:
    """A study's truth, written after its files, makes it whole."""
    write_beside(out / "parts" / f"{number}.csv", frame)
