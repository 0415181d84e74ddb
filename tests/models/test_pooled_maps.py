"""tests/models/test_pooled_maps.py: mean and spread of maps, of every network of the table."""

import pytest
import torch
from torch import nn

from wetread.models.encoders import ENCODERS, build
from wetread.models.pooled_maps import PooledMaps


@pytest.mark.parametrize("masks", [0, 1])
@pytest.mark.parametrize("name", ["compact", "slim"])
def test_features_are_the_means_and_deviations_of_the_encoders_maps(name: str, masks: int) -> None:
    torch.manual_seed(0)
    network = build(name, 3, 2, masks).eval()
    x = torch.rand(2, 3, 64, 64)
    encoder = network.encoder if masks else network
    assert isinstance(encoder, nn.Module)
    maps = ENCODERS[name].maps(encoder, x)
    (features,) = PooledMaps(network, name)(x)
    channels = sum(one.shape[1] for one in maps)
    assert features.shape == (2, 2 * channels)
    first = maps[0]
    assert torch.allclose(features[:, 3], first[:, 3].mean((1, 2)), atol=1e-6)
    by_hand = ((first[:, 3] - first[:, 3].mean((1, 2), keepdim=True)) ** 2).mean((1, 2)).sqrt()
    assert torch.allclose(features[:, channels + 3], by_hand, atol=1e-5)


def test_noise_moves_the_deviations_of_the_finest_maps() -> None:
    torch.manual_seed(1)
    network = build("compact", 1, 1).eval()
    x = torch.full((1, 1, 64, 64), 0.5)
    pooled = PooledMaps(network, "compact")
    (plain,), (noisy,) = pooled(x), pooled(x + 0.1 * torch.randn_like(x))
    half = plain.shape[1] // 2
    assert (noisy - plain)[0, half : half + 24].max() > 10 * plain[0, half : half + 24].std()
