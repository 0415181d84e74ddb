"""training/optimizer.py: the optimizer, and its rate by counted steps."""

import math

import torch
from torch import nn

from wetread.training.recipe import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; vectors (biases and norms) do not decay."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": weights, "weight_decay": recipe.optimizer.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=recipe.optimizer.learning_rate,
        betas=(recipe.optimizer.beta1, recipe.optimizer.beta2),
    )


def rate_at(step: int, steps: int, recipe: Recipe) -> float:
    """The rate of step 0..steps-1: linear warm-up, then half a cosine down to the final rate."""
    warmup = math.ceil(recipe.optimizer.warmup_fraction * steps)
    if step < warmup:
        return recipe.optimizer.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(steps - 1 - warmup, 1)
    final = recipe.optimizer.final_rate_fraction
    return recipe.optimizer.learning_rate * (
        final + (1 - final) * (1 + math.cos(math.pi * done)) / 2
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """All groups take the rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
