"""phantoms/angiogram/archive.py: many CT angiograms on disk in the competition's layout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.types import Progress
from wetread.labels.rle import encode
from wetread.phantoms.angiogram.dicom import (
    Acquisition,
    draw_acquisition,
    encode_angiogram_slice,
    identify_angiogram_slice,
)
from wetread.phantoms.angiogram.exam import Exam, draw_exam
from wetread.phantoms.angiogram.scan import AngiogramScan, draw_angiogram_scan
from wetread.phantoms.angiogram.study import make_angiogram
from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.dicom.archive import (
    ArchiveKind,
    ArchiveSettings,
    PhantomImage,
    PhantomTruth,
    StudyRequest,
    write_archive,
)
from wetread.phantoms.random_streams import Stream
from wetread.phantoms.scanner.stored_values import to_stored

IMAGES = "train"
LABELS = "train.csv"
NAMES = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
FINDINGS = (  # the competition's columns after the names, in its order
    "pe_present_on_image",
    "negative_exam_for_pe",
    "qa_motion",
    "qa_contrast",
    "flow_artifact",
    "rv_lv_ratio_gte_1",
    "rv_lv_ratio_lt_1",
    "leftsided_pe",
    "chronic_pe",
    "true_filling_defect_not_pe",
    "rightsided_pe",
    "acute_and_chronic_pe",
    "central_pe",
    "indeterminate",
)
MASKS = {  # files of masks in the form ImageId,EncodedPixels, and what they hold
    "clots.csv": "clots",
    "right_ventricles.csv": "right_ventricle",
    "left_ventricles.csv": "left_ventricle",
}
AREAS = ("clot", "left", "right", "central", "acute", "chronic")
TRUTH_SCHEMA: dict[str, pl.DataType] = {
    "image": pl.String(),
    "study": pl.String(),
    "series": pl.String(),
    "patient": pl.String(),  # one a study: the headers name none
    "study_number": pl.Int64(),
    "z": pl.Int64(),  # from the feet
    "position_mm": pl.Float64(),
    **{f"{name}_mm2": pl.Float64() for name in AREAS},
    "rv_lv": pl.Float64(),
    **{name: pl.Int64() for name in FINDINGS},
    **{name: pl.String() for name in MASKS.values()},  # runs of pixels, labels/rle.py
}


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """One study of an archive before it is painted; rng: the generator to paint it with."""

    chest: Chest
    exam: Exam
    scan: AngiogramScan
    acquisition: Acquisition
    rng: np.random.Generator


def write_angiogram_archive(
    out: Path,
    studies: int,
    seed: int,
    *,
    difficulty: float = 1.0,
    size: int = 192,
    positives: float | None = None,
    workers: int = 1,
    progress: Progress,
) -> PhantomTruth:
    """Write angiograms under out/train, with train.csv, the files of MASKS and truth.csv.

    positives: the share of exams with an embolus, None for the competition's 30.4 %. The truth's
    rows have TRUTH_SCHEMA; masks are of the voxels that are filled by more than half. Raises as
    `write_archive` does.
    """
    settings = ArchiveSettings(seed, float(difficulty), size, positives)
    return write_archive(out, ANGIOGRAM, studies, settings, workers=workers, progress=progress)


def plan_study(request: StudyRequest) -> StudyPlan:
    """Draw a study; scan and headers have a generator of their own, so no header knows the exam."""
    settings, body, rng = request.settings, request.body_generator(), request.study_generator()
    frame = request.study_generator(Stream.ACQUISITION)
    chest = draw_chest(body, bool(body.random() < 0.52), _draw_age(body))
    scan = draw_angiogram_scan(frame, chest, settings.size, settings.difficulty)
    exam = draw_exam(rng, settings.positives)
    return StudyPlan(chest, exam, scan, draw_acquisition(frame, scan), rng)


def _make_images(request: StudyRequest) -> Iterator[PhantomImage]:
    plan = plan_study(request)
    scan = plan.scan
    study = make_angiogram(
        plan.rng,
        chest=plan.chest,
        exam=plan.exam,
        scan=scan,
        difficulty=request.settings.difficulty,
    )
    labels = study.labels()
    for z, picture in enumerate(study.hu):
        ids = identify_angiogram_slice(request.settings.seed, request.number, z)
        row = {
            "image": ids.image,
            "study": ids.study,
            "series": ids.series,
            "patient": f"P{request.patient:06d}",
            "study_number": request.number,
            "z": z,
            "position_mm": round(float(scan.position_mm(z)[2]), 5),
            **{f"{a}_mm2": round(float(getattr(study.areas, a)[z]), 3) for a in AREAS},
            "rv_lv": round(study.ratio, 4),
            **labels,
            "pe_present_on_image": int(study.visible[z]),
            **{name: encode(getattr(study.masks, name)[z]) for name in MASKS.values()},
        }
        stored = to_stored(picture, signed=scan.signed, padded=scan.padded)
        yield PhantomImage(row, encode_angiogram_slice(ids, scan, plan.acquisition, z, stored))


def _draw_age(rng: np.random.Generator) -> int:
    """Draw 20 to 90 years, most of them past fifty."""
    return int(np.clip(rng.normal(60, 16), 20, 90))


def _make_tables(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Make the competition's train.csv, slices of an exam in no order, and the files of MASKS."""
    names = dict(zip(("study", "series", "image"), NAMES, strict=True))
    tables = {LABELS: rows.rename(names).select(*NAMES, *FINDINGS).sort(NAMES)}
    for file, name in MASKS.items():
        tables[file] = rows.select(ImageId="image", EncodedPixels=name).sort("ImageId")
    return tables


ANGIOGRAM = ArchiveKind(
    images=IMAGES,
    labels=LABELS,
    image_file="{study}/{series}/{image}.dcm",
    schema=TRUTH_SCHEMA,
    make_images=_make_images,
    make_tables=_make_tables,
    repeat_share=0.0,
)
