"""models/heat.py: which parts of an image speak for a logit: HiResCAM over the last feature map.

Draelos and Carin 2020, arXiv 2011.08891: activation times gradient, summed over channels. With mean
pooling before a linear layer it is exactly what each place adds to the logit.
"""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import Tensor, nn


def heat_map(model: nn.Module, x: Tensor, output: int) -> Tensor:
    """Map gray (B, C, H, W) in [0, 1] to what each place adds to a logit, (B, h, w) float32 >= 0.

    h, w: of the network's last map, some 1/32 of the image. What speaks against is left at 0.
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
        (gradient,) = torch.autograd.grad(logits[:, output].sum(), found[-1])
    return (gradient * found[-1]).sum(1).clamp_min(0).detach().float()
