"""tests/evaluation/test_volume_decision.py: hysteresis against scikit-image, and the choice against
trying all."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold

from wetread.evaluation.volume_decision import (
    HIGHS,
    LOWS,
    PAIRS,
    KnownSeries,
    SeriesMaps,
    VolumeThresholds,
    best_thresholds,
    dice_of_pairs,
    kept_maps,
    series_dice,
)
from wetread.study.boxes import PixelBox


def smooth_maps(seed: int, shape: tuple[int, int, int] = (6, 16, 16)) -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2)
    return (1 / (1 + np.exp(-9 * field / field.std() * 0.3))).astype(np.float32)


def whole(maps: np.ndarray) -> SeriesMaps:
    """Maps of the picture's own grid: nothing is resized."""
    _, rows, columns = maps.shape
    return SeriesMaps(maps, PixelBox(0, rows, 0, columns), (rows, columns))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("low", "high"), [(0.4, 0.7), (0.6, 0.95), (0.5, 0.5)])
def test_what_is_drawn_is_hysteresis_in_three_dimensions(
    seed: int, low: float, high: float
) -> None:
    maps = smooth_maps(seed)
    drawn = np.stack(list(whole(maps).masks(VolumeThresholds(low, high))))
    # scikit-image joins at faces alone, and its thresholds are not reached but passed
    theirs = apply_hysteresis_threshold(maps, low - 1e-6, high - 1e-6)
    components, _ = ndimage.label(maps >= np.float32(low), np.ones((3, 3, 3)))
    joined = np.isin(components, np.unique(components[theirs & (components > 0)]))
    np.testing.assert_array_equal(drawn, joined & (components > 0))
    assert 0 < drawn.mean() < 0.9
    np.testing.assert_array_equal(whole(maps).decide(VolumeThresholds(low, high)).mask(3), drawn[3])


def test_a_faint_component_is_not_drawn_and_a_strong_one_keeps_its_faint_edge() -> None:
    maps = np.zeros((3, 8, 8), np.float32)
    maps[0, 1, 1], maps[1, 1, 1] = 0.9, 0.4
    maps[2, 6, 6] = 0.6
    kept = kept_maps(maps, VolumeThresholds(0.3, 0.8))
    assert {tuple(map(int, at)) for at in np.argwhere(kept)} == {(0, 1, 1), (1, 1, 1)}


def test_the_mask_lies_in_the_box_on_the_pictures_grid() -> None:
    maps = np.zeros((1, 4, 4), np.float32)
    maps[0, :2, 2:] = 1.0
    series = SeriesMaps(maps, PixelBox(10, 30, 4, 24), (40, 32))
    (mask,) = series.masks(VolumeThresholds(0.5, 0.9))
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 19, 14, 23)


def test_thresholds_are_the_best_of_all_pairs() -> None:
    known = [
        KnownSeries(whole(smooth_maps(seed)), list(smooth_maps(seed) + 0.08 * seed > 0.62))
        for seed in range(3)
    ]
    known.append(KnownSeries(whole(smooth_maps(7) * 0.85), list(np.zeros((6, 16, 16), bool))))
    chosen = best_thresholds(np.array([dice_of_pairs(one) for one in known]))
    pairs = [VolumeThresholds(a, b) for a in LOWS for b in HIGHS if a <= b]
    scores = {pair: np.mean([series_dice(one, pair) for one in known]) for pair in pairs}
    assert scores[chosen] == pytest.approx(max(scores.values()))
    assert len({round(value, 3) for value in scores.values()}) > 5
    with pytest.raises(ValueError, match="no series"):
        best_thresholds(np.empty((0, 36)))
    with pytest.raises(ValueError, match="low <= high"):
        VolumeThresholds(0.8, 0.5)


def test_the_dice_of_all_pairs_is_that_of_each_alone_to_the_bit() -> None:
    for seed in range(3):
        known = KnownSeries(whole(smooth_maps(seed)), list(smooth_maps(seed) > 0.62))
        alone = np.array([series_dice(known, pair) for pair in PAIRS])
        np.testing.assert_array_equal(dice_of_pairs(known), alone)
        assert len(set(alone)) > 5
    nothing = KnownSeries(whole(np.zeros((2, 8, 8), np.float32)), list(np.zeros((2, 8, 8), bool)))
    np.testing.assert_array_equal(dice_of_pairs(nothing), np.ones(len(PAIRS)))
