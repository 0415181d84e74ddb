"""tests/training/conftest.py: a store in memory whose bright blobs are the findings."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from wetread.labels.finding import Finding
from wetread.models.encoders import build
from wetread.training.averaging import RankedEpoch
from wetread.training.checkpoint import EpochScore
from wetread.training.data import LabeledSlices
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.slices.batches import TrainSet, train_set
from wetread.training.slices.loop import train
from wetread.training.slices.predict import predict_probabilities

FINDINGS = ("any", "left", "right")
LEFT_RIGHT = (
    Finding("any", weight=2.0),
    Finding("left", mirror="right"),
    Finding("right", mirror="left"),
)
QUICK = ["size=24", "batch_size=16", "runtime.threads=1", "runtime.readers=2", "epochs=3"]
QUICK += ["augmentation.rotate_degrees=5", "negatives_per_positive=3"]


class Blobs:
    """240 slices of noise, 12 a series; a quarter hold a blob on the left, on the right, or both.

    slices: SOPInstanceUID, SeriesInstanceUID, patient. truth: (240, 3) of FINDINGS.
    """

    def __init__(self, n: int = 240, size: int = 24) -> None:
        rng = np.random.default_rng(7)
        self.hu = rng.normal(35, 6, (n, size, size)).astype(np.float32)
        sides = rng.random((n, 2)) < 0.14
        self.truth = np.column_stack([sides.any(1), sides]).astype(np.float32)
        for i, side in zip(*np.nonzero(sides), strict=True):
            row, column = rng.integers(4, size - 8), 3 + side * (size // 2)
            self.hu[i, row : row + 5, column : column + 5] += 30
        self.slices = pl.DataFrame(
            {
                "SOPInstanceUID": [f"1.2.{i}" for i in range(n)],
                "SeriesInstanceUID": [f"1.3.{i // 12}" for i in range(n)],
                "patient": [f"p{i // 24}" for i in range(n)],
            }
        )

    def read_hu(self, rows: Sequence[int]) -> np.ndarray:
        return self.hu[list(rows)]

    def train_set(self, n: int = 160) -> TrainSet:
        """The first n slices; left and right change places when an image is flipped."""
        return train_set(self, range(n), self.truth[:n], [2, 1, 1], mirror=[0, 2, 1])


def quick(*settings: str) -> Recipe:
    """A recipe for a few seconds."""
    return read_recipe("compact", [*QUICK, *settings])


def fresh(recipe: Recipe) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        return build(recipe.encoder, recipe.view.channels, len(FINDINGS))


def train_blobs(folder: Path, recipe: Recipe, kill_at: int = 0) -> RankedEpoch:
    """Train on 160 slices, score on the other 80; SIGKILL oneself once kill_at steps are done."""
    blobs = Blobs()

    def score(model: nn.Module) -> EpochScore:
        probability = predict_probabilities(model, blobs, range(160, 240), recipe.view, recipe)
        return EpochScore(float(np.square(probability - blobs.truth[160:]).mean()), False)

    def progress(done: int, total: int) -> None:
        assert done <= total
        if done == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    data = blobs.train_set()
    run = Run(folder)
    return train(
        fresh(recipe), data, recipe, findings=FINDINGS, run=run, score=score, progress=progress
    )


@pytest.fixture(scope="session")
def blobs() -> Blobs:
    return Blobs()


@pytest.fixture
def data(blobs: Blobs) -> LabeledSlices:
    """The blobs as 20 studies of 10 patients, every slice labeled."""
    numbers = range(len(blobs.truth))
    slices = blobs.slices.with_columns(
        StudyInstanceUID=pl.Series([f"1.4.{i // 12}" for i in numbers]),
        z=pl.Series([i % 12 for i in numbers]),
        n_slices=pl.lit(12),
        position_mm=pl.Series([5.0 * (i % 12) for i in numbers]),
    )
    store: Any = SimpleNamespace(slices=slices, read_hu=blobs.read_hu)
    return LabeledSlices(
        store, np.arange(len(blobs.truth)), blobs.truth.astype(np.float64), LEFT_RIGHT
    )


if __name__ == "__main__":  # python conftest.py FOLDER KILL_AT SETTING...: a process to be killed
    train_blobs(Path(sys.argv[1]), quick(*sys.argv[3:]), int(sys.argv[2]))
