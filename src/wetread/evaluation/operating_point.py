"""evaluation/operating_point.py: the threshold that gives a stated sensitivity or specificity, and
what it gives on patients who did not choose it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wetread.archive.plural import plural
from wetread.archive.types import BoolArray, Float64Array, FloatArray
from wetread.evaluation.intervals import DRAWS, draw_patients, drawn_ratio, percentile_interval
from wetread.evaluation.metrics import THRESHOLD

PARTS = 5  # of the patients, of which each is called by the threshold of the others
Aim = Literal["sensitivity", "specificity"]
AIMS: tuple[Aim, ...] = ("sensitivity", "specificity")


@dataclass(frozen=True)
class Rate:
    """A share of patients' rows with its 95 % interval; None where there is none."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold, and what it gives: a row is called where its probability reaches it.

    aim, stated: "sensitivity" or "specificity", and how much of it was asked for.
    sensitivity, specificity: of patients each called by a threshold that PARTS - 1 of PARTS parts
        of the others chose; the threshold itself is chosen by all.
    """

    aim: Aim
    stated: float
    threshold: float
    sensitivity: Rate
    specificity: Rate
    patients: int
    positives: int


def choose_threshold(truth: FloatArray, probability: FloatArray, aim: Aim, stated: float) -> float:
    """Find the threshold that calls least (for a sensitivity) or most (for a specificity) and still
    gives what is stated on these rows.

    truth, probability: (N,), unknown truth (NaN) left out. Raises ValueError where there is no row
    of the class that the aim is about.
    """
    known = ~np.isnan(truth)
    positive = np.asarray(truth)[known] >= THRESHOLD
    given = np.asarray(probability, np.float64)[known]
    wanted = positive if aim == "sensitivity" else ~positive
    ordered = np.sort(given[wanted])
    if len(ordered) == 0:
        name = "positive" if aim == "sensitivity" else "negative"
        raise ValueError(f"no {name} row to choose a {aim} by")
    needed = min(len(ordered), math.ceil(stated * len(ordered) - 1e-9))  # of rows called right
    if aim == "sensitivity":
        return float(ordered[len(ordered) - needed]) if needed else float(np.nextafter(1.0, 2.0))
    return float(np.nextafter(ordered[needed - 1], 2.0)) if needed else 0.0


def choose_operating_point(
    truth: FloatArray,
    probability: FloatArray,
    patients: Sequence[str],
    *,
    aim: Aim,
    stated: float,
    rng: np.random.Generator,
) -> OperatingPoint:
    """Choose a threshold by all patients, and measure it on patients who did not choose it.

    truth, probability: (N,), unknown truth (NaN) left out. rng: deals the patients to parts, and
    draws them for the intervals. Raises ValueError where a class has fewer than two patients, and
    for a share that is not above 0 and at most 1.
    """
    if not 0.0 < stated <= 1.0:
        raise ValueError(f"{aim}={stated}; give a share above 0 and at most 1")
    known = ~np.isnan(truth)
    true = np.asarray(truth, np.float64)[known]
    given = np.asarray(probability, np.float64)[known]
    names = np.asarray(patients, dtype=str)[known]
    positive = true >= THRESHOLD
    for which, word in ((positive, "with"), (~positive, "without")):
        count = len(np.unique(names[which]))
        if count < 2:
            raise ValueError(
                f"{plural(count, 'patient')} {word} the finding; a threshold is chosen and "
                "measured on two at least"
            )
    called = _called_by_others(true, given, names, aim=aim, stated=stated, rng=rng)
    patient_of_row, times = draw_patients(names.tolist(), DRAWS, rng)

    def rate(right: BoolArray, among: BoolArray) -> Rate:
        """Compute the share of right (N,) calls among some rows (N,)."""
        over, under = (right & among).astype(np.float64), among.astype(np.float64)
        interval = percentile_interval(drawn_ratio(over, under, patient_of_row, times))
        low, high = interval or (None, None)
        return Rate(float(over.sum() / under.sum()), low, high)

    return OperatingPoint(
        aim,
        stated,
        choose_threshold(true, given, aim, stated),
        rate(called, positive),
        rate(~called, ~positive),
        len(np.unique(names)),
        int(positive.sum()),
    )


def _called_by_others(
    truth: Float64Array,
    probability: Float64Array,
    names: np.ndarray[tuple[int, ...], np.dtype[np.str_]],
    *,
    aim: Aim,
    stated: float,
    rng: np.random.Generator,
) -> BoolArray:
    """Call each row (N,) by the threshold that the patients of the other parts choose; patients
    with the finding are dealt apart from those without, so that every part has some of both."""
    units, inverse = np.unique(names, return_inverse=True)
    with_finding = np.zeros(len(units), dtype=bool)
    np.logical_or.at(with_finding, inverse, truth >= THRESHOLD)
    part_of_unit = np.empty(len(units), np.int64)
    for which in (with_finding, ~with_finding):
        places = rng.permutation(np.flatnonzero(which))
        part_of_unit[places] = np.arange(len(places)) % PARTS
    part = part_of_unit[inverse]
    called = np.zeros(len(truth), dtype=bool)
    for number in np.unique(part):
        inside = part == number
        threshold = choose_threshold(truth[~inside], probability[~inside], aim, stated)
        called[inside] = probability[inside] >= threshold
    return called
