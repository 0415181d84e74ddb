"""tests/training/test_choose_drawings.py: thresholds and errors by hand, each half by the other."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.volume_decision import (
    KnownSeries,
    SeriesMaps,
    VolumeThresholds,
    best_thresholds,
    dice_of_pairs,
)
from wetread.study.boxes import PixelBox
from wetread.study.placement import SlicePlacement
from wetread.training.choose_drawings import KnownDrawing, choose_drawings
from wetread.training.measures import MaskMeasure


def phantom(level: float, true_pixels: int, measured: float) -> KnownDrawing:
    """A square of 16 pixels drawn at a level, of which so many are true."""
    maps = np.zeros((2, 8, 8), np.float32)
    maps[:, 2:6, 2:6] = level
    truth = np.zeros((2, 8, 8), bool)
    flat = truth.reshape(2, -1)
    flat[:, np.flatnonzero(maps[0].ravel() > 0)[:true_pixels]] = True
    series = SeriesMaps(maps, PixelBox(0, 8, 0, 8), (8, 8))
    place = SlicePlacement(np.zeros((2, 3)), np.zeros(6), (1.0, 1.0), np.ones(2))
    known = KnownSeries(series, list(truth))
    return KnownDrawing({"clot": known}, place, pl.DataFrame({"painted": [measured]}))


COUNT = MaskMeasure(
    "pixels",
    "",
    ("clot",),
    lambda drawn: float(sum(mask.sum() for mask in drawn.masks[0])),
    lambda truth: float(truth["painted"][0]),
)


def chosen_by(phantoms: list[KnownDrawing]) -> VolumeThresholds:
    return best_thresholds(np.array([dice_of_pairs(one.known["clot"]) for one in phantoms]))


def test_each_half_is_scored_under_the_thresholds_of_the_other() -> None:
    phantoms = [
        phantom(0.75, 16, 30),
        phantom(0.65, 0, 0),
        phantom(0.9, 12, 20),
        phantom(0.66, 16, 31),
    ]
    found = choose_drawings(phantoms, [COUNT])
    by_odd, by_even = chosen_by(phantoms[1::2]), chosen_by(phantoms[::2])
    drawn = [
        sum(int(mask.sum()) for mask in one.known["clot"].maps.masks(by))
        for one, by in zip(phantoms, [by_odd, by_even, by_odd, by_even], strict=True)
    ]
    true = [32, 0, 24, 32]
    dice = [
        1.0 if a + b == 0 else 2 * min(a, b) / (a + b) for a, b in zip(drawn, true, strict=True)
    ]
    assert found.dice["clot"] == pytest.approx(np.mean(dice))
    assert drawn[1] == 0  # as painted: that phantom tells nothing of how far the number is off
    off = np.array(drawn)[[0, 2, 3]] - [30, 20, 31]
    error = found.errors["pixels"]
    assert (error.bias, error.sd, error.studies) == pytest.approx((off.mean(), off.std(ddof=1), 3))
    assert found.thresholds["clot"] == chosen_by(phantoms)
    assert found.studies == 4


def test_one_phantom_is_too_few() -> None:
    with pytest.raises(ValueError, match="two at least"):
        choose_drawings([phantom(0.5, 16, 3)], [])


def test_a_number_that_the_archive_does_not_say_is_measured_in_the_true_masks() -> None:
    phantoms = [phantom(0.75, 16, 0), phantom(0.9, 12, 0), phantom(0.9, 8, 0)]
    painted = replace(COUNT, truth=lambda truth: float(truth["painted"][0]))
    masked = replace(COUNT, truth=None)
    wanted = [
        replace(one, truth=pl.DataFrame({"painted": [n]}))
        for one, n in zip(phantoms, (32, 24, 16), strict=True)
    ]
    assert choose_drawings(phantoms, [masked]).errors == choose_drawings(wanted, [painted]).errors
