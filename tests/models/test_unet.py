"""tests/models/test_unet.py: masks over every encoder, and the image's logits beside them."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wetread.models.encoders import ENCODERS, build, forward_with_masks, last_linear
from wetread.models.unet import MASK_BIAS, Unet, mean_of_highest
from wetread.training.recipe import Recipe
from wetread.training.slices.data_parallel import _replica

every_encoder = pytest.mark.parametrize("name", list(ENCODERS))


@pytest.fixture(autouse=True)
def _seeded_and_single_threaded():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(before)


@every_encoder
@pytest.mark.parametrize(
    ("channels", "rows", "columns", "stride", "autocast"),
    [(1, 96, 96, 2, False), (3, 64, 128, 4, True), (1, 256, 256, 4, True)],
)
def test_logits_and_masks_have_their_shapes_and_are_float32(
    name: str, channels: int, rows: int, columns: int, stride: int, autocast: bool
) -> None:
    model = build(name, channels, 2, masks=3, mask_stride=stride).eval()
    image = torch.rand(1, channels, rows, columns)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits, masks = forward_with_masks(model, image)
        assert torch.equal(model(image), logits)
    assert masks is not None
    assert logits.shape == (1, 2)
    assert masks.shape == (1, 3, rows // stride, columns // stride)
    assert logits.dtype == masks.dtype == torch.float32
    assert logits.isfinite().all()
    assert masks.isfinite().all()


@every_encoder
def test_gradients_reach_every_parameter(name: str) -> None:
    model = build(name, 1, 1, masks=1).train()
    losses(model, torch.rand(2, 1, 96, 96)).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().max() > 0, key


@every_encoder
def test_a_twin_with_shared_parameters_gives_the_same_outputs_and_gradients(name: str) -> None:
    model = build(name, 1, 1, masks=1).train()
    twin, before = _replica(model, Recipe()), copy.deepcopy(model)
    image = torch.rand(2, 1, 64, 64)
    ours = torch.autograd.grad(losses(model, image), list(model.parameters()))
    theirs = torch.autograd.grad(losses(twin, image), list(model.parameters()))
    assert all(map(torch.equal, ours, theirs))
    for one, other in zip(model.buffers(), twin.buffers(), strict=True):
        assert one is not other
        assert torch.equal(one, other)  # BatchNorm ran along in both, each its own
    assert all(map(torch.equal, model.parameters(), before.parameters()))


@every_encoder
def test_the_last_linear_layer_gives_the_logits_of_the_image(name: str) -> None:
    model = build(name, 3, 5, masks=1).eval()
    head = last_linear(model)
    with torch.inference_mode():
        head.weight.zero_()
        head.bias.copy_(torch.arange(5.0))
        assert torch.equal(model(torch.rand(1, 3, 64, 64)), torch.arange(5.0)[None])


@pytest.mark.parametrize("name", ["compact", "slim"])
def test_what_moves_by_the_deepest_stride_moves_in_the_mask_alike(name: str) -> None:
    model = build(name, 1, 1, masks=1).eval()
    image = torch.zeros(1, 1, 640, 64)
    image[:, :, 304:336] = torch.rand(1, 1, 32, 64)
    with torch.inference_mode():
        masks = forward_with_masks(model, image)[1]
        moved = forward_with_masks(model, image.roll(32, 2))[1]
    assert masks is not None
    assert moved is not None
    torch.testing.assert_close(moved[:, :, 76:92], masks[:, :, 68:84], rtol=0, atol=1e-4)
    assert masks[:, :, 68:84].std() > 0.01


def test_the_maps_of_every_encoder_halve_from_one_to_the_next() -> None:
    for name, row in ENCODERS.items():
        with torch.inference_mode():
            maps = row.maps(row.build(1, 1).eval(), torch.rand(1, 1, 64, 64))
        sides = [x.shape[-1] for x in maps]
        assert sides[0] in (64, 32), name
        assert all(fine == 2 * coarse for fine, coarse in pairwise(sides)), name


def test_the_deepest_map_is_the_one_the_networks_own_head_stands_on() -> None:
    image = torch.rand(2, 1, 64, 64)
    for name in ("efficientnet_b0", "efficientnet_lite0", "densenet121", "resnet18"):
        model = build(name, 1, 3).eval()
        with torch.inference_mode():
            pooled = ENCODERS[name].maps(model, image)[-1].mean((2, 3))
            torch.testing.assert_close(last_linear(model)(pooled), model(image))


def test_masks_start_at_their_bias() -> None:
    model = build("slim", 1, 1, masks=1).eval()
    assert isinstance(model, Unet)
    with torch.inference_mode():
        model.mask_head.weight.zero_()
        masks = model.forward_with_masks(torch.rand(1, 1, 64, 64))[1]
    assert torch.equal(masks, torch.full((1, 1, 16, 16), MASK_BIAS))


@pytest.mark.parametrize(("side", "count"), [(4, 16), (16, 20), (64, 20), (100, 50), (256, 328)])
def test_the_highest_pixels_are_half_a_percent_and_at_least_twenty(side: int, count: int) -> None:
    masks = torch.randn(2, 3, side, side)
    expected = np.sort(masks.numpy().reshape(2, 3, -1), axis=2)[:, :, -count:].mean(2)
    np.testing.assert_allclose(mean_of_highest(masks).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_sizes_that_are_no_multiple_of_32_are_refused() -> None:
    with pytest.raises(ValueError, match=r"multiples of 32, not 64 x 80"):
        build("slim", 1, 1, masks=1)(torch.rand(1, 1, 64, 80))


def test_a_mask_stride_without_a_map_is_refused_and_those_there_are_named() -> None:
    with pytest.raises(ValueError, match="mask_stride 3: this encoder has maps at strides 2, 4, 8"):
        build("compact", 1, 1, masks=1, mask_stride=3)


def test_a_network_without_masks_says_none() -> None:
    model = build("compact", 1, 2).eval()
    image = torch.rand(2, 1, 48, 48)
    logits, masks = forward_with_masks(model, image)
    assert masks is None
    assert torch.equal(logits, model(image))


def test_no_layer_draws_by_chance() -> None:
    for name in ENCODERS:
        model = build(name, 1, 1, masks=1).train()
        before = torch.get_rng_state()
        forward_with_masks(
            model, torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
        )
        assert torch.equal(torch.get_rng_state(), before), name


def test_it_learns_to_outline_bright_discs_and_to_say_whether_there_is_one() -> None:
    model = build("slim", 1, 1, masks=1).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(32):
        image, truth = discs(12, generator)
        logits, masks = forward_with_masks(model, image)
        assert masks is not None
        there = truth.amax((2, 3))
        loss = nn.functional.binary_cross_entropy_with_logits(logits, there)
        loss = loss + 3 * nn.functional.binary_cross_entropy_with_logits(masks, truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    image, truth = discs(64, generator)
    with torch.inference_mode():
        logits, masks = forward_with_masks(model.eval(), image)
    assert masks is not None
    said, there = masks > 0, truth > 0.5
    dice = 2 * (said & there).sum() / (said.sum() + there.sum())
    right = ((logits > 0) == (truth.amax((2, 3)) > 0)).float().mean()
    assert dice > 0.7
    assert right > 0.9


def losses(model: nn.Module, image: Tensor) -> Tensor:
    """Something that all of a network's outputs bear on."""
    logits, masks = forward_with_masks(model, image)
    assert masks is not None
    return logits.square().sum() + masks.square().mean()


def discs(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Noise (count, 1, 64, 64), in every other a disc of radius 8; the truth at stride 4."""
    image = 0.4 + 0.1 * torch.randn(count, 1, 64, 64, generator=generator)
    center = torch.randint(12, 52, (count, 2), generator=generator)
    away = torch.arange(64)[None] - center[:, :, None]  # (count, 2, 64)
    disc = away[:, 0, :, None] ** 2 + away[:, 1, None, :] ** 2 <= 64
    disc[::2] = False
    truth = disc[:, None].float()
    return image + 0.3 * truth, nn.functional.avg_pool2d(truth, 4)
