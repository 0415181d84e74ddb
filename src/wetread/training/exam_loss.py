"""training/exam_loss.py: the official log loss over exams, from logits, to be minimised."""

import torch
from torch import Tensor
from torch.nn import functional

from wetread.labels.exam_findings import EXAM_FINDINGS, IMAGE_FINDING


def exam_losses(
    study_logits: Tensor,
    image_logits: Tensor,
    study: Tensor,
    image: Tensor,
    real: Tensor,
    positives: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """What each exam adds above and below the line of evaluation/exam_loss.py: (B,), (B,).

    study_logits, study: (B, 9), columns as EXAM_FINDINGS; labels NaN where unknown.
    image_logits, image: (B, T); real: (B, T) bool, False where a shorter exam is padded. What
                         stands in the padding has no part in value or gradient.
    positives: (B,) positive images of the whole exam, where the batch holds a sample of them: the
               images given then stand for all. None: they are all there.

    The same as the metric wherever the probability lies in its clip; beyond it the metric is flat
    and this still pulls.
    """
    weights = study.new_tensor([finding.weight for finding in EXAM_FINDINGS])  # (9,)
    study_loss, study_known = _known_losses(study_logits, study, ~torch.isnan(study))
    image_loss, image_known = _known_losses(image_logits, image, real & ~torch.isnan(image))
    counted = image_known.sum(1)  # (B,)
    if positives is None:
        positives = torch.where(image_known, image, 0.0).sum(1)
    together = IMAGE_FINDING.weight * torch.where(counted > 0, positives, 0.0)  # (B,): w q n
    over = (study_loss * weights).sum(1) + together * image_loss.sum(1) / counted.clamp_min(1)
    return over, (study_known * weights).sum(1) + together


def exam_loss(over: Tensor, under: Tensor, mean_weight: float | None = None) -> Tensor:
    """The parts of a batch, (B,) each, to a scalar.

    mean_weight: evaluation.exam_loss.mean_exam_weight of the whole training set. The mean over
    batches of equal size is then the set's official loss, and its gradient that of the metric; a
    batch's own weight would let an exam count for less the more positive ones it happens to meet.
    None: the batch is the whole set.
    """
    if mean_weight is None:
        return over.sum() / under.sum().clamp_min(1e-12)
    return over.sum() / (len(over) * mean_weight)


def _known_losses(logits: Tensor, truth: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy of every element, 0 where the label is not known; and known itself."""
    each = functional.binary_cross_entropy_with_logits(
        torch.where(known, logits, 0.0), torch.where(known, truth, 0.0), reduction="none"
    )
    return torch.where(known, each, 0.0), known
