"""phantoms/radiograph/archive.py: many chest radiographs on disk in the competition's layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from wetread.archive.types import BoolArray, Progress
from wetread.labels.rle import EMPTY, encode
from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.dicom.archive import (
    ArchiveKind,
    ArchiveSettings,
    PhantomImage,
    PhantomTruth,
    StudyRequest,
    write_archive,
)
from wetread.phantoms.radiograph.dicom import draw_film_encoding, encode_film, identify_film
from wetread.phantoms.radiograph.study import make_radiograph

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


def write_radiograph_archive(
    out: Path,
    studies: int,
    seed: int,
    *,
    difficulty: float = 1.0,
    size: int = 256,
    workers: int = 1,
    progress: Progress,
) -> PhantomTruth:
    """Write radiographs under out/dicom-images-train, with train-rle.csv, patients.csv, truth.csv.

    The truth's rows have TRUTH_SCHEMA. Raises as `write_archive` does.
    """
    settings = ArchiveSettings(seed, float(difficulty), size)
    return write_archive(out, RADIOGRAPH, studies, settings, workers=workers, progress=progress)


def mask_parts(mask: BoolArray) -> list[BoolArray]:
    """Split a mask (H, W) into its connected parts, (H, W) each, the largest first; [] if empty."""
    count, parts, sizes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    order = sorted(range(1, count), key=lambda i: -int(sizes[i, cv2.CC_STAT_AREA]))
    return [parts == i for i in order]


def _make_images(request: StudyRequest) -> Iterator[PhantomImage]:
    settings = request.settings
    body, rng = request.body_generator(), request.study_generator()
    chest = draw_chest(body, bool(body.random() < 0.49), _draw_age(body))
    film = make_radiograph(rng, chest=chest, difficulty=settings.difficulty, size=settings.size)
    encoding, ids = draw_film_encoding(rng), identify_film(settings.seed, request.number)
    air = film.pneumothorax
    row = {
        "image": ids.image,
        "study": ids.study,
        "series": ids.series,
        "patient": f"P{request.patient:06d}",
        "study_number": request.number,
        "has_pneumothorax": int(air is not None),
        "kind": air.kind if air else "none",
        "side": {-1: "right", 1: "left"}[air.side] if air else "none",
        "air_pixels": int(film.mask.sum()),
        "tube": int(film.mimics.tube),
        "fold": int(bool(film.mimics.folds)),
        "bulla": int(bool(film.mimics.bullae)),
        "view": film.beam.view,
        "supine": int(film.beam.supine),
        "sex": "F" if chest.female else "M",
        "age": chest.age,
        "bits": 12 if encoding.raw else 8,
        "inverted": int(encoding.inverted),
        "pixel_mm": round(film.beam.pixel_mm * chest.scale, 6),
        "runs": ";".join(map(encode, mask_parts(film.mask))) or EMPTY,
    }
    content = encode_film(
        ids, encoding, film.gray, female=chest.female, age=chest.age, view=film.beam.view
    )
    yield PhantomImage(row, content)


def _draw_age(rng: np.random.Generator) -> int:
    """Draw 5 to 74 years, most of them grown up."""
    return int(np.clip(rng.normal(47, 17), 5, 74))


def _make_tables(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Make the competition's ImageId,EncodedPixels, a row a part, and the file of patients."""
    labels = (
        rows.sort("image")
        .select(pl.col("image").alias("ImageId"), pl.col("runs").str.split(";"))
        .explode("runs")
        .rename({"runs": "EncodedPixels"})
    )
    return {LABELS: labels, PATIENTS: rows.select("image", "patient", "has_pneumothorax")}


RADIOGRAPH = ArchiveKind(
    images=IMAGES,
    labels=LABELS,
    image_file="{study}/{series}/{image}.dcm",
    schema=TRUTH_SCHEMA,
    make_images=_make_images,
    make_tables=_make_tables,
    repeat_share=REPEAT_SHARE,
)
