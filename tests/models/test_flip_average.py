"""tests/models/test_flip_average.py: an image and its mirror image give one answer."""

import torch

from wetread.models.encoders import build, forward_with_masks
from wetread.models.flip_average import FlipAverage


def test_an_image_and_its_mirror_image_have_the_same_answer_with_sides_changed() -> None:
    network = build("slim", 1, 3, masks=1, mask_pixels=2).eval()
    average = FlipAverage(network, [0, 2, 1])
    image = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits, masks, apart = average(image)
        mirrored, mirrored_masks, mirrored_apart = average(image.flip(-1))
        one, _ = forward_with_masks(network, image)
    torch.testing.assert_close(mirrored, logits[:, [0, 2, 1]])
    torch.testing.assert_close(mirrored_masks, masks.flip(-1))
    torch.testing.assert_close(mirrored_apart, apart[:, [0, 2, 1]])
    torch.testing.assert_close(apart, (one.double() - logits).abs())  # of two from their mean


def test_without_a_flip_index_it_is_the_network_alone() -> None:
    network = build("compact", 1, 2).eval()
    image = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        logits, masks, apart = FlipAverage(network, None)(image)
        expected, _ = forward_with_masks(network, image)
    assert masks is None
    assert apart is None
    assert logits.dtype == torch.float64
    torch.testing.assert_close(logits, expected.double())
