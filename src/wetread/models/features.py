"""models/features.py: a network parted before its last layer: features, and the logits of them."""

import copy

from torch import nn

from wetread.models.encoders import last_linear


def parted(model: nn.Module) -> tuple[nn.Module, nn.Linear]:
    """A copy that gives the D numbers the last linear layer takes, and that layer.

    Grey (B, C, H, W) to features (B, D), and features to logits (B, F): one after the other they
    are the model.
    """
    body = copy.deepcopy(model)
    head = last_linear(body)
    name = next(name for name, module in body.named_modules() if module is head)
    body.set_submodule(name, nn.Identity())
    return body, head
