"""training/losses.py: what is minimised, and what balanced epochs do to probabilities."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional


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
    """What masked_loss divides by: the sum of weights (F,) over what target (B, F) knows."""
    return (weights * ~torch.isnan(target)).sum()


def prior_logits(targets: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Targets (N, F), NaN unknown, to the logits (F,) of their shares; half a slice is added."""
    known = (~np.isnan(targets)).sum(0)
    positive = np.nansum(targets, axis=0)
    return np.asarray(np.log((positive + 0.5) / (known - positive + 0.5)), np.float32)


def undo_balance(
    probabilities: npt.NDArray[np.float64], negative_rate: float
) -> npt.NDArray[np.float64]:
    """Probabilities (N, F) learned on balanced epochs to those of the whole set.

    Balanced epochs keep every slice with any finding and a share r (negative_rate) of those with
    none. By Bayes, with a = the learned probability of some finding, the measure of a slice's
    look is a + (1 - a) / r times what was learned, so every finding is divided by that:
    p = q / (a + (1 - a) / r). For a finding that is the union of all (any), or the only one, this
    is its odds times r: log r on its logit. For a part of the union it depends on the slice: where
    blood is sure its kind needs no correction, where there is none it needs r.

    a is taken as the largest probability of the slice: exact where one finding is the union.
    """
    some = probabilities.max(axis=1, keepdims=True)
    return np.asarray(probabilities / (some + (1 - some) / negative_rate), np.float64)
