"""phantoms/head/archive.py: many studies on disk in the competition's layout, with their truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.phantoms.head.blood import SUBTYPES
from wetread.phantoms.head.dicom import draw_display, encode, name_slice
from wetread.phantoms.head.head import VISIBLE_MM2, make_head_study
from wetread.phantoms.head.patient import draw_patient
from wetread.phantoms.writers.resume import (
    ArchiveSettings,
    Form,
    generator,
    write_beside,
    write_file,
    write_part,
    write_studies,
)
from wetread.phantoms.writers.scanner import to_stored

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
    slices = write_studies(out, HEAD, studies, settings, workers=workers, progress=progress)
    truth = PhantomTruth(slices, out / IMAGES, out / f"{IMAGES}.csv")
    write_beside(truth.labels, _long_form(truth))
    return truth


def write_study(out: Path, number: int, patient: int, settings: ArchiveSettings) -> pl.DataFrame:
    """Compute and write one study; its truth is written last, which makes it whole."""
    seed = settings.seed
    anatomy, rng = generator(seed, 0, patient), generator(seed, 1, number)
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
        write_file(out / _file({"image": names.image}), content)
        areas = [round(float(v), 3) for v in study.areas_mm2[z]]
        rows.append((names.image, names.study, names.series, names.patient, number, z, *areas))
    frame = pl.DataFrame(rows, schema=TRUTH_SCHEMA, orient="row")
    write_part(out, number, frame)
    return frame


def _file(row: dict[str, Any]) -> str:
    return f"{IMAGES}/{row['image']}.dcm"


HEAD = Form(TRUTH_SCHEMA, write_study, _file, REPEAT_SHARE)


def _long_form(truth: PhantomTruth) -> pl.DataFrame:
    """The competition's ID,Label: six rows an image in the order of LABELS."""
    matrix = truth.matrix().astype(np.int64)
    images = truth.slices["image"].to_list()
    order = np.argsort(images)
    ids = [f"{images[i]}_{label}" for i in order for label in LABELS]
    return pl.DataFrame({"ID": ids, "Label": matrix[order].reshape(-1)})
