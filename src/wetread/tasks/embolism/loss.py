"""tasks/embolism/loss.py: the official log loss over exams, from logits, to be minimized."""

import torch
from torch import Tensor
from torch.nn import functional

from wetread.labels.exams import Exams
from wetread.tasks.embolism.exams import as_scored
from wetread.tasks.embolism.findings import EXAM_FINDINGS, IMAGE_FINDING, NOT_POSITIVE, RATIOS
from wetread.tasks.embolism.metric import mean_exam_weight
from wetread.training.losses import SeriesLoss
from wetread.training.series.batches import SeriesBatch
from wetread.training.series.series import Series


def loss_parts(
    study_logits: Tensor,
    image_logits: Tensor,
    study: Tensor,
    image: Tensor,
    real: Tensor,
    positives: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Compute each exam's part above and below the line of tasks/embolism/metric.py: (B,), (B,).

    study_logits, study: (B, 9), columns as EXAM_FINDINGS; labels NaN where unknown.
    image_logits, image: (B, T); real: (B, T) bool, False where a shorter exam is padded;
                         values in the padding have no part in value or gradient.
    positives: (B,) positive images of the whole exam, where the batch holds a sample of them: the
               images given then stand for all. None: they are all there.

    Equal to the metric wherever the probability lies in its clip; beyond it the metric is flat and
    this still has a gradient.
    """
    weights = study.new_tensor([finding.weight for finding in EXAM_FINDINGS])  # (9,)
    study_loss, study_known = _known_losses(study_logits, study, ~torch.isnan(study))
    image_loss, image_known = _known_losses(image_logits, image, real & ~torch.isnan(image))
    counted = image_known.sum(1)  # (B,)
    if positives is None:
        positives = torch.where(image_known, image, 0.0).sum(1)
    image_total = IMAGE_FINDING.weight * torch.where(counted > 0, positives, 0.0)  # (B,): w q n
    over = (study_loss * weights).sum(1) + image_total * image_loss.sum(1) / counted.clamp_min(1)
    return over, (study_known * weights).sum(1) + image_total


def batch_loss(over: Tensor, under: Tensor, mean_weight: float | None = None) -> Tensor:
    """Reduce the parts of a batch, (B,) each, to a scalar.

    mean_weight: mean_exam_weight of the whole training set. The mean over
    batches of equal size is then the set's official loss, and its gradient that of the metric; a
    batch's own weight would let an exam count for less the more positive ones it happens to meet.
    None: the batch is the whole set.
    """
    if mean_weight is None:
        return over.sum() / under.sum().clamp_min(1e-12)
    return over.sum() / (len(over) * mean_weight)


def _known_losses(logits: Tensor, truth: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the cross entropy of every element, any shape, 0 where the label is not known; and
    return known as well."""
    each = functional.binary_cross_entropy_with_logits(
        torch.where(known, logits, 0.0), torch.where(known, truth, 0.0), reduction="none"
    )
    return torch.where(known, each, 0.0), known


def series_exam_loss(learned: Series, positive_exam_weight: float) -> SeriesLoss:
    """Make the official loss of series (one an exam) for a sequence network.

    learned: the set that batches are drawn from. The columns of its studies are EXAM_FINDINGS and
    then positive_exam, which the metric leaves out: its cross entropy is added with
    positive_exam_weight.
    """
    labels = len(EXAM_FINDINGS)
    truth = as_scored(Exams(learned.study[:, :labels], learned.image[:, 0], learned.starts))
    mean_weight = mean_exam_weight(truth)

    def loss(image: Tensor, study: Tensor, batch: SeriesBatch) -> Tensor:
        """image (B, L, 1) and study (B, 10) logits to the scalar loss of a batch."""
        over, under = loss_parts(
            study[:, :labels],
            image[..., 0],
            _counted(batch.study[:, :labels]),
            batch.image[..., 0],
            batch.valid,
            batch.positives,
        )
        positive_exam = batch.study[:, labels]
        known = ~torch.isnan(positive_exam)
        extra = functional.binary_cross_entropy_with_logits(
            study[:, labels], torch.where(known, positive_exam, 0.0), weight=known.to(study)
        )
        return batch_loss(over, under, mean_weight) + positive_exam_weight * extra

    return loss


def _counted(study: Tensor) -> Tensor:
    """Set RV/LV (B, 9) as the metric counts it: "no" in exams known not to be positive."""
    undefined = (study[:, list(NOT_POSITIVE)] >= 0.5).any(1, keepdim=True)
    ratios = study[:, list(RATIOS)]
    counted = study.clone()
    counted[:, list(RATIOS)] = torch.where(undefined & torch.isnan(ratios), 0.0, ratios)
    return counted
