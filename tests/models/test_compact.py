"""tests/models/test_compact.py: the compact net's maps and its size."""

import pytest
import torch

from wetread.models.compact import (
    SLIM_WIDTHS,
    WIDTHS,
    ResidualBlock,
    build_compact,
    compact_maps,
    convolution,
)


@pytest.mark.parametrize("widths", [WIDTHS, SLIM_WIDTHS])
def test_maps_halve_from_stride_2_on_and_have_the_widths(widths: tuple[int, ...]) -> None:
    model = build_compact(2, 5, widths).eval()
    with torch.inference_mode():
        maps = compact_maps(model, torch.rand(3, 2, 64, 32))
    shapes = [(3, width, 32 >> level, 16 >> level) for level, width in enumerate(widths)]
    assert [tuple(x.shape) for x in maps] == shapes


def test_logits_are_the_linear_layer_over_mean_and_maximum_of_the_last_map() -> None:
    model = build_compact(1, 3).eval()
    image = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        last = compact_maps(model, image)[-1]
        pools = torch.cat([last.mean((2, 3)), last.amax((2, 3))], 1)
        head, norm = model.get_submodule("head"), model.get_submodule("norm")
        torch.testing.assert_close(model(image), head(norm(pools)))


@pytest.mark.parametrize(("stride", "outputs"), [(1, 4), (1, 6), (2, 4)])
def test_a_block_whose_convolutions_are_zero_is_its_shortcut(stride: int, outputs: int) -> None:
    block = ResidualBlock(4, outputs, stride).eval()
    for part in (block.first, block.second):
        torch.nn.init.zeros_(part[0].weight)  # type: ignore[arg-type]
    x = torch.rand(1, 4, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(block(x), torch.relu(block.shortcut(x)))
        assert block(x).shape == (1, outputs, 8 // stride, 8 // stride)
    assert isinstance(block.shortcut, torch.nn.Identity) == (stride == 1 and outputs == 4)


def test_a_convolution_has_no_bias_before_its_norm() -> None:
    first, norm = convolution(2, 3, 2)
    assert first.bias is None
    assert norm.num_features == 3


def test_maps_of_another_network_are_refused() -> None:
    with pytest.raises(TypeError, match="Linear is no Compact"):
        compact_maps(torch.nn.Linear(1, 1), torch.rand(1, 1))
