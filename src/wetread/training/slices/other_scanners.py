"""training/slices/other_scanners.py: phantoms that a network never learned, read as if other
scanners had made them.

Phantoms are alike as patients and scanners are not: a network that has seen nothing else is surer
of patients than it should be. How sure it may be is chosen by phantoms that are blurred, sharpened,
noisier, brighter and larger than any it learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from wetread.archive.types import Float32Array
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import LabeledSlices, Split, mirror_columns
from wetread.training.slices.ensemble_mean import read_mean
from wetread.training.slices.levels import labeled_probabilities
from wetread.training.slices.source import SliceSource
from wetread.training.trained_model import TrainedModel
from wetread.view.augment import Strengths, draw_augmentation
from wetread.view.device import augment_hu

SEED = 0


class AlteredSource:
    """A source whose series look as if each came from another scanner: all slices of a series are
    changed alike, but for their noise."""

    def __init__(self, source: SliceSource, strengths: Strengths) -> None:
        self.slices = source.slices
        self._source = source
        series = source.slices["SeriesInstanceUID"].rank("dense").to_numpy().astype(np.int64) - 1
        count = int(series.max()) + 1
        drawn = draw_augmentation(strengths, count, np.random.default_rng(SEED)).select(series)
        rows = np.arange(len(series))
        self._changes = replace(drawn, noise_seeds=drawn.noise_seeds + rows)

    def read_hu(self, rows: Sequence[int]) -> Float32Array:
        """Read HU (N, H, W) float32 of the rows, changed."""
        hu = torch.from_numpy(self._source.read_hu(rows).copy())
        changes = self._changes.select(np.asarray(rows, np.int64))
        changed: Float32Array = augment_hu(hu[:, None], changes)[:, 0].numpy()
        return changed


def read_altered(
    data: LabeledSlices, split: Split, models: Sequence[TrainedModel], strengths: Strengths
) -> tuple[LabeledProbabilities, ...]:
    """Read the scored slices of a split, changed, by the networks that never learned from them:
    the probabilities of slices and of studies beside their truth."""
    read = read_mean(
        models,
        AlteredSource(data.store, strengths),
        data.rows[split.scored],
        mirror_columns(data.findings).tolist(),
    )
    return labeled_probabilities(data, split.scored, data.smooth(read.probability, split.scored))
