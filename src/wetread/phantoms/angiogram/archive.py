"""phantoms/angiogram/archive.py: many angiograms on disk in the competition's layout, with
truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.labels.rle import encode
from wetread.phantoms.angiogram.dicom import (
    Machine,
    draw_machine,
    encode_ctpa_slice,
    name_ctpa_slice,
)
from wetread.phantoms.angiogram.exam import Exam, draw_exam
from wetread.phantoms.angiogram.scan import CtpaScan, draw_ctpa_scan, to_stored
from wetread.phantoms.angiogram.study import make_ctpa_study
from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.writers.resume import (
    ArchiveSettings,
    Form,
    generator,
    write_beside,
    write_file,
    write_part,
    write_studies,
)

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
class CtpaTruth:
    """What is true of an archive.

    slices: TRUTH_SCHEMA, one row an image, ordered by study and from the feet up; areas of clot in
    mm2. images: the folder of DICOM files; labels: the CSV in the competition's form. Beside it
    lie MASKS, of the voxels that are filled by more than half.
    """

    slices: pl.DataFrame
    images: Path
    labels: Path


def write_ctpa_archive(
    out: Path,
    studies: int,
    seed: int,
    *,
    difficulty: float = 1.0,
    size: int = 192,
    positives: float | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None],
) -> CtpaTruth:
    """Write studies angiograms under out/train, train.csv, MASKS and truth.csv.

    A study is decided by (seed, its number) alone, so neither the number of workers nor an
    interruption changes a byte; a study that is whole on disk is not written again.
    positives: the share of exams with an embolus, None for the competition's 30.4 %.
    """
    settings = ArchiveSettings(seed, float(difficulty), size, positives)
    slices = write_studies(out, CTPA, studies, settings, workers=workers, progress=progress)
    write_beside(out / LABELS, _label_rows(slices))
    for file, name in MASKS.items():
        drawn = slices.select(ImageId="image", EncodedPixels=name)
        write_beside(out / file, drawn.sort("ImageId"))
    return CtpaTruth(slices, out / IMAGES, out / LABELS)


@dataclass(frozen=True, eq=False)
class Plan:
    """One study of an archive before it is painted; rng: what it is painted with."""

    chest: Chest
    exam: Exam
    scan: CtpaScan
    machine: Machine
    rng: np.random.Generator


def draw_plan(number: int, patient: int, settings: ArchiveSettings) -> Plan:
    """Scan and machine have a generator of their own: nothing in a header knows the exam."""
    seed = settings.seed
    anatomy, rng = generator(seed, 0, patient), generator(seed, 1, number)
    frame = generator(seed, 4, number)
    chest = draw_chest(anatomy, bool(anatomy.random() < 0.52), _draw_age(anatomy))
    scan = draw_ctpa_scan(frame, chest, settings.size, settings.difficulty)
    return Plan(chest, draw_exam(rng, settings.positives), scan, draw_machine(frame, scan), rng)


def write_study(out: Path, number: int, patient: int, settings: ArchiveSettings) -> pl.DataFrame:
    """Compute and write one study; its truth is written last, which makes it whole."""
    plan = draw_plan(number, patient, settings)
    study = make_ctpa_study(
        plan.rng,
        chest=plan.chest,
        exam=plan.exam,
        scan=plan.scan,
        difficulty=settings.difficulty,
    )
    labels, rows = study.labels(), []
    for z, picture in enumerate(study.hu):
        names = name_ctpa_slice(settings.seed, number, z)
        row = {
            "image": names.image,
            "study": names.study,
            "series": names.series,
            "patient": f"P{patient:06d}",
            "study_number": number,
            "z": z,
            "position_mm": round(float(study.scan.position_mm(z)[2]), 5),
            **{f"{a}_mm2": round(float(getattr(study.areas, a)[z]), 3) for a in AREAS},
            "rv_lv": round(study.ratio, 4),
            **labels,
            "pe_present_on_image": int(study.visible[z]),
            **{name: encode(getattr(study.truth, name)[z]) for name in MASKS.values()},
        }
        content = encode_ctpa_slice(
            names, plan.scan, plan.machine, z, to_stored(plan.scan, picture)
        )
        write_file(out / _file(row), content)
        rows.append(row)
    table = pl.DataFrame(rows, schema=TRUTH_SCHEMA)
    write_part(out, number, table)
    return table


def _draw_age(rng: np.random.Generator) -> int:
    """20 to 90 years, most of them past fifty."""
    return int(np.clip(rng.normal(60, 16), 20, 90))


def _file(row: dict[str, Any]) -> str:
    return f"{IMAGES}/{row['study']}/{row['series']}/{row['image']}.dcm"


def _label_rows(slices: pl.DataFrame) -> pl.DataFrame:
    """The competition's train.csv: exams one after another, their slices in no order."""
    names = dict(zip(("study", "series", "image"), NAMES, strict=True))
    return slices.rename(names).select(*NAMES, *FINDINGS).sort(NAMES)


CTPA = Form(TRUTH_SCHEMA, write_study, _file, 0.0)
