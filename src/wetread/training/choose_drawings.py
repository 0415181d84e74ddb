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
    KnownSeries,
    VolumeThresholds,
    choose_volume_thresholds,
    series_dice,
)
from wetread.study.placement import SlicePlacement
from wetread.training.drawings import Drawings, MeasureError
from wetread.training.series.spec import MaskMeasure


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
    halves = phantoms[::2], phantoms[1::2]
    each = [_thresholds(half) for half in halves]
    chosen_by_others = [(half, each[1 - number]) for number, half in enumerate(halves)]
    dice = {
        name: float(
            np.mean(
                [
                    series_dice(one.known[name], chosen[name])
                    for half, chosen in chosen_by_others
                    for one in half
                ]
            )
        )
        for name in each[0]
    }
    errors: dict[str, MeasureError] = {}
    for measure in measures:
        off = [
            _measured(measure, one, chosen) - measure.truth(one.truth)
            for half, chosen in chosen_by_others
            for one in half
        ]
        known = np.array([value for value in off if np.isfinite(value)])
        if len(known) > 1:
            errors[measure.name] = MeasureError(
                float(known.mean()), float(known.std(ddof=1)), len(known)
            )
    return Drawings(_thresholds(phantoms), dice, errors, len(phantoms))


def _thresholds(phantoms: Sequence[KnownDrawing]) -> dict[str, VolumeThresholds]:
    return {
        name: choose_volume_thresholds([one.known[name] for one in phantoms])
        for name in phantoms[0].known
    }


def _measured(
    measure: MaskMeasure, phantom: KnownDrawing, thresholds: Mapping[str, VolumeThresholds]
) -> float:
    """Measure a number in the masks drawn in a phantom."""
    masks = [phantom.known[name].maps.masks(thresholds[name]) for name in measure.findings]
    return measure.measure(masks, phantom.place)
