"""evaluation/decision.py: a map of probabilities becomes a mask, or none: thresholds, and how they
are chosen on other images than those they are scored on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from wetread.evaluation.dice import all_empty_dice, dice
from wetread.evaluation.metrics import THRESHOLD

TOPS = tuple(step / 20 for step in range(6, 19))  # 0.30, 0.35 .. 0.90
BOTTOMS = tuple(step / 20 for step in range(2, 13))  # 0.10, 0.15 .. 0.60
# Shares of the image's pixels, 0 to 0.4 %: 2,000 pixels of 1024 x 1024 are 0.19 %.
AREAS = tuple(step / 10_000 for step in range(41))
TIE = 1e-9  # of a mean Dice: sums in another order differ by less
EVIDENCE_SHARE, EVIDENCE_LEAST = 0.005, 20  # the highest pixels that speak for a finding
CLIP = 1e-6  # of a probability before its logit is taken
RIDGE = 1.0  # on weights of standardized inputs: keeps them finite where two classes do not mix
NEWTON_STEPS = 50


@dataclass(frozen=True)
class MaskThresholds:
    """Is there any: at least `area` of the pixels reach `top`. Then the mask: pixels >= `bottom`.

    area is a share of the image's pixels, so that one rule holds at every size.
    """

    top: float
    area: float
    bottom: float


def apply_thresholds(probability: np.ndarray, triplet: MaskThresholds) -> np.ndarray:
    """(H, W) float32 probabilities to a bool mask, empty where too few pixels reach the top."""
    sure = np.count_nonzero(probability >= np.float32(triplet.top))
    if sure < triplet.area * probability.size:
        return np.zeros(probability.shape, bool)
    return probability >= np.float32(triplet.bottom)


@dataclass(frozen=True, eq=False)
class MaskSums:
    """Of N maps all that any triplet's Dice needs; 36 numbers an image instead of its pixels.

    above:   (N, T) int64, pixels whose probability reaches TOPS[t].
    size:    (N, B) int64, pixels that reach BOTTOMS[b].
    overlap: (N, B) int64, those of them inside the true mask (0 where it is not known).
    truth:   (N,) float64, pixels of the true mask; NaN where it is not known.
    pixels:  (N,) int64, pixels of the image.
    """

    above: np.ndarray
    size: np.ndarray
    overlap: np.ndarray
    truth: np.ndarray
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)


def mask_sums(probability: np.ndarray, truth: np.ndarray | None) -> MaskSums:
    """One image's sums: its probabilities (H, W) float32 and true mask (H, W) bool, None unknown.

    Exact: the counts are those that `decide` would find. Raises ValueError where the shapes differ
    or a value is no probability.
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
    told = np.asarray(probability, np.float32)
    # Nearly all of a map lies below the lowest threshold: what does not is looked at again.
    reaching = told >= np.float32(min(*TOPS, *BOTTOMS))
    candidates = told[reaching]
    inside = candidates[:0] if truth is None else candidates[np.asarray(truth, bool)[reaching]]
    return MaskSums(
        above=_counts(candidates, TOPS),
        size=_counts(candidates, BOTTOMS),
        overlap=_counts(inside, BOTTOMS),
        truth=np.array([np.nan if truth is None else np.count_nonzero(truth)], np.float64),
        pixels=np.array([told.size], np.int64),
    )


def reaches_area(sums: MaskSums, triplet: MaskThresholds) -> np.ndarray:
    """(N,) bool: whether enough pixels reach the triplet's top."""
    above = sums.above[:, _place(triplet.top, TOPS, "top")]
    enough: np.ndarray = above >= triplet.area * sums.pixels
    return enough


def dice_with_thresholds(sums: MaskSums, triplet: MaskThresholds) -> np.ndarray:
    """(N,) the Dice of every image under a triplet of the grid; NaN where truth is unknown."""
    column = _place(triplet.bottom, BOTTOMS, "bottom")
    any_there = reaches_area(sums, triplet)
    told, overlap = sums.size[:, column] * any_there, sums.overlap[:, column] * any_there
    return dice(overlap, told, sums.truth)


