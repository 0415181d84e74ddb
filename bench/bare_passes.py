"""bench/bare_passes.py: what the forward passes alone take that an answer on a series needs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from wetread.store.store import Store, open_store
from wetread.training.device import choose_runtime, seeded_runtime, set_threads
from wetread.training.recipe import Recipe
from wetread.training.series.reader import read_series_model
from wetread.training.slices.batches import neighbor_rows, read_ahead, read_with_neighbors
from wetread.training.slices.members import fold_checkpoints
from wetread.training.slices.predict import batch_size, inference_copy
from wetread.training.trained_model import TrainedModel, read_trained_model
from wetread.view.device import to_view


@dataclass(frozen=True)
class Spent:
    """CPU and wall seconds."""

    cpu_s: float
    wall_s: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.cpu_s + other.cpu_s, self.wall_s + other.wall_s)


@dataclass(frozen=True)
class Bare:
    """Time of forward passes as torch runs the networks, and folded as `predict` runs them."""

    plain: Spent
    folded: Spent
    passes: int
    precision: str
    threads: int


def forward_passes(run: Path, out: Path) -> Bare:
    """The passes that the answer on one study needs of the encoders, and what they take.

    out: where `predict` left the packed slices.
    """
    passes, plain, folded = 0, Spent(0.0, 0.0), Spent(0.0, 0.0)
    for part in sorted(run.glob("model-*/part-*")):
        reader = read_series_model(part)
        times = 2 if reader.recipe.series.mirror else 1
        for encoder, name in zip(reader.encoders, ("store", "store-heart"), strict=True):
            ready = _views(encoder, open_store(out / name))
            passes += times * sum(map(len, ready))
            model = choose_runtime(encoder.recipe).place(encoder.model).eval()
            plain += _through(model, ready, times, encoder.recipe)
            folded += _through(inference_copy(model, encoder.recipe), ready, times, encoder.recipe)
    used = str(choose_runtime(encoder.recipe).precision).removeprefix("torch.")
    return Bare(plain, folded, passes, used, encoder.recipe.runtime.readers)


def slice_forward_passes(run: Path, out: Path) -> Bare:
    """The passes that the answers on single slices need, image and mirror image, and their time.

    out: where `predict` left the packed slices.
    """
    passes, plain, folded = 0, Spent(0.0, 0.0), Spent(0.0, 0.0)
    for checkpoint in fold_checkpoints(run):
        network = read_trained_model(checkpoint)
        ready = _views(network, open_store(out / "store"))
        passes += 2 * sum(map(len, ready))
        model = choose_runtime(network.recipe).place(network.model).eval()
        plain += _through(model, ready, 2, network.recipe)
        folded += _through(inference_copy(model, network.recipe), ready, 2, network.recipe)
    used = str(choose_runtime(network.recipe).precision).removeprefix("torch.")
    return Bare(plain, folded, passes, used, network.recipe.runtime.readers)


def _views(encoder: TrainedModel, store: Store) -> list[torch.Tensor]:
    """The slices of a store as the encoder sees them, in batches like those of `predict`."""
    around = neighbor_rows(store.slices, np.arange(len(store)), encoder.view)
    step = batch_size(encoder.view, torch.device("cpu"))
    return [
        to_view(
            torch.from_numpy(read_with_neighbors(store, around[first : first + step])), encoder.view
        )
        for first in range(0, len(store), step)
    ]


def _through(
    model: torch.nn.Module, ready: Sequence[torch.Tensor], times: int, recipe: Recipe
) -> Spent:
    runtime = choose_runtime(recipe)

    def say(number: int) -> None:
        with torch.inference_mode(), runtime.autocast():
            for _ in range(times):
                model(ready[number])

    with seeded_runtime(recipe, runtime.device):
        cpu, wall = time.process_time(), time.perf_counter()
        prepare = partial(set_threads, recipe.runtime.threads)
        for _ in read_ahead(say, range(len(ready)), recipe.runtime.readers, prepare):
            pass
        return Spent(time.process_time() - cpu, time.perf_counter() - wall)
