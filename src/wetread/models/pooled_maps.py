"""models/pooled_maps.py: how an image looks to a network: mean and spread of each of its maps.

Fine maps answer to noise and edges, deep ones to anatomy: both tell an image that is unlike those
that were learned (Lee et al. 2018, arXiv 1807.03888).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from wetread.models.encoders import find_encoder
from wetread.models.unet import Unet


class PooledMaps(nn.Module):
    """An encoder's maps, each channel as its mean and its standard deviation over the picture.

    encoder: a name of ENCODERS; network: of that encoder, or a U-Net over it; it is copied.
    """

    def __init__(self, network: nn.Module, encoder: str) -> None:
        super().__init__()
        network = copy.deepcopy(network)
        self.encoder = network.encoder if isinstance(network, Unet) else network
        self.maps = find_encoder(encoder).maps

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Map gray (B, C, H, W) in [0, 1] to features (B, D) float32: all means, then all
        deviations, the finest map first."""
        maps = [one.float().flatten(2) for one in self.maps(self.encoder, x)]
        means = [one.mean(2) for one in maps]
        spreads = [one.std(2, correction=0) for one in maps]
        return (torch.cat([*means, *spreads], 1),)
