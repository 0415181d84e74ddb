"""phantoms/archive.py: many studies on disk in the competition's layout, with their truth."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from wetread.phantoms.blood import SUBTYPES
from wetread.phantoms.dicom import draw_display, encode, name_slice
from wetread.phantoms.head import VISIBLE_MM2, make_head_study
from wetread.phantoms.patient import draw_patient
from wetread.phantoms.scanner import to_stored

IMAGES = "stage_2_train"
LABELS = (*SUBTYPES, "any")
REPEAT_SHARE = 0.1  # studies that belong to the patient before
TRUTH_SCHEMA: dict[str, pl.DataType] = {
    "image": pl.String(),
    "study": pl.String(),
    "series": pl.String(),
    "patient": pl.String(),
    "study_number": pl.Int64(),
    "z": pl.Int64(),
    **{f"{name}_mm2": pl.Float64() for name in SUBTYPES},
}


@dataclass(frozen=True)
class ArchiveSettings:
    """What decides an archive's content; kept beside it as phantom.json."""

    seed: int
    difficulty: float
    size: int


@dataclass(frozen=True, eq=False)
class PhantomTruth:
    """What is true of an archive.

    slices: TRUTH_SCHEMA, one row an image, ordered by study and z; areas of blood in mm2.
    images: the folder of DICOM files; labels: the CSV of ID and Label.
    """

    slices: pl.DataFrame
    images: Path
    labels: Path

    def matrix(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """(N, 6) float32 labels in the order of LABELS, by row of slices."""
        areas = self.slices.select([f"{name}_mm2" for name in SUBTYPES]).to_numpy()
        subtypes = areas >= VISIBLE_MM2
        return np.column_stack([subtypes, subtypes.any(axis=1)]).astype(np.float32)


def patient_numbers(seed: int, studies: int) -> list[int]:
    """Patient of each study: about one study in ten is a patient's second or third."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    fresh = rng.random(studies) >= REPEAT_SHARE
    return [int(n) for n in np.cumsum(fresh)]


def write_head_archive(
    out: Path,
    studies: int,
    seed: int,
    *,
    difficulty: float = 1.0,
    size: int = 256,
    workers: int = 1,
    progress: Callable[[int, int], None],
) -> PhantomTruth:
    """Write studies head CTs under out/stage_2_train, stage_2_train.csv and truth.csv.

    A study is decided by (seed, its number) alone, so neither the number of workers nor an
    interruption changes a byte; a study that is whole on disk is not written again.
    """
    settings = ArchiveSettings(seed, float(difficulty), size)
    _claim(out, studies, settings)
    (out / IMAGES).mkdir(exist_ok=True)
    parts = out / "parts"
    parts.mkdir(exist_ok=True)
    patients = patient_numbers(seed, studies)
    whole = _whole_studies(out, studies)
    todo = [number for number in range(studies) if number not in whole]
    done = len(whole)
    progress(done, studies)
    for number, rows in _written(out, todo, patients, settings, workers):
        whole[number] = rows
        done += 1
        progress(done, studies)
    slices = pl.concat([whole[number] for number in range(studies)])
    truth = PhantomTruth(slices, out / IMAGES, out / f"{IMAGES}.csv")
    _write_beside(out / "truth.csv", slices)
    _write_beside(truth.labels, _long_form(truth))
    shutil.rmtree(parts)
    return truth


def _written(
    out: Path, todo: list[int], patients: list[int], settings: ArchiveSettings, workers: int
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Write the studies of todo, here or in processes; yields number and truth as they end."""
    if workers <= 1 or len(todo) <= 1:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            for number in todo:
                yield number, write_study(out, number, patients[number], settings)
        finally:
            cv2.setNumThreads(threads)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(todo)),
        mp_context=get_context("spawn"),
        initializer=cv2.setNumThreads,
        initargs=(1,),
    )
    with pool:
        jobs = {
            pool.submit(write_study, out, number, patients[number], settings): number
            for number in todo
        }
        for job in as_completed(jobs):
            yield jobs[job], job.result()


def write_study(out: Path, number: int, patient: int, settings: ArchiveSettings) -> pl.DataFrame:
    """Compute and write one study; its truth is written last, which makes it whole."""
    seed = settings.seed
    anatomy = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, patient)))
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, number)))
    study = make_head_study(
        rng,
        patient=draw_patient(anatomy),
        difficulty=settings.difficulty,
        size=settings.size,
    )
    display = draw_display(rng, study.scan.signed)
    rows = []
    for z, picture in enumerate(study.hu):
        names = name_slice(seed, patient, number, z)
        content = encode(names, study.scan, z, display, to_stored(study.scan, picture))
        path = out / IMAGES / f"{names.image}.dcm"
        beside = path.with_suffix(".part")
        beside.write_bytes(content)
        os.replace(beside, path)
        areas = [round(float(v), 3) for v in study.areas_mm2[z]]
        rows.append((names.image, names.study, names.series, names.patient, number, z, *areas))
    frame = pl.DataFrame(rows, schema=TRUTH_SCHEMA, orient="row")
    _write_beside(out / "parts" / f"{number}.csv", frame)
    return frame


def _claim(out: Path, studies: int, settings: ArchiveSettings) -> None:
    """Refuse a folder that holds an archive of other settings, or a larger one."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "phantom.json"
    wanted = {**asdict(settings), "studies": studies}
    if path.exists():
        held = json.loads(path.read_text())
        differing = [k for k in asdict(settings) if held.get(k) != wanted[k]]
        if held.get("studies", 0) > studies:
            differing.append("studies")
        if differing:
            told = ", ".join(f"{k} {held.get(k)} there, {wanted[k]} asked" for k in differing)
            raise ValueError(
                f"{path}: another phantom archive lies here ({told}); choose a new folder"
            )
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(wanted) + "\n")
    os.replace(beside, path)


def _whole_studies(out: Path, studies: int) -> dict[int, pl.DataFrame]:
    """Truth of the studies whose every image is on disk already."""
    frames = [pl.read_csv(p, schema=TRUTH_SCHEMA) for p in sorted((out / "parts").glob("*.csv"))]
    if (out / "truth.csv").exists():
        frames.append(pl.read_csv(out / "truth.csv", schema=TRUTH_SCHEMA))
    if not frames:
        return {}
    present = {entry.name for entry in os.scandir(out / IMAGES)}
    found: dict[int, pl.DataFrame] = {}
    for frame in frames:
        for rows in frame.partition_by("study_number"):
            number = int(rows["study_number"][0])
            if number < studies and all(f"{image}.dcm" in present for image in rows["image"]):
                found[number] = rows
    return found


def _long_form(truth: PhantomTruth) -> pl.DataFrame:
    """The competition's ID,Label: six rows an image in the order of LABELS."""
    matrix = truth.matrix().astype(np.int64)
    images = truth.slices["image"].to_list()
    order = np.argsort(images)
    ids = [f"{images[i]}_{label}" for i in order for label in LABELS]
    return pl.DataFrame({"ID": ids, "Label": matrix[order].reshape(-1)})


def _write_beside(path: Path, frame: pl.DataFrame) -> None:
    """Write under another name, then rename: a reader never sees half a table."""
    beside = path.with_suffix(".part")
    frame.write_csv(beside)
    os.replace(beside, path)
