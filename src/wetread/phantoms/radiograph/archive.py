"""phantoms/radiograph/archive.py: many films on disk in the competition's layout, with their
truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.labels.rle import EMPTY, encode
from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.radiograph.dicom import draw_form, encode_film, name_film
from wetread.phantoms.radiograph.study import make_chest_study
from wetread.phantoms.writers.resume import (
    ArchiveSettings,
    Form,
    generator,
    write_beside,
    write_file,
    write_part,
    write_studies,
)

IMAGES = "dicom-images-train"
LABELS = "train-rle.csv"
PATIENTS = "patients.csv"
REPEAT_SHARE = 0.125  # studies that belong to the patient before
TRUTH_SCHEMA: dict[str, pl.DataType] = {
    "image": pl.String(),
    "study": pl.String(),
    "series": pl.String(),
    "patient": pl.String(),  # the real one; the header's is new in every file
    "study_number": pl.Int64(),
    "has_pneumothorax": pl.Int64(),
    "kind": pl.String(),  # "none" without air
    "side": pl.String(),  # of the patient: right, left, none
    "air_pixels": pl.Int64(),
    "tube": pl.Int64(),
    "fold": pl.Int64(),
    "bulla": pl.Int64(),
    "view": pl.String(),
    "supine": pl.Int64(),
    "sex": pl.String(),
    "age": pl.Int64(),
    "bits": pl.Int64(),
    "inverted": pl.Int64(),
    "pixel_mm": pl.Float64(),  # in the chest's middle; the header's is the original film's
    "runs": pl.String(),  # the label file's texts, one a part of the mask, joined by ";"
}


@dataclass(frozen=True, eq=False)
class ChestTruth:
    """What is true of an archive.

    films: TRUTH_SCHEMA, one row a film, ordered by study. images: the folder of DICOM files;
    labels: the CSV of ImageId and EncodedPixels; patients: the CSV of image and patient.
    """

    films: pl.DataFrame
    images: Path
    labels: Path
    patients: Path


def write_chest_archive(
    out: Path,
    studies: int,
    seed: int,
    *,
    difficulty: float = 1.0,
    size: int = 256,
    workers: int = 1,
    progress: Callable[[int, int], None],
) -> ChestTruth:
    """Write studies films under out/dicom-images-train, train-rle.csv, patients.csv, truth.csv.

    A film is decided by (seed, its number) alone, so neither the number of workers nor an
    interruption changes a byte; a film that is on disk with its truth is not written again.
    """
    settings = ArchiveSettings(seed, float(difficulty), size)
    films = write_studies(out, CHEST, studies, settings, workers=workers, progress=progress)
    write_beside(out / LABELS, _label_rows(films))
    write_beside(out / PATIENTS, films.select("image", "patient", "has_pneumothorax"))
    return ChestTruth(films, out / IMAGES, out / LABELS, out / PATIENTS)


def write_film(out: Path, number: int, patient: int, settings: ArchiveSettings) -> pl.DataFrame:
    """Compute and write one film; its truth is written last, which makes it whole."""
    seed = settings.seed
    anatomy, rng = generator(seed, 0, patient), generator(seed, 1, number)
    chest = draw_chest(anatomy, bool(anatomy.random() < 0.49), _draw_age(anatomy))
    film = make_chest_study(rng, chest=chest, difficulty=settings.difficulty, size=settings.size)
    form, names = draw_form(rng), name_film(seed, number)
    content = encode_film(
        names, form, film.grey, female=chest.female, age=chest.age, view=film.beam.view
    )
    row = {
        "image": names.image,
        "study": names.study,
        "series": names.series,
        "patient": f"P{patient:06d}",
        "study_number": number,
        "has_pneumothorax": int(film.found is not None),
        "kind": film.found.kind if film.found else "none",
        "side": {-1: "right", 1: "left"}[film.found.side] if film.found else "none",
        "air_pixels": int(film.mask.sum()),
        "tube": int(film.mimics.tube),
        "fold": int(bool(film.mimics.folds)),
        "bulla": int(bool(film.mimics.bullae)),
        "view": film.beam.view,
        "supine": int(film.beam.supine),
        "sex": "F" if chest.female else "M",
        "age": chest.age,
        "bits": 12 if form.raw else 8,
        "inverted": int(form.inverted),
        "pixel_mm": round(film.beam.pixel_mm * chest.scale, 6),
        "runs": ";".join(map(encode, mask_parts(film.mask))) or EMPTY,
    }
    frame = pl.DataFrame([row], schema=TRUTH_SCHEMA)
    write_file(out / _file(row), content)
    write_part(out, number, frame)
    return frame


def _draw_age(rng: np.random.Generator) -> int:
    """5 to 74 years, most of them grown up."""
    return int(np.clip(rng.normal(47, 17), 5, 74))


def mask_parts(mask: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The connected parts of a mask, the largest first; [] of an empty one."""
    count, parts, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = sorted(range(1, count), key=lambda i: -int(sizes[i, cv2.CC_STAT_AREA]))
    return [parts == i for i in order]


def _file(row: dict[str, Any]) -> str:
    return f"{IMAGES}/{row['study']}/{row['series']}/{row['image']}.dcm"


def _label_rows(films: pl.DataFrame) -> pl.DataFrame:
    """The competition's ImageId,EncodedPixels: a row a part, -1 for none; sorted by image."""
    return (
        films.sort("image")
        .select(pl.col("image").alias("ImageId"), pl.col("runs").str.split(";"))
        .explode("runs")
        .rename({"runs": "EncodedPixels"})
    )


CHEST = Form(TRUTH_SCHEMA, write_film, _file, REPEAT_SHARE)
