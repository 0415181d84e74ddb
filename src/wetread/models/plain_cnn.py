"""models/plain_cnn.py: two plain convolutional networks as public notebooks have them, to compare.

Both end in a flattened map of 16 x 16; larger or smaller images are averaged to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

GRID = 16  # rows and columns of the last map


class PlainCnn(nn.Module):
    """Blocks of convolutions with a pooling between them, and linear layers on the flattened map.

    With `hidden` the activation is a leaky ReLU, without it ReLU after BatchNorm.
    """

    def __init__(
        self, channels: int, outputs: int, blocks: Sequence[Sequence[int]], hidden: int
    ) -> None:
        """blocks: widths of the convolutions of each block; hidden: width of a linear layer before
        the last one, 0 for none."""
        super().__init__()
        self.blocks = nn.ModuleList()
        before = channels
        for widths in blocks:
            layers: list[nn.Module] = []
            for width in widths:
                layers.append(nn.Conv2d(before, width, 3, padding=1))
                layers += [nn.LeakyReLU(0.1)] if hidden else [nn.BatchNorm2d(width), nn.ReLU()]
                before = width
            self.blocks.append(nn.Sequential(*layers))
        flat = GRID * GRID * before
        self.flatten = nn.Sequential(nn.AdaptiveAvgPool2d(GRID), nn.Flatten())
        self.hidden = (
            nn.Sequential(nn.Linear(flat, hidden), nn.LeakyReLU(0.1)) if hidden else nn.Identity()
        )
        self.head = nn.Linear(hidden or flat, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map gray (B, C, H, W) in [0, 1] to logits (B, F), float32."""
        x = self.hidden(self.flatten(plain_cnn_maps(self, x)[-1])).float()
        with torch.autocast(x.device.type, enabled=False):
            logits: Tensor = self.head(x)
        return logits


def plain_cnn_maps(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Map gray (B, C, H, W) to the map of each block, strides 1, 2, 4 and so on, and the last one
    pooled."""
    if not isinstance(model, PlainCnn):
        raise TypeError(f"{type(model).__name__} is no PlainCnn")
    maps = []
    for block in model.blocks:
        x = block(x)
        maps.append(x)
        x = nn.functional.max_pool2d(x, 2)
    return [*maps, x]


def build_three_convolutions(channels: int, outputs: int) -> nn.Module:
    """Build three convolutions of 32, 64 and 128, a pooling after each, and two linear layers: 4.3
    million parameters with 3 channels and 6 outputs at 128 pixels."""
    return PlainCnn(channels, outputs, ((32,), (64,), (128,)), hidden=128)


def build_seven_convolutions(channels: int, outputs: int) -> nn.Module:
    """Build seven convolutions with BatchNorm, 32 to 128, and one linear layer on the flattened
    map: 0.6 million parameters with 1 channel and 6 outputs."""
    return PlainCnn(channels, outputs, ((32, 32), (64, 64), (128, 128, 128)), hidden=0)
