"""evaluation/decision.py: a map of probabilities becomes a mask, or none, by thresholds that are
chosen on other images than those they are scored on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, FloatArray, Int64Array
from wetread.evaluation.dice import all_empty_dice, dice

TOPS = tuple(step / 20 for step in range(6, 19))  # 0.30, 0.35 .. 0.90
BOTTOMS = tuple(step / 20 for step in range(2, 13))  # 0.10, 0.15 .. 0.60
# Shares of the image's pixels, 0 to 0.4 %: 2,000 pixels of 1024 x 1024 are 0.19 %.
AREAS = tuple(step / 10_000 for step in range(41))
TIE = 1e-9  # of a mean Dice: sums in another order differ by less


@dataclass(frozen=True)
class MaskThresholds:
    """The rule by which a map of probabilities becomes a mask.

    A mask is drawn where at least `area` of the pixels reach `top`; it is the pixels that reach
    `bottom`. area is a share of the image's pixels, so that one rule holds at every size.
    """

    top: float
    area: float
    bottom: float


def apply_thresholds(probability: FloatArray, thresholds: MaskThresholds) -> BoolArray:
    """Return the mask (H, W) bool of a map of probabilities (H, W) float32.

    It is empty where too few pixels reach the top.
    """
    sure = np.count_nonzero(probability >= np.float32(thresholds.top))
    if sure < thresholds.area * probability.size:
        return np.zeros(probability.shape, bool)
    return probability >= np.float32(thresholds.bottom)


@dataclass(frozen=True, eq=False)
class MaskSums:
    """All that the Dice of N maps under any thresholds needs: 36 numbers an image, not its pixels.

    above:   (N, T) int64, pixels whose probability reaches TOPS[t].
    size:    (N, B) int64, pixels that reach BOTTOMS[b].
    overlap: (N, B) int64, those of them inside the true mask (0 where it is not known).
    truth:   (N,) float64, pixels of the true mask; NaN where it is not known.
    pixels:  (N,) int64, pixels of the image.
    """

    above: Int64Array
    size: Int64Array
    overlap: Int64Array
    truth: Float64Array
    pixels: Int64Array

    def __len__(self) -> int:
        return len(self.truth)


def mask_sums(probability: FloatArray, truth: BoolArray | None) -> MaskSums:
    """Count one image's pixels: its probabilities (H, W) float32 and true mask (H, W) bool.

    truth: None where the mask is not known. The counts are those of apply_thresholds, exactly.
    Raises ValueError where the shapes differ or a value is no probability.
    """
    if truth is not None and truth.shape != probability.shape:
        raise ValueError(
            f"probabilities are {probability.shape} and the true mask is {truth.shape}; "
            "bring both to the image's own grid"
        )
    low, high = probability.min(), probability.max()
    if not (low >= 0.0 and high <= 1.0):  # NaN fails as well
        raise ValueError(
            f"values from {low} to {high} are no probabilities; give the network's sigmoid"
        )
    values = np.asarray(probability, np.float32)
    # Nearly all of a map lies below the lowest threshold: what does not is looked at again.
    reaching = values >= np.float32(min(*TOPS, *BOTTOMS))
    candidates = values[reaching]
    inside = candidates[:0] if truth is None else candidates[np.asarray(truth, bool)[reaching]]
    return MaskSums(
        above=_counts(candidates, TOPS),
        size=_counts(candidates, BOTTOMS),
        overlap=_counts(inside, BOTTOMS),
        truth=np.array([np.nan if truth is None else np.count_nonzero(truth)], np.float64),
        pixels=np.array([values.size], np.int64),
    )


def reaches_area(sums: MaskSums, thresholds: MaskThresholds) -> BoolArray:
    """Return (N,) bool: whether at least the area of an image reaches the top."""
    above = sums.above[:, _place(thresholds.top, TOPS, "top")]
    enough: BoolArray = above >= thresholds.area * sums.pixels
    return enough


def dice_with_thresholds(sums: MaskSums, thresholds: MaskThresholds) -> Float64Array:
    """Return the Dice (N,) of every image under thresholds of the grid; NaN where truth is
    unknown."""
    column = _place(thresholds.bottom, BOTTOMS, "bottom")
    drawn = reaches_area(sums, thresholds)
    size, overlap = sums.size[:, column] * drawn, sums.overlap[:, column] * drawn
    return dice(overlap, size, sums.truth)


def choose_thresholds(sums: MaskSums, rows: Int64Array | BoolArray) -> MaskThresholds:
    """Return the thresholds of the best mean Dice over some rows of known truth.

    rows: (M,) indices of the sums or (N,) bool.

    Of equally good ones, those with the largest area, then the largest top, then the largest
    bottom: where the images do not tell, the rule that calls less. Raises ValueError without a
    known mask.
    """
    places = np.arange(len(sums))[rows]
    places = places[~np.isnan(sums.truth[places])]
    if len(places) == 0:
        raise ValueError("no known mask among these images; thresholds are chosen on known ones")
    mean = _mean_dice(sums, places)  # (A, T, B)
    best = np.argwhere(mean >= mean.max() - TIE)[-1]  # the last of the grid: all three rise in it
    area, top, bottom = (
        float(grid[place]) for grid, place in zip((AREAS, TOPS, BOTTOMS), best, strict=True)
    )
    return MaskThresholds(top, area, bottom)


def _mean_dice(sums: MaskSums, places: Int64Array) -> Float64Array:
    """Return the mean Dice (A, T, B) of these images under all thresholds of the grid.

    Calling an image changes its Dice from that of an empty mask by a gain that depends on the
    bottom alone; whether it is called depends on top and area. Images are summed by the largest
    area under which they are called, and those sums added up from the largest area down.
    """
    truth = sums.truth[places]
    empty = all_empty_dice(truth)
    gain = dice(sums.overlap[places], sums.size[places], truth[:, None]) - empty[:, None]  # (N, B)
    least = np.asarray(AREAS) * sums.pixels[places, None]  # (N, A) pixels
    total = np.zeros((len(AREAS), len(TOPS), len(BOTTOMS)))
    for top in range(len(TOPS)):
        # AREAS[0] is 0, which every image reaches.
        largest = (least <= sums.above[places, top, None]).sum(axis=1) - 1
        for bottom in range(len(BOTTOMS)):
            total[:, top, bottom] = np.bincount(largest, gain[:, bottom], len(AREAS))
    called_gain = np.cumsum(total[::-1], axis=0)[::-1]
    mean: Float64Array = (empty.sum() + called_gain) / len(places)
    return mean


def _counts(values: FloatArray, thresholds: Sequence[float]) -> Int64Array:
    """Count, (1, T) int64, how many values reach each of T thresholds."""
    counts = [np.count_nonzero(values >= np.float32(threshold)) for threshold in thresholds]
    return np.array([counts], np.int64)


def _place(value: float, grid: Sequence[float], name: str) -> int:
    if value not in grid:
        known = ", ".join(f"{step:.2f}" for step in grid)
        raise ValueError(f"{name} {value} was not counted; there are {known}")
    return grid.index(value)
