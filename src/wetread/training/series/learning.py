"""training/series/learning.py: a step of a training of series, by one process or by several.

Losses of series are of whole batches. So each process computes the logits of its share of the
series, the first one the loss of all and what it changes by with each logit, and each with that the
gradient of its share; the first adds them up. It alone has the optimizer, as for slices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from wetread.archive.types import Int64Array
from wetread.training.processes import (
    broadcast,
    gather,
    process_rank,
    reduce_sum,
    scatter,
    world_size,
)
from wetread.training.random_streams import RandomStream, make_generator

Logits = tuple[Tensor, Tensor]  # of slices (B, L, I), 0 at padding, and of studies (B, S)
Place = tuple[int, int, int]  # seed, epoch, step
LossOfLogits = Callable[[Tensor, Tensor], Tensor]


def series_shares(size: int) -> list[Int64Array]:
    """Deal the places of a batch's series to the processes, (n,) each; some may have none."""
    return list(np.array_split(np.arange(size), world_size()))


def series_share(size: int) -> Int64Array:
    """Find the places (n,) of this process's share."""
    return series_shares(size)[process_rank()]


def learn_shared(
    model: nn.Module, logits: Callable[[], Logits | None], loss: LossOfLogits, place: Place
) -> Tensor:
    """Return in the first process the loss of a batch of series, a scalar, with its gradient in the
    parameters' grad.

    logits: computes those of this process's share. loss: of the logits of the whole batch, padded
    to the longest series. place: seed, epoch and step of what is drawn by chance.
    """
    own = _own_logits(model, logits, place)
    each = gather(_plain(own))
    image, study = _padded([one for one in each if one is not None])
    image, study = (one.to(_device(model)).requires_grad_() for one in (image, study))
    value = loss(image, study)
    changes = torch.autograd.grad(value, [image, study], allow_unused=True)
    image_grad, study_grad = (
        torch.zeros_like(one) if change is None else change
        for one, change in zip((image, study), changes, strict=True)
    )
    sizes = [0 if one is None else len(one[1]) for one in each]
    image_parts = torch.split(image_grad.cpu(), sizes)
    study_parts = torch.split(study_grad.cpu(), sizes)
    parts = [
        (image[:, : one[0].shape[1]], study) if one is not None else None
        for image, study, one in zip(image_parts, study_parts, each, strict=True)
    ]
    _backward(model, own, scatter(parts))
    return value.detach()


def help_to_learn(model: nn.Module, logits: Callable[[], Logits | None], place: Place) -> None:
    """Compute in another process the logits of its share of a batch, and their gradient."""
    own = _own_logits(model, logits, place)
    gather(_plain(own))
    _backward(model, own, cast(Logits | None, scatter(None)))
    model.zero_grad()


def _own_logits(
    model: nn.Module, logits: Callable[[], Logits | None], place: Place
) -> Logits | None:
    """Compute the share's logits with the first process's weights; no two processes draw the same
    by chance (dropout)."""
    broadcast(_learned(model))
    rng = make_generator(place[0], RandomStream.DROPOUT, *place[1:], process_rank())
    torch.manual_seed(int(rng.integers(2**63)))
    return logits()


def _backward(model: nn.Module, own: Logits | None, changes: Logits | None) -> None:
    """Leave in the first process's parameters the gradient of the whole batch."""
    if own is not None and changes is not None:
        pairs = [(one, c.to(one)) for one, c in zip(own, changes, strict=True) if one.requires_grad]
        torch.autograd.backward([one for one, _ in pairs], [change for _, change in pairs])
    reduce_sum([torch.zeros_like(p) if p.grad is None else p.grad for p in _learned(model)])


def _learned(model: nn.Module) -> list[Tensor]:
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _plain(logits: Logits | None) -> Logits | None:
    if logits is None:
        return None
    image, study = logits
    return image.detach().cpu(), study.detach().cpu()


def _padded(each: list[Logits]) -> Logits:
    """Join logits of several shares, image (B, L, I) padded with 0 to the longest, study (B, S)."""
    longest = max(image.shape[1] for image, _ in each)
    images = [nn.functional.pad(image, (0, 0, 0, longest - image.shape[1])) for image, _ in each]
    return torch.cat(images), torch.cat([study for _, study in each])
