"""tasks/embolism/task.py: pulmonary embolism on CT angiography, as the 2020 competition has it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from wetread.anatomy.chest_box import find_chest_boxes
from wetread.anatomy.presence import lungs_absent
from wetread.evaluation.baselines import contrast_histogram
from wetread.labels.code import Code
from wetread.labels.finding import Finding
from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.study.series_choice import SeriesPreference
from wetread.tasks.embolism.consistency import broken_rules, consistent_answers
from wetread.tasks.embolism.findings import EXAM_FINDINGS, IMAGE_FINDING, POSITIVE_EXAM
from wetread.tasks.embolism.label_csv import read_exam_csv, read_exam_submission
from wetread.tasks.embolism.measures import (
    clot_volume_ml,
    phantom_clot_ml,
    phantom_ratio,
    ventricle_ratio,
)
from wetread.tasks.embolism.metric import counted_truth
from wetread.tasks.embolism.rules import RULES
from wetread.tasks.embolism.slice_targets import (
    HEART_FINDINGS,
    LUNG_FINDINGS,
    heart_targets,
    lung_targets,
)
from wetread.tasks.embolism.submission import check_exam_sample, submit_exams
from wetread.tasks.embolism.submission_scores import score_exam_submission
from wetread.tasks.task import Demo, Phantoms, SubmissionForm, Task
from wetread.training.measures import MaskMeasure
from wetread.training.series.spec import CropEncoder, SeriesSpec

if TYPE_CHECKING:
    from wetread.training.losses import SeriesLoss
    from wetread.training.series.series import Series

POSITIVE_EXAM_WEIGHT = 0.1  # in the loss of series; the metric leaves positive_exam out

# Findings that phantoms know by the pixel.
CLOT = replace(IMAGE_FINDING, level="pixel")
RIGHT_VENTRICLE = Finding(
    "right_ventricle", level="pixel", code=Code("53085002", "SCT", "Right ventricle", True)
)
LEFT_VENTRICLE = Finding(
    "left_ventricle", level="pixel", code=Code("87878005", "SCT", "Left ventricle", True)
)


def metric_loss(learned: Series) -> SeriesLoss:
    """Make the loss of series: the official log loss, and with a small weight the cross entropy of
    positive_exam."""
    from wetread.tasks.embolism.loss import series_exam_loss  # torch: where it is learned alone

    return series_exam_loss(learned, POSITIVE_EXAM_WEIGHT)


EMBOLISM = Task(
    name="embolism",
    title="Pulmonary embolism on CT angiography",
    modalities=("CT",),
    headline=POSITIVE_EXAM.name,
    spec=SeriesSpec(
        image_findings=(IMAGE_FINDING,),
        study_findings=(*EXAM_FINDINGS, POSITIVE_EXAM),
        encoders=(
            CropEncoder("lungs", LUNG_FINDINGS, lung_targets, drawn=(CLOT,)),
            CropEncoder(
                "heart",
                HEART_FINDINGS,
                heart_targets,
                drawn=(RIGHT_VENTRICLE, LEFT_VENTRICLE),
                steps=0.25,
            ),
        ),
        find_boxes=find_chest_boxes,
        loss=metric_loss,
        make_consistent=consistent_answers,
        broken_rules=broken_rules,
        histogram=contrast_histogram,
        counted_truth=counted_truth,
        measures=(
            MaskMeasure("clot_volume", "ml", (CLOT.name,), clot_volume_ml, phantom_clot_ml),
            MaskMeasure(
                "rv_lv_ratio",
                "",
                (RIGHT_VENTRICLE.name, LEFT_VENTRICLE.name),
                ventricle_ratio,
                phantom_ratio,
            ),
        ),
    ),
    read_labels=read_exam_csv,
    submission=SubmissionForm(
        read_exam_submission, submit_exams, score_exam_submission, check_exam_sample
    ),
    absent=lungs_absent,
    recipe="embolism-compact",
    phantoms=Phantoms(
        write_angiogram_archive,
        "train.csv",
        masks={
            "clots.csv": CLOT,
            "right_ventricles.csv": RIGHT_VENTRICLE,
            "left_ventricles.csv": LEFT_VENTRICLE,
        },
        enriched=partial(write_angiogram_archive, positives=0.5),
    ),
    label_rules=RULES.rules,
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
    abbreviations={"PE": POSITIVE_EXAM.name},
    preference=SeriesPreference(
        body_parts=("CHEST", "THORAX", "LUNG"),
        least_slices=40,
        thickness_mm=(0.4, 3.5),
        sharp=False,
    ),
    demo=Demo(studies=240, folds=2),
)
