"""tests/models/test_features.py: what a network tells of a slice is what it says and draws."""

import numpy as np
import pytest
import torch

from wetread.models.encoders import ENCODERS, build, forward_with_masks
from wetread.models.features import (
    DrawingExtractors,
    FeatureExtractors,
    count_masks,
    feature_extractor,
    mask_peaks,
    split_head,
)
from wetread.models.mask_peaks import LEAST, PEAKS, SMALL, series_features


@pytest.mark.parametrize("name", list(ENCODERS))
def test_features_through_the_last_layer_are_the_logits(name: str) -> None:
    with torch.random.fork_rng(), torch.inference_mode():
        torch.manual_seed(0)
        model = build(name, 3, 4).eval()
        body, head = split_head(model)
        image = torch.rand(2, 3, 64, 64)
        features = body(image)
        assert features.shape == (2, head.in_features)
        torch.testing.assert_close(head(features.float()), model(image), atol=1e-5, rtol=1e-5)


def test_what_is_drawn_is_told_by_its_peaks_in_thirds_of_the_picture() -> None:
    masks = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 10, 12)) * 3).float()
    told = mask_peaks(masks).reshape(2, 3, 3, 3)  # picture, third, number, mask
    for third, columns in enumerate((slice(0, 4), slice(4, 8), slice(8, 12))):
        pixels = np.sort(masks[..., columns].numpy().reshape(2, 3, -1))
        area = np.log((1 / (1 + np.exp(-pixels.astype(np.float64)))).sum(-1) + LEAST)
        expected = np.stack([pixels[..., -1], pixels[..., -SMALL:].mean(-1), area], 1)
        np.testing.assert_allclose(told[:, third].numpy(), expected, rtol=1e-5)
    mirrored = mask_peaks(masks.flip(-1)).reshape(2, 3, 3, 3)
    torch.testing.assert_close(mirrored, told.flip(1))


def test_a_network_that_draws_tells_its_logits_and_then_the_peaks() -> None:
    model = build("slim", 3, 4, masks=2, mask_pixels=3).eval()
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        told, (logits, masks) = (
            feature_extractor(model, "drawn")(image),
            forward_with_masks(model, image),
        )
    assert masks is not None
    assert told.shape == (2, 4 + 2 * PEAKS)
    torch.testing.assert_close(told, torch.cat([logits, mask_peaks(masks)], 1))
    with pytest.raises(ValueError, match="this encoder draws nothing; set decoder = 'unet'"):
        feature_extractor(build("slim", 3, 4), "drawn")


def test_a_series_is_told_by_its_masks_highest_pixels_and_how_their_areas_compare() -> None:
    probability = np.full((4, 3, 8, 9), 1e-7)
    probability[1, 0, :4, :5] = 0.999999  # the greatest of the first: 20 pixels, over two thirds
    probability[2, 1, 2:4, 3:8] = 0.9999999  # of the second: 10, in another slice
    probability[3, 2, :1, :5] = 0.99999  # of the third: 5
    masks = torch.from_numpy(np.log(probability / (1 - probability)))
    drawn = torch.cat([torch.randn(4, 6), mask_peaks(masks)], 1).numpy()
    found = series_features(drawn, 3)
    np.testing.assert_allclose(found[:3], masks.amax((0, 2, 3)).numpy(), rtol=1e-5)
    np.testing.assert_allclose(found[3:], np.log([20 / 10, 20 / 5, 10 / 5]), atol=1e-2)  # LEAST
    np.testing.assert_allclose(
        series_features(drawn[[3, 1, 0, 2]], 3), found, rtol=1e-6
    )  # in any order
    mirrored = np.hstack([drawn[:, :6], mask_peaks(masks.flip(-1)).numpy()])
    np.testing.assert_allclose(series_features(mirrored, 3), found, rtol=1e-6)
    assert series_features(drawn, 1).shape == (1,)


def test_it_is_known_how_many_masks_a_network_draws() -> None:
    assert count_masks(build("slim", 3, 4, masks=2)) == 2
    assert count_masks(build("slim", 3, 4)) == 0


def test_what_several_networks_draw_is_the_mean_of_their_maps_turned_back() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        networks = [build("slim", 3, 4, masks=2).eval() for _ in range(2)]
    pairs = [(one, side) for one in networks for side in (False, True)]
    image = torch.rand(2, 3, 64, 64)
    extractors = [feature_extractor(one, "drawn") for one, _ in pairs]
    with torch.inference_mode():
        *features, drawn = DrawingExtractors(extractors, [side for _, side in pairs])(image)
        plain = FeatureExtractors(extractors, [side for _, side in pairs])(image)
        maps = []
        for one, side in pairs:
            _, logits = forward_with_masks(one, image.flip(-1) if side else image)
            assert logits is not None
            maps.append(logits.sigmoid())
    turned = [own.flip(-1) if side else own for own, (_, side) in zip(maps, pairs, strict=True)]
    torch.testing.assert_close(drawn, torch.stack(turned).mean(0))
    for ours, theirs in zip(features, plain, strict=True):
        torch.testing.assert_close(ours, theirs)
