"""evaluation/volume_decision.py: a network's maps of a series become a mask by two thresholds,
which are chosen on series whose masks are known.

Hysteresis in three dimensions: what reaches the low threshold is drawn where it hangs together with
something that reaches the high one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from wetread.archive.types import BoolArray, Float32Array, Float64Array
from wetread.evaluation.dice import dice
from wetread.evaluation.volume_masks import NEIGHBORS
from wetread.study.boxes import PixelBox
from wetread.view.uncrop import uncrop

LOWS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
HIGHS = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
TIE = 1e-9


@dataclass(frozen=True)
class VolumeThresholds:
    """Probabilities between 0 and 1, low at most high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high <= 1:
            raise ValueError(f"thresholds {self.low} and {self.high}: 0 < low <= high <= 1")


PAIRS = tuple(VolumeThresholds(a, b) for a, b in product(LOWS, HIGHS) if a <= b)  # that are tried


@dataclass(frozen=True, eq=False)
class SeriesMaps:
    """Probabilities of one finding along a series.

    maps:  (Z, h, h) float32 of the crop, coarser than the pictures.
    box:   the crop, in pixels of the pictures; shape: rows and columns of these.
    """

    maps: Float32Array
    box: PixelBox
    shape: tuple[int, int]

    def masks(self, thresholds: VolumeThresholds) -> Iterator[BoolArray]:
        """Decide the mask (rows, columns) bool of each slice, one after the other."""
        for kept in kept_maps(self.maps, thresholds):
            yield self._mask(kept, thresholds)

    def mask(self, thresholds: VolumeThresholds, z: int) -> BoolArray:
        """Decide the mask (rows, columns) bool of one slice; the others have their part in it."""
        return self._mask(kept_maps(self.maps, thresholds)[z], thresholds)

    def _mask(self, kept: Float32Array, thresholds: VolumeThresholds) -> BoolArray:
        if not kept.any():
            return np.zeros(self.shape, bool)
        reached: BoolArray = uncrop(kept, self.box, self.shape) >= np.float32(thresholds.low)
        return reached


def kept_maps(maps: Float32Array, thresholds: VolumeThresholds) -> Float32Array:
    """Set maps (Z, h, h) to 0 but within and next to the components of what reaches `low` that
    reach `high` somewhere; next to them, for their outlines lie between pixels."""
    components, count = ndimage.label(maps >= np.float32(thresholds.low), NEIGHBORS)
    if count == 0:
        return np.zeros_like(maps)
    highest = ndimage.maximum(maps, components, np.arange(count + 1))
    strong = np.asarray(highest) >= np.float32(thresholds.high)
    strong[0] = False
    near = ndimage.binary_dilation(strong[components], np.ones((1, 3, 3), bool))
    others = (components > 0) & ~strong[components]
    return np.where(near & ~others, maps, np.float32(0))


@dataclass(frozen=True, eq=False)
class KnownSeries:
    """A series whose true masks are known: of each slice (rows, columns) bool, made anew each time
    they are asked for."""

    maps: SeriesMaps
    truth: Sequence[BoolArray]


def dice_of_pairs(series: KnownSeries) -> Float64Array:
    """Compute the Dice (P,) of a series under each of PAIRS."""
    return np.array([series_dice(series, pair) for pair in PAIRS])


def best_thresholds(dice_by_series: Float64Array) -> VolumeThresholds:
    """Choose among PAIRS those of the best mean Dice (N, P) of N series, of equally good ones the
    highest. ValueError without a series."""
    if len(dice_by_series) == 0:
        raise ValueError("no series whose masks are known; thresholds are chosen on such")
    mean = dice_by_series.mean(axis=0)
    return PAIRS[int(np.flatnonzero(mean >= mean.max() - TIE)[-1])]


def series_dice(series: KnownSeries, thresholds: VolumeThresholds) -> float:
    """Compute the Dice of a series' voxels under thresholds."""
    counts: Float64Array = np.zeros(3)
    for drawn, true in zip(series.maps.masks(thresholds), series.truth, strict=True):
        counts += [np.count_nonzero(mask) for mask in (drawn & true, drawn, true)]
    return float(dice(*counts))
