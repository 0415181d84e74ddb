"""tasks/embolism/metric.py: the official log loss over exams and their images, any number of each.

    sum over exams i of [ sum_j w_j BCE_ij  +  sum_k w q_i BCE_ik ]
    ---------------------------------------------------------------
    sum over exams i of [ sum_j w_j         +  sum_k w q_i         ]

j runs over the nine labels of an exam with their weights w_j, k over its images; w is the weight of
an image and q_i the share of positive images in exam i. So images count only in exams that have a
positive one, and the images of an exam together weigh w times the number of positive ones.
Unknown labels are in neither sum, and q_i is the share among the known.
"""

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.metrics import log_losses
from wetread.labels.exams import Exams
from wetread.labels.finding import finding_weights
from wetread.tasks.embolism.exams import as_scored
from wetread.tasks.embolism.findings import EXAM_FINDINGS, IMAGE_FINDING

WEIGHTS = finding_weights(EXAM_FINDINGS)  # (9,)


@dataclass(frozen=True, eq=False)
class ExamLosses:
    """The sums of the formula for each of N exams, (N,) float64 each."""

    study_loss: Float64Array
    study_weight: Float64Array
    image_loss: Float64Array
    image_weight: Float64Array

    @property
    def loss(self) -> Float64Array:
        """The part of each exam above the line, (N,)."""
        return self.study_loss + self.image_loss

    @property
    def weight(self) -> Float64Array:
        """The part of each exam below the line, (N,)."""
        return self.study_weight + self.image_weight


def exam_losses(truth: Exams, probability: Exams) -> ExamLosses:
    """Compute each exam's part. truth in 0..1, NaN unknown, RV/LV filled in by exams.as_scored
    where the official figure is wanted; probabilities are clipped to [1e-15, 1 - 1e-15].

    Raises ValueError where the two are not of the same exams, or a probability is lacking.
    """
    _check(truth, probability)
    study = log_losses(truth.study, probability.study)
    image = log_losses(truth.image, probability.image)
    known = ~np.isnan(image)
    weight = IMAGE_FINDING.weight * np.nan_to_num(positive_share(truth))
    return ExamLosses(
        study_loss=np.nansum(study * WEIGHTS, axis=1),
        study_weight=(~np.isnan(study)) @ WEIGHTS,
        image_loss=weight * truth.sum_images(np.nan_to_num(image)),
        image_weight=weight * truth.sum_images(known),
    )


def exam_loss(truth: Exams, probability: Exams) -> float:
    """Compute the official figure; NaN where no label is known."""
    parts = exam_losses(truth, probability)
    under = float(parts.weight.sum())
    return float(parts.loss.sum()) / under if under > 0 else float("nan")


def positive_share(truth: Exams) -> Float64Array:
    """Compute q (N,): the share of positive images among an exam's known ones; NaN without any."""
    known = truth.sum_images(~np.isnan(truth.image))
    positive = truth.sum_images(np.nan_to_num(truth.image))
    share: Float64Array = np.divide(
        positive, known, out=np.full(len(truth), np.nan), where=known > 0
    )
    return share


def best_constants(truth: Exams) -> tuple[Float64Array, float]:
    """Find the constants of least loss on this truth: (9,) of the labels, their shares; and of
    every image, the mean weighted by q as the loss is, 0 where none is positive. NaN where nothing
    is known."""
    known = ~np.isnan(truth.study)
    total = np.nansum(truth.study, axis=0)
    study = np.divide(
        total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0)
    )
    share = np.nan_to_num(positive_share(truth))
    if np.isnan(truth.image).all():
        return study, float("nan")
    weight = float((share * truth.sum_images(~np.isnan(truth.image))).sum())
    positive = float((share * truth.sum_images(np.nan_to_num(truth.image))).sum())
    return study, positive / weight if weight > 0 else 0.0


def counted_truth(
    image: Float64Array, study: Float64Array, starts: Int64Array
) -> tuple[Float64Array, Float64Array]:
    """Return the labels of exams as the metric counts them, and for every image the q of its exam,
    (M,); image (M, 1), study (N, 10), of which positive_exam, the last, stays; starts (N + 1,)."""
    labels = len(EXAM_FINDINGS)
    exams = as_scored(Exams(study[:, :labels], image[:, 0], starts))
    share = np.nan_to_num(positive_share(exams))
    return np.column_stack([exams.study, study[:, labels:]]), share[exams.exam_of_image]


def constant_exams(truth: Exams, study: Float64Array, image: float) -> Exams:
    """Give all the exams of truth one answer: study (9,), and one value for every image."""
    return Exams(np.tile(study, (len(truth), 1)), np.full(len(truth.image), image), truth.starts)


def mean_exam_weight(truth: Exams) -> float:
    """Compute the mean weight of an exam of this set, 1 + w times the mean number of its positive
    images: a batch of B exams is normalized by B times this, so that batches add up to the set."""
    parts = exam_losses(truth, constant_exams(truth, np.full(len(WEIGHTS), 0.5), 0.5))
    return float(parts.weight.mean())


def _check(truth: Exams, probability: Exams) -> None:
    labels = len(EXAM_FINDINGS)
    if truth.study.shape[1] != labels or probability.study.shape[1] != labels:
        raise ValueError(
            f"truth of studies is {truth.study.shape} and the probabilities "
            f"{probability.study.shape}; exams have {labels} labels each."
        )
    if not np.array_equal(truth.starts, probability.starts):
        raise ValueError(
            f"truth is of {len(truth)} exams with {len(truth.image)} images, the probabilities of "
            f"{len(probability)} with {len(probability.image)}; give both of the same exams."
        )
    lost = np.isnan(probability.study) & ~np.isnan(truth.study)
    if lost.any():
        exam, column = np.argwhere(lost)[0]
        raise ValueError(
            f"no probability (NaN) for exam {exam}, {EXAM_FINDINGS[column].name}, whose label is "
            f"known; {lost.sum()} such labels. Predict them or leave the exams out."
        )
    lost = np.isnan(probability.image) & ~np.isnan(truth.image)
    if lost.any():
        raise ValueError(
            f"no probability (NaN) for image {np.argmax(lost)}, whose label is known; "
            f"{lost.sum()} such images. Predict them or leave the exams out."
        )
