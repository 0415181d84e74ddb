"""tasks/embolism/task.py: pulmonary embolism on CT angiography, in the form of the 2020
competition."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wetread.anatomy.chest_box import find_chest_boxes, find_lung_box
from wetread.anatomy.presence import lungs_absent
from wetread.evaluation.baselines import contrast_histogram
from wetread.labels.finding import Finding
from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.study.series_choice import SeriesPreference
from wetread.tasks.embolism.consistency import ABOVE, make_consistent
from wetread.tasks.embolism.exams import Exams
from wetread.tasks.embolism.findings import (
    EXAM_FINDINGS,
    EXAM_NAMES,
    IMAGE_FINDING,
    NOT_POSITIVE,
    POSITIVE_EXAM,
)
from wetread.tasks.embolism.label_csv import read_exam_csv, read_exam_submission
from wetread.tasks.embolism.rules import broken_rules, rule_names
from wetread.tasks.embolism.submission import submit_exams
from wetread.tasks.embolism.submission_scores import score_exam_submission
from wetread.tasks.task import Task
from wetread.training.series.spec import CropEncoder, SeriesSpec

if TYPE_CHECKING:
    from wetread.training.series.sequence_fit import SeriesLoss
    from wetread.training.series.series import Series

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
LABELS = len(EXAM_FINDINGS)  # of the metric; positive_exam stands after them
BESIDE = 0.1  # weight of positive_exam in the loss, which the metric leaves out

# What a slice with an embolus is taught of its exam, and what it may show without one.
SHOWN = ("leftsided_pe", "rightsided_pe", "central_pe", "chronic_pe", "acute_and_chronic_pe")
ANYWHERE = ("indeterminate",)
HEART = ("rv_lv_ratio_gte_1",)


# What the phantoms know by the pixel.
CLOT = replace(IMAGE_FINDING, level="pixel")
RIGHT_VENTRICLE = Finding("right_ventricle", level="pixel")
LEFT_VENTRICLE = Finding("left_ventricle", level="pixel")


def taught(names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Findings of exams as a slice is taught them."""
    of = dict(zip(EXAM_NAMES, EXAM_FINDINGS, strict=True))
    return tuple(replace(of[name], level="image", weight=0.3) for name in names)


def columns(names: tuple[str, ...]) -> list[int]:
    """Their columns in arrays of exams."""
    return [EXAM_NAMES.index(name) for name in names]


def teach_lungs(image: Floats, study: Floats) -> Floats:
    """The embolus in the slice; where there is one, what the exam says of it; and its quality."""
    return np.hstack([image, _shown(image, study), study[:, columns(ANYWHERE)]])


def teach_heart(image: Floats, study: Floats) -> Floats:
    """The same of the embolus, whose central vessels lie here in more pixels; and the ratio of the
    ventricles, which is known in positive exams alone."""
    return np.hstack([image, _shown(image, study), study[:, columns(HEART)]])


def _shown(image: Floats, study: Floats) -> Floats:
    return np.where(image > 0.5, study[:, columns(SHOWN)], 0.0 * image)


def metric_loss(learned: Series) -> SeriesLoss:
    """The official log loss, and with a small weight the cross entropy of positive_exam."""
    from wetread.tasks.embolism.loss import series_exam_loss  # torch: where it is learned alone

    return series_exam_loss(learned, BESIDE)


def settle(image: Floats, study: Floats, starts: Rows) -> tuple[Floats, Floats]:
    """The consistent exams of least expected cost; positive_exam says what they say."""
    told = make_consistent(Exams(study[:, :LABELS], image[:, 0], starts))
    positive = (told.study[:, list(NOT_POSITIVE)] <= 0.5).all(axis=1)
    beside = study[:, LABELS]
    beside = np.where(positive, np.maximum(beside, ABOVE), np.minimum(beside, 0.5))
    return told.image[:, None], np.column_stack([told.study, beside])


def check(image: Floats, study: Floats, starts: Rows) -> list[tuple[str, ...]]:
    """The names of the rules that each exam breaks."""
    broken = broken_rules(Exams(study[:, :LABELS], image[:, 0], starts))
    return [rule_names(row) for row in broken]


EMBOLISM = Task(
    name="embolism",
    title="Pulmonary embolism on CT angiography",
    modalities=("CT",),
    findings=(IMAGE_FINDING, *EXAM_FINDINGS, POSITIVE_EXAM),
    headline=POSITIVE_EXAM.name,
    read_labels=read_exam_csv,
    read_submission=read_exam_submission,
    write_submission=submit_exams,
    score_submission=score_exam_submission,
    find_box=find_lung_box,
    absent=lungs_absent,
    recipe="embolism-compact",
    write_phantoms=write_angiogram_archive,
    phantom_labels="train.csv",
    phantom_masks={
        "clots.csv": CLOT,
        "right_ventricles.csv": RIGHT_VENTRICLE,
        "left_ventricles.csv": LEFT_VENTRICLE,
    },
    descriptions={
        "pe_present_on_image": "a dark filling defect in a bright artery",
        "positive_exam": "an embolus somewhere: neither negative nor indeterminate",
        "negative_exam_for_pe": "no embolus, and the arteries well seen",
        "indeterminate": "motion or poor contrast hides the arteries",
        "leftsided_pe": "in an artery of the left lung",
        "rightsided_pe": "in an artery of the right lung",
        "central_pe": "in the trunk or a main artery",
        "chronic_pe": "eccentric, webbed, along the wall of a narrowed artery",
        "acute_and_chronic_pe": "old clot and fresh beside each other",
        "rv_lv_ratio_gte_1": "a right ventricle at least as wide as the left one",
        "rv_lv_ratio_lt_1": "a right ventricle narrower than the left one",
    },
    wanted=SeriesPreference(
        body_parts=("CHEST", "THORAX", "LUNG"),
        least_slices=40,
        thickness_mm=(0.4, 3.5),
        sharp=False,
    ),
    histogram=contrast_histogram,
    demo_phantoms=partial(write_angiogram_archive, positives=0.5),
    demo_studies=240,
    demo_folds=2,
    series=SeriesSpec(
        image=(IMAGE_FINDING,),
        study=(*EXAM_FINDINGS, POSITIVE_EXAM),
        looks=(
            CropEncoder(
                "lungs",
                (replace(IMAGE_FINDING, weight=1.0), *taught(SHOWN), *taught(ANYWHERE)),
                teach_lungs,
                drawn=(CLOT,),
            ),
            CropEncoder(
                "heart",
                (replace(IMAGE_FINDING, weight=1.0), *taught(SHOWN), *taught(HEART)),
                teach_heart,
                drawn=(RIGHT_VENTRICLE, LEFT_VENTRICLE),
                steps=0.25,
            ),
        ),
        find_boxes=find_chest_boxes,
        loss=metric_loss,
        settle=settle,
        check=check,
    ),
)
