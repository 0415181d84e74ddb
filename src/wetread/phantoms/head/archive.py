"""phantoms/head/archive.py: many head CTs on disk in the competition's layout, with their truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.types import Float32Array, Progress
from wetread.labels.rle import encode
from wetread.phantoms.dicom.archive import (
    ArchiveKind,
    ArchiveSettings,
    PhantomImage,
    PhantomTruth,
    StudyRequest,
    write_archive,
)
from wetread.phantoms.head.blood import SUBTYPES
from wetread.phantoms.head.dicom import draw_window_values, encode_head_slice, identify_head_slice
from wetread.phantoms.head.mimics import MIMICS
from wetread.phantoms.head.patient import draw_patient
from wetread.phantoms.head.study import VISIBLE_MM2, make_head_study
from wetread.phantoms.scanner.stored_values import to_stored

IMAGES, LABEL_FILE = "stage_2_train", "stage_2_train.csv"
LABELS = (*SUBTYPES, "any")
MASKS = {f"{name}.csv": name for name in SUBTYPES}  # files of masks: ImageId,EncodedPixels
REPEAT_SHARE = 0.1  # studies that belong to the patient before
TRUTH_SCHEMA: dict[str, pl.DataType] = {
    "image": pl.String(),
    "study": pl.String(),
    "series": pl.String(),
    "patient": pl.String(),
    "study_number": pl.Int64(),
    "z": pl.Int64(),
    **{f"{name}_mm2": pl.Float64() for name in SUBTYPES},  # areas of blood
    **{f"mm2_of_{name}": pl.Float64() for name in MIMICS.values()},  # areas of what is none
    **{name: pl.String() for name in SUBTYPES},  # where it is: runs of pixels, labels/rle.py
}


def write_head_archive(
    out: Path,
    studies: int,
    seed: int,
    *,
    difficulty: float = 1.0,
    size: int = 256,
    workers: int = 1,
    progress: Progress,
) -> PhantomTruth:
    """Write head CTs under out/stage_2_train, with stage_2_train.csv, MASKS and truth.csv.

    The truth's rows have TRUTH_SCHEMA; masks are of the pixels that are filled by half or more.
    Raises as `write_archive` does.
    """
    settings = ArchiveSettings(seed, float(difficulty), size)
    return write_archive(out, HEAD, studies, settings, workers=workers, progress=progress)


def label_matrix(rows: pl.DataFrame) -> Float32Array:
    """Derive labels from areas of blood: (N, 6) float32, N rows of truth by LABELS."""
    areas = rows.select([f"{name}_mm2" for name in SUBTYPES]).to_numpy()
    subtypes = areas >= VISIBLE_MM2
    return np.column_stack([subtypes, subtypes.any(axis=1)]).astype(np.float32)


def _make_images(request: StudyRequest) -> Iterator[PhantomImage]:
    seed, rng = request.settings.seed, request.study_generator()
    study = make_head_study(
        rng,
        patient=draw_patient(request.body_generator()),
        difficulty=request.settings.difficulty,
        size=request.settings.size,
    )
    scan = study.scan
    window = draw_window_values(rng, scan.signed)
    for z, picture in enumerate(study.hu):
        ids = identify_head_slice(seed, request.patient, request.number, z)
        stored = to_stored(picture, signed=scan.signed, padded=scan.padded)
        areas = (round(float(area), 3) for area in study.areas_mm2[z])
        others = (round(float(area), 3) for area in study.mimic_areas_mm2[z])
        row = {
            "image": ids.image,
            "study": ids.study,
            "series": ids.series,
            "patient": ids.patient,
            "study_number": request.number,
            "z": z,
            **{f"{name}_mm2": area for name, area in zip(SUBTYPES, areas, strict=True)},
            **{f"mm2_of_{name}": area for name, area in zip(MIMICS.values(), others, strict=True)},
            **{name: encode(mask) for name, mask in zip(SUBTYPES, study.masks[:, z], strict=True)},
        }
        yield PhantomImage(row, encode_head_slice(ids, scan, z, window, stored))


def _make_tables(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Make the competition's ID,Label, six rows an image in the order of LABELS, and MASKS."""
    matrix = label_matrix(rows).astype(np.int64)
    images = rows["image"].to_list()
    order = np.argsort(images)
    ids = [f"{images[i]}_{label}" for i in order for label in LABELS]
    tables = {LABEL_FILE: pl.DataFrame({"ID": ids, "Label": matrix[order].reshape(-1)})}
    for file, name in MASKS.items():
        tables[file] = rows.select(ImageId="image", EncodedPixels=name).sort("ImageId")
    return tables


HEAD = ArchiveKind(
    images=IMAGES,
    labels=LABEL_FILE,
    image_file="{image}.dcm",
    schema=TRUTH_SCHEMA,
    make_images=_make_images,
    make_tables=_make_tables,
    repeat_share=REPEAT_SHARE,
)
