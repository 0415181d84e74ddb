"""training/choose_drawings.py: series whose masks are known in; how masks are decided, and how far
what is measured in them was off, out.

Each half of the series is scored under thresholds that the other half chose; thresholds for series
to come are chosen by all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.evaluation.volume_decision import (
    PAIRS,
    KnownSeries,
    VolumeThresholds,
    best_thresholds,
    dice_of_pairs,
)
from wetread.study.placement import SlicePlacement
from wetread.training.drawings import Drawings
from wetread.training.measures import DrawnStack, MaskMeasure, MeasureError, measure_error


@dataclass(frozen=True, eq=False)
class KnownDrawing:
    """A phantom in which was drawn.

    known: finding to the maps and the true masks; place: where the slices lie.
    truth: its rows of the archive's truth.csv.
    """

    known: Mapping[str, KnownSeries]
    place: SlicePlacement
    truth: pl.DataFrame


def choose_drawings(phantoms: Sequence[KnownDrawing], measures: Sequence[MaskMeasure]) -> Drawings:
    """Choose the thresholds of every finding, and find its Dice and the errors of the measures.

    Two phantoms at least; ValueError where there are fewer. A measure whose error is known of
    fewer than two of them has none.
    """
    if len(phantoms) < 2:
        raise ValueError(f"{len(phantoms)} phantoms; thresholds and errors ask for two at least")
    half = np.arange(len(phantoms)) % 2
    to_come: dict[str, VolumeThresholds] = {}
    dice: dict[str, float] = {}
    by_others: list[dict[str, VolumeThresholds]] = [{}, {}]  # of each half
    for name in phantoms[0].known:
        table = np.array([dice_of_pairs(one.known[name]) for one in phantoms])
        for number in (0, 1):
            by_others[number][name] = best_thresholds(table[half != number])
        chosen = [PAIRS.index(by_others[number][name]) for number in half]
        dice[name] = float(table[np.arange(len(phantoms)), chosen].mean())
        to_come[name] = best_thresholds(table)
    errors: dict[str, MeasureError] = {}
    for measure in measures:
        drawn = [
            _measured(measure, one, by_others[number])
            for one, number in zip(phantoms, half, strict=True)
        ]
        error = measure_error(drawn, [_true(measure, one) for one in phantoms])
        if error is not None:
            errors[measure.name] = error
    return Drawings(to_come, dice, errors, len(phantoms))


def _measured(
    measure: MaskMeasure, phantom: KnownDrawing, thresholds: Mapping[str, VolumeThresholds]
) -> float:
    """Measure a number in the masks drawn in a phantom."""
    masks = [phantom.known[name].maps.masks(thresholds[name]) for name in measure.findings]
    return measure.measure(DrawnStack(masks, phantom.place))


def _true(measure: MaskMeasure, phantom: KnownDrawing) -> float:
    """Return a number as it was painted; where the archive does not say it, as it is measured in
    the true masks."""
    if measure.truth is not None:
        return measure.truth(phantom.truth)
    masks = [phantom.known[name].truth for name in measure.findings]
    return measure.measure(DrawnStack(masks, phantom.place))
