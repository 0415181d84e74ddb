"""training/optimizer.py: the optimizer, and its rate by counted steps."""

import math
from collections.abc import Collection, Iterable

import torch
from torch import nn

from wetread.training.recipe import OptimizerSettings

SHARE = "rate_share"  # of a group of parameters, in the rate


def make_optimizer(
    model: nn.Module,
    settings: OptimizerSettings,
    *,
    learning_rate: float,
    weight_decay: float,
    encoder: Collection[nn.Parameter] = (),
) -> torch.optim.AdamW:
    """Make AdamW over the model's trained parameters; vectors (biases and norms) do not decay.

    encoder: parameters whose rate is settings.encoder_rate of that of the others.
    """
    slow = {id(p) for p in encoder}
    trained = [p for p in model.parameters() if p.requires_grad]
    groups: list[dict[str, object]] = []
    for share, part in (
        (1.0, [p for p in trained if id(p) not in slow]),
        (settings.encoder_rate, [p for p in trained if id(p) in slow]),
    ):
        if part:
            matrices, vectors = (
                [p for p in part if (p.ndim > 1) is is_2d] for is_2d in (True, False)
            )
            groups.append({"params": matrices, "weight_decay": weight_decay, SHARE: share})
            groups.append({"params": vectors, "weight_decay": 0.0, SHARE: share})
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(settings.beta1, settings.beta2))


def freeze_encoder(encoder: Iterable[nn.Parameter], settings: OptimizerSettings) -> None:
    """Compute no gradient for an encoder whose rate is 0. It stays among the optimizer's groups, so
    that a checkpoint with all of them fits."""
    if settings.encoder_rate == 0:
        for parameter in encoder:
            parameter.requires_grad_(False)


def train_mode(model: nn.Module, settings: OptimizerSettings) -> nn.Module:
    """Put a model into training mode; with freeze_norms its BatchNorm layers go on to use the
    statistics that they have, and do not change them."""
    model.train()
    if settings.freeze_norms:
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
    return model


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
    """Set the rate of all groups of parameters, of each its share."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(SHARE, 1.0)  # earlier checkpoints have no shares


def take_step(
    optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], max_norm: float
) -> None:
    """Clip the gradients to a length, step, and clear them."""
    nn.utils.clip_grad_norm_(list(parameters), max_norm)
    optimizer.step()
    optimizer.zero_grad()
