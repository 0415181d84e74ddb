"""evaluation/mask_scores.py: the Dice of every image to scores, each beside what an empty mask for
all would get, and with its interval over patients."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, FloatArray, Int64Array
from wetread.evaluation.dice import all_empty_dice
from wetread.evaluation.intervals import DRAWS, draw_patients, drawn_ratio, percentile_interval
from wetread.evaluation.score import Score, finite_or_none

LEVEL = "pixel"
SIZES = ("small", "medium", "large")


@dataclass(frozen=True, eq=False)
class MaskRows:
    """Rows and draws of a score: patient_of_row (N,) int and the draws of patients, times
    (draws, P), that all intervals share; positive (N,) bool and known (N,) bool."""

    finding: str
    split: str
    known: BoolArray
    positive: BoolArray
    patient_of_row: Int64Array
    times: FloatArray


def mask_scores(
    dice: FloatArray,
    truth: FloatArray,
    patients: Sequence[str],
    *,
    finding: str,
    split: str,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[Score]:
    """Score the masks of one finding, level "pixel", over images whose true mask is known.

    dice:     (N,) float, of every image by decision.dice_with_thresholds.
    truth:    (N,) float, area of the true mask: 0 where it is empty, NaN where it is not known; in
              pixels, or in shares where images differ in size.
    patients: N names.

    dice:               the competition's mean, where a mask that is not empty is known;
    dice_all_empty: that of an empty mask for all.
    dice_gain:          their difference, image by image, so that its interval is a paired one.
    dice_positives:     the mean over images with the finding.
    accuracy_on_empties: the share of images without it whose mask was left empty.
    sensitivity_small, _medium, _large: the share of positives, by thirds of their true area, whose
    mask was met by at least one pixel.
    """
    dice, truth = np.asarray(dice, np.float64), np.asarray(truth, np.float64)
    _check(dice, truth, patients)
    known = ~np.isnan(truth)
    positive = known & (truth > 0)
    sample = MaskRows(finding, split, known, positive, *draw_patients(patients, draws, rng))
    empty = all_empty_dice(truth)
    # Of empty masks alone a network that draws nothing would be perfect.
    scored, of = (known, "image") if positive.any() else (positive, "positive image")
    scores = [
        _mean(sample, "dice", dice, scored, of),
        _mean(sample, "dice_all_empty", empty, scored, of),
        _mean(sample, "dice_gain", dice - empty, scored, of),
        _mean(sample, "dice_positives", dice, positive, "positive image"),
        _mean(sample, "accuracy_on_empties", dice, known & ~positive, "image without the finding"),
    ]
    for size, inside in zip(SIZES, size_thirds(truth), strict=True):
        name = f"sensitivity_{size}"
        scores.append(_mean(sample, name, dice > 0, inside, f"{size} one among the positives"))
    return scores


def size_bounds(truth: FloatArray) -> tuple[float, float]:
    """Return the largest area of the small and of the medium positives.

    truth: (N,) true areas; the bounds are terciles of the positive ones, NaN without any.
    """
    areas = truth[np.nan_to_num(truth) > 0]
    if len(areas) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(areas, [1 / 3, 2 / 3])
    return float(low), float(high)


def size_thirds(truth: FloatArray) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return which of truth (N,), true areas, are small, medium and large positives: (N,) bool
    each."""
    low, high = size_bounds(truth)
    positive = np.nan_to_num(truth) > 0
    small, large = positive & (truth <= low), positive & (truth > high)
    return small, positive & ~small & ~large, large


def _mean(
    sample: MaskRows, metric: str, values: FloatArray | BoolArray, over: BoolArray, kind: str
) -> Score:
    """Average values (N,) over some of the rows, with its interval; NaN where there is none."""
    counted = np.where(over, values, 0.0).astype(np.float64)
    rows = int(over.sum())
    value = counted.sum() / rows if rows else float("nan")
    patients = len(np.unique(sample.patient_of_row[over]))
    drawn = drawn_ratio(counted, over.astype(np.float64), sample.patient_of_row, sample.times)
    low, high = (percentile_interval(drawn) if patients > 1 else None) or (None, None)
    return Score(
        metric, sample.finding, LEVEL, sample.split, finite_or_none(value), low, high,
        patients, int((over & sample.positive).sum()),
        _reason(sample, rows, patients, low is not None, kind),
    )  # fmt: skip


def _reason(sample: MaskRows, rows: int, patients: int, interval: bool, kind: str) -> str | None:
    """Say why there is no value, or no interval; None when there are both."""
    if not sample.known.any():
        return "no known mask"
    if not rows:
        return f"no {kind} of {int(sample.known.sum())} known masks"
    if interval:
        return None
    return f"no interval: {'one patient' if patients == 1 else 'too few patients carry it'}"


def _check(dice: FloatArray, truth: FloatArray, patients: Sequence[str]) -> None:
    if not dice.shape == truth.shape == (len(patients),):
        raise ValueError(
            f"dice is {dice.shape} and truth {truth.shape}; {len(patients)} patients ask for "
            f"{(len(patients),)}."
        )
    lost = np.isnan(dice) & ~np.isnan(truth)
    if lost.any():
        raise ValueError(
            f"row {int(np.argmax(lost))} has no Dice (NaN) though its true mask is known; "
            f"{int(lost.sum())} such rows. Decide them or leave the rows out."
        )
