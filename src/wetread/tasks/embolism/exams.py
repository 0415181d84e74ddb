"""tasks/embolism/exams.py: exams with nine labels, from tables and as the metric counts them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wetread.labels.exams import ExamIndex, Exams, exams_of_table
from wetread.labels.table import LabelTable
from wetread.tasks.embolism.findings import EXAM_FINDINGS, IMAGE_FINDING, NOT_POSITIVE, RATIOS


def exams_of(table: LabelTable, index: ExamIndex) -> Exams:
    """Look the exams of an index up in a table: study (N, 9), columns as EXAM_FINDINGS, image
    (M,); NaN where unknown."""
    return exams_of_table(table, index, EXAM_FINDINGS, IMAGE_FINDING)


def as_scored(truth: Exams) -> Exams:
    """Set the two RV/LV labels to "no" in exams, study (N, 9), known to be negative or
    indeterminate, as the official metric counts them. Elsewhere wetread leaves them unknown there:
    the ratio of an exam without an embolus was never measured."""
    negative, indeterminate = NOT_POSITIVE
    undefined = (truth.study[:, negative] >= 0.5) | (truth.study[:, indeterminate] >= 0.5)
    is_ratio = np.isin(np.arange(truth.study.shape[1]), RATIOS)
    counted = undefined[:, None] & is_ratio & np.isnan(truth.study)
    return replace(truth, study=np.where(counted, 0.0, truth.study))
