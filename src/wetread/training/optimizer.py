"""training/optimizer.py: the optimizer, and its rate by counted steps."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from wetread.training.recipe import OptimizerSettings


def make_optimizer(
    model: nn.Module, settings: OptimizerSettings, *, learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """Make AdamW over the model's trained parameters; vectors (biases and norms) do not decay."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=learning_rate,
        betas=(settings.beta1, settings.beta2),
    )


def rate_at(step: int, steps: int, peak: float, settings: OptimizerSettings) -> float:
    """Return the rate of step 0..steps-1: a line up to the peak, then half a cosine down to the
    final fraction of it."""
    warmup = math.ceil(settings.warmup_fraction * steps)
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(steps - 1 - warmup, 1)
    final = settings.final_rate_fraction
    return peak * (final + (1 - final) * (1 + math.cos(math.pi * done)) / 2)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of all groups of parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def take_step(
    optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], max_norm: float
) -> None:
    """Clip the gradients to a length, step, and clear them."""
    nn.utils.clip_grad_norm_(list(parameters), max_norm)
    optimizer.step()
    optimizer.zero_grad()
