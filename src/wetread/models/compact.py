"""models/compact.py: a small residual net that learns from random weights in minutes on a CPU.

Low stride and narrow: it reads ten times as many images a second as an EfficientNet-B0, which on
two cores matters more than depth. Mean pooling alone loses small bleeds; the maximum keeps them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

WIDTHS = (24, 48, 96, 128)
SLIM_WIDTHS = (16, 32, 48, 64, 96)  # for large images: half the work at the finest map


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; the first may halve the rows and columns."""

    def __init__(self, channels: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(channels, outputs, stride)
        self.second = convolution(outputs, outputs, 1)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map x (B, channels, H, W) to (B, outputs, H / stride, W / stride)."""
        shortcut = self.shortcut(x)
        x = torch.relu(self.first(x))
        return torch.relu(self.second(x) + shortcut)


class Compact(nn.Module):
    """Stem of stride 2, one block a width, mean and maximum of the last map, one linear layer."""

    def __init__(self, channels: int, outputs: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.stem = convolution(channels, widths[0], 2)
        before = (widths[0], *widths)
        self.blocks = nn.Sequential(
            *(ResidualBlock(before[i], width, 1 if i == 0 else 2) for i, width in enumerate(widths))
        )
        self.norm = nn.LayerNorm(2 * widths[-1])  # without it some seeds take epochs to start
        self.head = nn.Linear(2 * widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map gray (B, C, H, W) in [0, 1] to logits (B, F), float32."""
        x = compact_maps(self, x)[-1].float()
        x = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)  # (B, 2 * widths[-1])
        # Under autocast the last layer would round logits to 8 bits: ties between images.
        with torch.autocast(x.device.type, enabled=False):
            logits: Tensor = self.head(self.norm(x))
        return logits


def convolution(channels: int, outputs: int, stride: int) -> nn.Sequential:
    """Build a 3x3 convolution and its BatchNorm."""
    return nn.Sequential(
        nn.Conv2d(channels, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
    )


def compact_maps(model: nn.Module, x: Tensor) -> list[Tensor]:
    """Map gray (B, C, H, W) in [0, 1] to the map after each block: strides 2, 4, 8 and so on."""
    if not isinstance(model, Compact):
        raise TypeError(f"{type(model).__name__} is no Compact")
    x = torch.relu(model.stem(x * 2 - 1))
    maps = []
    for block in model.blocks:
        x = block(x)
        maps.append(x)
    return maps


def build_compact(channels: int, outputs: int, widths: Sequence[int] = WIDTHS) -> nn.Module:
    """Build the compact net: 0.45 million parameters with 3 channels and 6 outputs."""
    return Compact(channels, outputs, widths)
