"""training/prepare.py: a task's spec becomes what is trained; the one place that chooses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from wetread.training.data import LabeledSlices
from wetread.training.series.levels import consistent_levels
from wetread.training.series.prepare import prepare_series, pretrain_encoders
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.levels import obeying_levels
from wetread.training.slices.prepare import (
    MakeConsistent,
    Prepared,
    TrainingInputs,
    labeled_slices,
    prepare_slices,
    pretrain_slices,
)
from wetread.training.slices.spec import SliceSpec


def prepare(spec: SliceSpec | SeriesSpec, inputs: TrainingInputs) -> Prepared:
    """Join packed slices, or whole series, with their labels; ValueError where none has one."""
    match spec:
        case SliceSpec():
            return prepare_slices(spec, inputs)
        case SeriesSpec():
            return prepare_series(spec, inputs)


def consistency(spec: SliceSpec | SeriesSpec) -> MakeConsistent:
    """Return what makes levels of predictions, images and studies, obey the task's rules."""
    match spec:
        case SliceSpec():
            return partial(obeying_levels, obey=spec.obey)
        case SeriesSpec():
            return partial(consistent_levels, spec=spec)


def fit_phantoms(
    spec: SliceSpec | SeriesSpec, inputs: TrainingInputs, weights: Mapping[str, Path]
) -> dict[str, Path]:
    """Learn phantoms; return the kept models' files, by the networks' names.

    weights: files from which the networks start, by their names.
    """
    match spec:
        case SliceSpec():
            return pretrain_slices(spec, inputs, weights)
        case SeriesSpec():
            return pretrain_encoders(spec, inputs, weights)


def phantoms_to_mix(spec: SliceSpec | SeriesSpec, inputs: TrainingInputs) -> LabeledSlices | None:
    """Join phantoms with their labels and masks, where batches are to have some of them."""
    match spec:
        case SliceSpec():
            return labeled_slices(spec, inputs)
        case SeriesSpec():  # its check_recipe refuses such batches
            return None
