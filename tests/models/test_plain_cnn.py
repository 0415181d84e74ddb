"""tests/models/test_plain_cnn.py: the sizes that the notebooks print."""

import pytest
import torch

from wetread.models.plain_cnn import (
    PlainCnn,
    build_seven_convolutions,
    build_three_convolutions,
    plain_cnn_maps,
)


def test_at_128_pixels_a_map_of_16_is_flattened_as_it_is() -> None:
    model = build_three_convolutions(3, 6).eval()
    # 3x3 convolutions 3-32-64-128, 32,768 x 128, 128 x 6, all with biases
    convolutions = (27 + 1) * 32 + (288 + 1) * 64 + (576 + 1) * 128
    expected = convolutions + (32_768 + 1) * 128 + 129 * 6
    assert sum(weight.numel() for weight in model.parameters()) == expected
    assert isinstance(model, PlainCnn)
    last = plain_cnn_maps(model, torch.rand(1, 3, 128, 128))[-1]
    torch.testing.assert_close(model.flatten(last), last.flatten(1))


def test_maps_of_blocks_halve() -> None:
    model = build_seven_convolutions(1, 6).eval()
    sizes = [map_.shape[-1] for map_ in plain_cnn_maps(model, torch.rand(1, 1, 64, 64))]
    assert sizes == [64, 32, 16, 8]


def test_another_network_has_no_such_maps() -> None:
    with pytest.raises(TypeError, match="no PlainCnn"):
        plain_cnn_maps(torch.nn.Identity(), torch.rand(1, 1, 8, 8))
