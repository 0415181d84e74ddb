"""evaluation/volume_decision.py: a network's maps of a series become a mask by two thresholds,
which are chosen on series whose masks are known.

Hysteresis in three dimensions: what reaches the low threshold is drawn where it hangs together with
something that reaches the high one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
from scipy import ndimage

from wetread.archive.types import BoolArray, Float32Array, Float64Array, Int64Array
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
class DecidedMaps:
    """Maps of a series of which is kept what is drawn.

    kept:  (Z, h, h) float32 of the crop, 0 where nothing is; low: from which on it is drawn.
    box:   the crop, in pixels of the pictures; shape: rows and columns of these.
    """

    kept: Float32Array
    low: float
    box: PixelBox
    shape: tuple[int, int]

    def masks(self) -> Iterator[BoolArray]:
        """Make the mask (rows, columns) bool of each slice, one after the other."""
        return (self.mask(z) for z in range(len(self.kept)))

    def mask(self, z: int) -> BoolArray:
        """Make the mask (rows, columns) bool of one slice; the others have had their part in it."""
        kept = self.kept[z]
        if not kept.any():
            return np.zeros(self.shape, bool)
        reached: BoolArray = uncrop(kept, self.box, self.shape) >= np.float32(self.low)
        return reached


@dataclass(frozen=True, eq=False)
class SeriesMaps:
    """Probabilities of one finding along a series.

    maps:  (Z, h, h) float32 of the crop, coarser than the pictures.
    box:   the crop, in pixels of the pictures; shape: rows and columns of these.
    """

    maps: Float32Array
    box: PixelBox
    shape: tuple[int, int]

    def decide(self, thresholds: VolumeThresholds) -> DecidedMaps:
        """Decide what is drawn along the whole series."""
        kept = kept_maps(self.maps, thresholds)
        return DecidedMaps(kept, thresholds.low, self.box, self.shape)

    def masks(self, thresholds: VolumeThresholds) -> Iterator[BoolArray]:
        """Decide the mask (rows, columns) bool of each slice, one after the other."""
        return self.decide(thresholds).masks()


@dataclass(frozen=True, eq=False)
class Components:
    """The components of what reaches a low threshold in maps (Z, h, h).

    numbers: (Z, h, h), of each pixel's component, 0 for none; highest: (C + 1,) of each component.
    """

    maps: Float32Array
    numbers: Int64Array
    highest: Float32Array

    @staticmethod
    def of(maps: Float32Array, low: float) -> Components:
        """Find the components of what reaches `low`."""
        numbers, count = ndimage.label(maps >= np.float32(low), NEIGHBORS)
        highest = ndimage.maximum(maps, numbers, np.arange(count + 1)) if count else [0.0]
        return Components(maps, numbers, np.asarray(highest, np.float32))

    def strong(self, high: float) -> BoolArray:
        """Tell which components (C + 1,) reach `high` somewhere."""
        strong: BoolArray = self.highest >= np.float32(high)
        strong[0] = False
        return strong

    def kept(self, strong: BoolArray) -> Float32Array:
        """Set the maps to 0 but within and next to the strong components."""
        if not strong.any():
            return np.zeros_like(self.maps)
        inside = strong[self.numbers]
        near = ndimage.binary_dilation(inside, np.ones((1, 3, 3), bool))
        others = (self.numbers > 0) & ~inside
        return np.where(near & ~others, self.maps, np.float32(0))


def kept_maps(maps: Float32Array, thresholds: VolumeThresholds) -> Float32Array:
    """Set maps (Z, h, h) to 0 but within and next to the components of what reaches `low` that
    reach `high` somewhere; next to them, for their outlines lie between pixels."""
    components = Components.of(maps, thresholds.low)
    return components.kept(components.strong(thresholds.high))


@dataclass(frozen=True, eq=False)
class KnownSeries:
    """A series whose true masks are known: of each slice (rows, columns) bool, made anew each time
    they are asked for."""

    maps: SeriesMaps
    truth: Sequence[BoolArray]


def dice_of_pairs(series: KnownSeries) -> Float64Array:
    """Compute the Dice (P,) of a series under each of PAIRS; of slices in which a higher threshold
    leaves the same, the pixels are not counted again."""
    maps, found = series.maps, list[float]()
    counts = np.zeros((len(maps.maps), 3), np.int64)
    for low, pairs in groupby(PAIRS, key=lambda pair: pair.low):
        components, before = Components.of(maps.maps, low), None
        for pair in pairs:
            kept = components.kept(components.strong(pair.high))
            decided = DecidedMaps(kept, low, maps.box, maps.shape)
            new = np.ones(len(kept)) if before is None else (kept != before).any(axis=(1, 2))
            for z in np.flatnonzero(new).tolist():
                counts[z] = _counts(decided.mask(z), series.truth[z])
            found.append(float(dice(*counts.sum(axis=0))))
            before = kept
    return np.array(found)


def best_thresholds(dice_by_series: Float64Array) -> VolumeThresholds:
    """Choose among PAIRS those of the best mean Dice (N, P) of N series, of equally good ones the
    highest. ValueError without a series."""
    if len(dice_by_series) == 0:
        raise ValueError("no series whose masks are known; thresholds are chosen on such")
    mean = dice_by_series.mean(axis=0)
    return PAIRS[int(np.flatnonzero(mean >= mean.max() - TIE)[-1])]


def series_dice(series: KnownSeries, thresholds: VolumeThresholds) -> float:
    """Compute the Dice of a series' voxels under thresholds."""
    masks = zip(series.maps.masks(thresholds), series.truth, strict=True)
    return float(dice(*np.sum([_counts(drawn, true) for drawn, true in masks], axis=0)))


def _counts(drawn: BoolArray, true: BoolArray) -> tuple[int, int, int]:
    """Count the pixels of both, of the drawn and of the true mask."""
    both, first, second = (int(np.count_nonzero(mask)) for mask in (drawn & true, drawn, true))
    return both, first, second