def choose_thresholds(sums: MaskSums, rows: np.ndarray) -> MaskThresholds:
    """The triplet with the best mean Dice over the given rows (indices or bool) of known truth.

    Of equal ones that with the largest area, then the largest top, then the largest bottom: where
    the images do not say, the rule that calls less. Raises ValueError without a known mask.
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


@dataclass(frozen=True)
class Calibrator:
    """Probability that there is any, from two logits: sigmoid(intercept + head x + mask y)."""

    intercept: float
    head: float
    mask: float

    @staticmethod
    def fit(head: np.ndarray, mask: np.ndarray, truth: np.ndarray) -> "Calibrator":
        """Logistic regression of truth (N,) on the head's logits and the mask's evidence, (N,).

        Rows of unknown truth (NaN) are left out; 0.5 and above is positive. A weak ridge on the
        standardized inputs. Raises ValueError where only one class is known.
        """
        known = ~np.isnan(truth)
        told = np.stack([head[known], mask[known]], axis=1).astype(np.float64)  # (N, 2)
        positive = (np.asarray(truth)[known] >= THRESHOLD).astype(np.float64)
        if len(np.unique(positive)) < 2:
            raise ValueError(
                f"{int(positive.sum())} of {len(positive)} known images are positive; "
                "a probability is calibrated on images with the finding and without"
            )
        middle, spread = told.mean(axis=0), told.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        weight = _logistic((told - middle) / spread, positive)
        slopes = weight[1:] / spread
        return Calibrator(float(weight[0] - slopes @ middle), float(slopes[0]), float(slopes[1]))

    def apply(self, head: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """(N,) probabilities of these logits, (N,) each."""
        told: np.ndarray = expit(
            self.intercept + self.head * np.asarray(head) + self.mask * np.asarray(mask)
        )
        return told


def mask_evidence(probability: np.ndarray) -> float:
    """The logit of the mean of a map's highest 0.5 % (at least 20 pixels), (H, W): is there any."""
    count = min(probability.size, max(EVIDENCE_LEAST, round(EVIDENCE_SHARE * probability.size)))
    highest = np.partition(probability, probability.size - count, axis=None)[-count:]
    return float(logit(np.clip(highest.mean(dtype=np.float64), CLIP, 1.0 - CLIP)))


def _logistic(inputs: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """(1 + K,) intercept and weights of inputs (N, K) by Newton's steps; the intercept is free."""
    design = np.column_stack([np.ones(len(inputs)), inputs])
    ridge = RIDGE * np.diag([0.0, *np.ones(inputs.shape[1])])
    weight = np.zeros(design.shape[1])
    for _ in range(NEWTON_STEPS):
        told = expit(design @ weight)
        slope = design.T @ (told - positive) + ridge @ weight
        curve = design.T @ (design * (told * (1.0 - told))[:, None]) + ridge
        step = np.linalg.solve(curve, slope)
        weight = weight - step
        if np.abs(step).max() < 1e-10:
            break
    return weight


def _mean_dice(sums: MaskSums, places: np.ndarray) -> np.ndarray:
    """(A, T, B) mean Dice over these images under every triplet of the grid.

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
    mean: np.ndarray = (empty.sum() + called_gain) / len(places)
    return mean


def _counts(values: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """(1, thresholds) int64: how many values reach each."""
    counts = [np.count_nonzero(values >= np.float32(threshold)) for threshold in thresholds]
    return np.array([counts], np.int64)


def _place(value: float, grid: Sequence[float], name: str) -> int:
    if value not in grid:
        told = ", ".join(f"{step:.2f}" for step in grid)
        raise ValueError(f"{name} {value} was not counted; there are {told}")
    return grid.index(value)
