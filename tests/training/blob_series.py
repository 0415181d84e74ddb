"""tests/training/blob_series.py: what the tests of whole series learn: blobs on two sides."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wetread.labels.finding import Finding
from wetread.study.boxes import PixelBox
from wetread.training.data import LabeledSlices, Split
from wetread.training.losses import plain_series_loss
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.series.fit import fit_series
from wetread.training.series.inputs import Embeddings, SequenceInputs, make_sequence_inputs
from wetread.training.series.parts import EncoderSlices, SeriesData
from wetread.training.series.series import Series
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.slices.fit import SplitResult

IMAGE = (Finding("any"),)
STUDY = (Finding("left", "study", mirror="right"), Finding("right", "study", mirror="left"))
FLIP_INDEX = np.array([1, 0])


def slice_targets(image: np.ndarray, study: np.ndarray) -> np.ndarray:
    return np.hstack([image, np.where(image > 0.5, study, 0.0)])


def quick(*settings: str) -> Recipe:
    """A recipe for a second or two."""
    small = ["size=24", "batch_size=16", "epochs=2", "negatives_per_positive=0"]
    small += ["runtime.threads=1", "runtime.device=cpu"]
    small += ["series.network=gru", "series.epochs=3", "series.batch_size=4"]
    return read_recipe("compact", [*small, *settings])


def series_data(store: Any, series: Series) -> SeriesData:
    """The series with one encoder, whose crop is the slice."""
    findings = (*IMAGE, *(replace(finding, level="image") for finding in STUDY))
    encoder = CropEncoder("whole", findings, slice_targets)
    spec = SeriesSpec(
        IMAGE, STUDY, (encoder,),
        lambda hu: (PixelBox(0, 1, 0, 1),),
        lambda series: plain_series_loss,
        lambda image, study, starts: (image, study),
        lambda image, study, starts: [()] * len(study),
    )  # fmt: skip
    targets = slice_targets(series.image, series.spread())
    data = LabeledSlices(store, series.rows, targets, findings)
    return SeriesData(series, (EncoderSlices(encoder, data),), spec)


def fit(folder: Path, data: SeriesData, recipe: Recipe, choosing: int = 24) -> SplitResult:
    """Learn 14 series, choose by two, read four."""
    validation = np.arange(168, 168 + choosing)
    split = Split("held_out", np.arange(168), validation, np.arange(192, 240))
    return fit_series(
        data, split, recipe, run=Run(folder), number=0, weights={},
        stage=lambda name: lambda done, total: None,
    )  # fmt: skip


def inputs_for(series: Series, width: int = 3) -> SequenceInputs:
    """Features in which the truth lies, under noise."""
    noise = np.random.default_rng(1).normal(size=(len(series.rows), width)).astype(np.float32)
    plain = noise + np.hstack([series.image, series.spread()]).astype(np.float32)
    whole = np.stack([part.max(0) for part in np.split(plain, series.starts[1:-1])])
    mirrored = Embeddings(plain[:, [0, 2, 1]], whole[:, [0, 2, 1]])
    return make_sequence_inputs(series, Embeddings(plain, whole), mirrored, quick())
