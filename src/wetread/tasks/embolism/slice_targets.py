"""tasks/embolism/slice_targets.py: labels of exams as targets of the slices an encoder learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wetread.archive.types import Float64Array
from wetread.labels.finding import Finding
from wetread.tasks.embolism.findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING

# Targets of a slice with an embolus, from its exam; known to be absent where it has none.
WITH_EMBOLUS = ("leftsided_pe", "rightsided_pe", "central_pe", "chronic_pe", "acute_and_chronic_pe")
IN_ANY_SLICE = ("indeterminate",)
OF_HEART = ("rv_lv_ratio_gte_1",)
WEIGHT = 0.3  # of a label of the exam in a slice's loss, beside 1 of the embolus itself


def target_findings(names: tuple[str, ...]) -> tuple[Finding, ...]:
    """The findings of slices that an encoder learns: the embolus, then those of exams by name."""
    by_name = dict(zip(EXAM_NAMES, EXAM_FINDINGS, strict=True))
    of_exam = (replace(by_name[name], level="image", weight=WEIGHT) for name in names)
    return (replace(IMAGE_FINDING, weight=1.0), *of_exam)


LUNG_FINDINGS = target_findings((*WITH_EMBOLUS, *IN_ANY_SLICE))
HEART_FINDINGS = target_findings((*WITH_EMBOLUS, *OF_HEART))


def lung_targets(image: Float64Array, study: Float64Array) -> Float64Array:
    """Make targets (N, 7) of the lungs' crop: the embolus in the slice, image (N, 1); where there
    is one, the exam's labels of it, from study (N, 10); and the exam's quality. NaN unknown."""
    return np.hstack([image, _of_embolus(image, study), study[:, _columns(IN_ANY_SLICE)]])


def heart_targets(image: Float64Array, study: Float64Array) -> Float64Array:
    """Make targets (N, 7) of the heart's crop, in which central vessels take more pixels: the
    embolus in the slice, image (N, 1); where there is one, the exam's labels of it, from study
    (N, 10); and the ratio of the ventricles, which positive exams alone have. NaN unknown."""
    return np.hstack([image, _of_embolus(image, study), study[:, _columns(OF_HEART)]])


def _of_embolus(image: Float64Array, study: Float64Array) -> Float64Array:
    """The labels (N, 5) of the exam in slices with an embolus, 0 in those without, NaN unknown."""
    return np.where(image > 0.5, study[:, _columns(WITH_EMBOLUS)], 0.0 * image)


def _columns(names: tuple[str, ...]) -> list[int]:
    return [EXAM_NAMES.index(name) for name in names]
