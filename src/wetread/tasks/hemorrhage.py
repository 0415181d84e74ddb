"""tasks/hemorrhage.py: intracranial hemorrhage on head CT, in the form of the 2019 competition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wetread.anatomy.head import find_head_box
from wetread.anatomy.mask import volume_ml
from wetread.anatomy.presence import head_absent
from wetread.archive.types import Float64Array
from wetread.evaluation.group_rules import union_rules
from wetread.labels.code import Code
from wetread.labels.finding import Finding, finding_names, finding_weights
from wetread.labels.long_csv import read_long_csv
from wetread.phantoms.graft.head import paint_head_bleeding
from wetread.phantoms.head.archive import write_head_archive
from wetread.store.pack_series import OneBox
from wetread.study.series_choice import SeriesPreference
from wetread.tasks.task import Phantoms, Task
from wetread.training.measures import DrawnStack, MaskMeasure
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.slices.spec import SliceSpec
from wetread.view.augment import Strengths

if TYPE_CHECKING:
    from wetread.training.losses import SeriesLoss
    from wetread.training.series.series import Series

# pydicom's table of SNOMED CT has no kind of it.
CODE = Code("1386000", "SCT", "Intracranial hemorrhage")

FINDINGS = (
    Finding("epidural"),
    Finding("intraparenchymal"),
    Finding("intraventricular"),
    Finding("subarachnoid"),
    Finding("subdural"),
    Finding("any", weight=2.0, code=CODE),  # the official metric counts it twice
)
BLOOD = tuple(replace(finding, level="pixel") for finding in FINDINGS if finding.name != "any")
STUDY_WEIGHT = 0.3  # in the loss of series; the metric is of slices alone


def metric_loss(learned: Series) -> SeriesLoss:
    """Make the loss of series: the official log loss of their slices, and with a small weight that
    of the studies."""
    from wetread.training.losses import weighted_series_loss  # torch: where it is learned alone

    return weighted_series_loss(finding_weights(FINDINGS).tolist(), STUDY_WEIGHT)


def slice_targets(image: Float64Array, study: Float64Array) -> Float64Array:
    """Return the labels of the slices, image (N, 6), whatever their study's (N, 6)."""
    return image


def blood_volume_ml(drawn: DrawnStack) -> float:
    """Measure the blood, ml; drawn: kinds of it, a pixel of several counts once. Every slice stands
    for the mm half way to its neighbors; NaN without a place."""
    slices = zip(*drawn.masks, strict=True)
    pixels = [int(np.count_nonzero(np.logical_or.reduce(kinds))) for kinds in slices]
    return volume_ml(pixels, drawn.place)


BLOOD_VOLUME = MaskMeasure("blood_volume", "ml", finding_names(BLOOD), blood_volume_ml)

HEMORRHAGE = Task(
    name="hemorrhage",
    title="Intracranial hemorrhage on head CT",
    modalities=("CT",),
    headline="any",
    spec=SliceSpec(
        network="hemorrhage",
        image_findings=FINDINGS,
        find_box=find_head_box,
        drawn=BLOOD,
        paint_graft=paint_head_bleeding,
        measures=(BLOOD_VOLUME,),
        other_scanners=Strengths(
            rotate_degrees=20.0,
            scale=0.35,
            hu_shift=8.0,
            hu_scale=0.15,
            soften=2.0,
            sharpen=1.0,
            noise_hu=8.0,
        ),
    ),
    series_spec=SeriesSpec(
        image_findings=FINDINGS,
        study_findings=FINDINGS,
        encoders=(CropEncoder("hemorrhage", FINDINGS, slice_targets, drawn=BLOOD),),
        find_boxes=OneBox(find_head_box),
        loss=metric_loss,
        measures=(BLOOD_VOLUME,),
        study_from_images=True,
    ),
    read_labels=read_long_csv,
    absent=head_absent,
    recipe="compact",
    phantoms=Phantoms(
        write_head_archive,
        "stage_2_train.csv",
        masks={f"{finding.name}.csv": finding for finding in BLOOD},
    ),
    label_rules=union_rules("any", finding_names(BLOOD)),
    descriptions={
        "epidural": "a biconvex lens between skull and dura that stops at sutures",
        "intraparenchymal": "a rounded clot in the tissue with a dark rim of edema",
        "intraventricular": "blood layered in the horns of the ventricles, or a cast of them",
        "subarachnoid": "bright threads in sulci and cisterns",
        "subdural": "a crescent along the convexity, falx or tentorium that crosses sutures",
        "any": "any of the five",
    },
    abbreviations={
        "ICH": "any",
        "EDH": "epidural",
        "IPH": "intraparenchymal",
        "IVH": "intraventricular",
        "SAH": "subarachnoid",
        "SDH": "subdural",
    },
    preference=SeriesPreference(
        body_parts=("HEAD", "BRAIN", "SKULL"),
        least_slices=10,
        thickness_mm=(2.5, 10.0),
        sharp=False,
    ),
)
