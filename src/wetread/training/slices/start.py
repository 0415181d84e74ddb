"""training/slices/start.py: the last layer's biases at the start: the findings' shares."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from wetread.archive.types import Float32Array, Float64Array
from wetread.models.encoders import last_linear
from wetread.training.losses import prior_logits
from wetread.training.recipe import Recipe
from wetread.training.slices.batches import TrainSet, epoch_items
from wetread.training.slices.predict import predict_with_masks

SAMPLE = 512  # slices over which a learned head is asked
WIDEST = 30.0  # logits that a bias is moved by, at most


def start_at_priors(model: nn.Module, data: TrainSet, recipe: Recipe) -> None:
    """Set the last layer's bias to the logits of the findings' shares in the first epoch."""
    first = data.targets[epoch_items(data.targets, recipe, 0)]
    with torch.no_grad():
        last_linear(model).bias.copy_(torch.from_numpy(prior_logits(first)))


def shift_to_priors(model: nn.Module, data: TrainSet, recipe: Recipe) -> None:
    """Shift the bias of a last layer that has learned elsewhere, so that the mean of what it gives
    for the first epoch's slices is the findings' share among them.

    At a low rate a bias moves by hundredths: it would keep the share of what was learned before.
    """
    items = epoch_items(data.targets, recipe, 0)[:SAMPLE]
    training = model.training
    batches = predict_with_masks(model, data.source, data.rows[items], recipe.view, recipe)
    logits = np.concatenate([batch.logits for batch in batches])
    model.train(training)
    shift = np.array(
        [
            bias_shift(logits[:, column], data.targets[items, column])
            for column in range(logits.shape[1])
        ]
    )
    with torch.no_grad():
        last_linear(model).bias.add_(torch.from_numpy(shift.astype(np.float32)))


def bias_shift(logits: Float64Array, target: Float32Array) -> float:
    """Find what is to be added to logits (N,) for the mean of their sigmoid to be the share of
    positives in target (N,), NaN unknown; half a slice is added. 0 where nothing is known."""
    from scipy.optimize import brentq

    known = ~np.isnan(target)
    if not known.any():
        return 0.0
    share = (float(target[known].sum()) + 0.5) / (int(known.sum()) + 1)
    given = logits[known]

    def excess(shift: float) -> float:
        """Mean probability beyond the share."""
        return float(np.mean(1 / (1 + np.exp(-(given + shift))))) - share

    reach = WIDEST + float(np.abs(given).max())
    return float(brentq(excess, -reach, reach))
