"""models/heat.py: which parts of an image speak for a logit: HiResCAM over the last feature map.

Draelos and Carin 2020, arXiv 2011.08891: activation times gradient, summed over channels. With mean
pooling before a linear layer it is exactly what each place adds to the logit.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn


def heat_map(model: nn.Module, x: Tensor, output: int, back: int = 0) -> Tensor:
    """Map gray (B, C, H, W) in [0, 1] to what each place adds to a logit, (B, h, w) float32 >= 0.

    h, w: of the network's last map, some 1/32 of the image; back: of so many sizes before it. What
    speaks against is left at 0. IndexError where there is none.
    """
    found: list[Tensor] = []

    def keep(module: nn.Module, given: object, out: object) -> None:
        if isinstance(out, Tensor) and out.ndim == 4 and min(out.shape[2:]) > 1:
            found.append(out)

    training = model.training
    with ExitStack() as stack, torch.enable_grad():
        stack.callback(model.train, training)
        for module in model.eval().modules():
            stack.callback(module.register_forward_hook(keep).remove)
        logits = model(x)
        chosen = _last_of_sizes(found)[back]
        (gradient,) = torch.autograd.grad(logits[:, output].sum(), chosen)
    return (gradient * chosen).sum(1).clamp_min(0).detach().float()


def _last_of_sizes(maps: Sequence[Tensor]) -> list[Tensor]:
    """Choose the last of the maps of each size, from the end on."""
    last: dict[tuple[int, ...], Tensor] = {}
    for one in reversed(maps):
        last.setdefault(tuple(one.shape[2:]), one)
    return list(last.values())
