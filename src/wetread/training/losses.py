"""training/losses.py: what is minimized, and the logits of shares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from wetread.training.recipe import Recipe
from wetread.training.series.batches import SeriesBatch

SeriesLoss = Callable[[Tensor, Tensor, SeriesBatch], Tensor]


def masked_loss(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of the binary cross entropy over what is known; a scalar.

    logits, target: (B, F), target in 0..1 or NaN where unknown; weights: (F,). Nothing known: 0.
    """
    known = ~torch.isnan(target)
    weight = weights * known
    each = functional.binary_cross_entropy_with_logits(
        logits, torch.where(known, target, 0.0), reduction="none"
    )
    return (each * weight).sum() / weight.sum().clamp_min(1e-12)


def known_weight(target: Tensor, weights: Tensor) -> Tensor:
    """Sum the weights (F,) over what target (B, F) knows, by which masked_loss divides."""
    return (weights * ~torch.isnan(target)).sum()


def plain_series_loss(image: Tensor, study: Tensor, truth: SeriesBatch) -> Tensor:
    """Mean cross entropy of the slices (B, L, I) plus that of the studies (B, S), what is known."""
    ones = image.new_ones(image.shape[-1]), study.new_ones(study.shape[-1])
    return masked_loss(image, truth.image, ones[0]) + masked_loss(study, truth.study, ones[1])


def weighted_series_loss(weights: Sequence[float], study_weight: float) -> SeriesLoss:
    """Make the loss of series whose slices and studies have the same F findings, weighted by
    weights (F,): cross entropy of the slices plus study_weight times that of the studies."""

    def loss(image: Tensor, study: Tensor, truth: SeriesBatch) -> Tensor:
        """Map logits image (B, L, F) and study (B, F) to the scalar loss of a batch."""
        each = image.new_tensor(weights)
        of_images = masked_loss(image, truth.image, each)
        return of_images + study_weight * masked_loss(study, truth.study, each)

    return loss


def pooled_series_loss(weights: Sequence[float]) -> SeriesLoss:
    """Make the loss of series of F findings that are known of studies, or of slices, or of both,
    weighted by weights (F,): cross entropy of the studies plus that of the slices."""

    def loss(image: Tensor, study: Tensor, truth: SeriesBatch) -> Tensor:
        """Map logits image (B, L, F) and study (B, F) to the scalar loss of a batch."""
        each = image.new_tensor(weights)
        return masked_loss(study, truth.study, each) + masked_loss(image, truth.image, each)

    return loss


@dataclass(frozen=True)
class MaskCounts:
    """Of a whole batch: masks that are known, and those of them with anything inside."""

    known: int
    positive: int


def count_masks(masks: npt.NDArray[np.float32], known: npt.NDArray[np.bool_]) -> MaskCounts:
    """masks (B, M, h, w), known (B, M)."""
    return MaskCounts(int(known.sum()), int((known & (masks.max((2, 3), initial=0) > 0)).sum()))


def mask_loss(
    logits: Tensor, true: Tensor, known: Tensor, recipe: Recipe, counts: MaskCounts
) -> Tensor:
    """This part's share of the loss of a batch's masks, a scalar; 0 where none is known.

    logits, true: (B, M, h, w), true in [0, 1]; known: (B, M). Cross entropy (pixels inside weigh
    recipe.masks.positive_weight) and focal loss (Lin and others 2017, gamma 2) are means over the
    known masks, the soft Dice loss is the mean over those with anything inside: over empty ones
    it would say the same of one wrong pixel and of a thousand.
    """
    inside = torch.tensor(recipe.masks.positive_weight, device=logits.device)
    loss = logits.new_zeros(())
    weight = known / max(counts.known, 1)
    if recipe.masks.bce:
        each = functional.binary_cross_entropy_with_logits(
            logits, true, reduction="none", pos_weight=inside
        )
        loss = loss + recipe.masks.bce * (each.mean((2, 3)) * weight).sum()
    if recipe.masks.focal:
        each = functional.binary_cross_entropy_with_logits(logits, true, reduction="none")
        each = each * (1 - torch.exp(-each)) ** 2
        loss = loss + recipe.masks.focal * (each.mean((2, 3)) * weight).sum()
    if recipe.masks.dice:
        share = logits.sigmoid()
        overlap, area = (share * true).sum((2, 3)), (share + true).sum((2, 3))
        dice = 1 - (2 * overlap + 1) / (area + 1)
        positive = known & (true.amax((2, 3)) > 0)
        loss = loss + recipe.masks.dice * (dice * positive).sum() / max(counts.positive, 1)
    return loss


def prior_logits(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Targets (N, F), NaN unknown, to the logits (F,) of their shares; half a slice is added."""
    known = (~np.isnan(targets)).sum(0)
    positive = np.nansum(targets, axis=0)
    return np.asarray(np.log((positive + 0.5) / (known - positive + 0.5)), np.float32)
