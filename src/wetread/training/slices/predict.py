"""training/slices/predict.py: a model's probabilities, and masks, for rows of a store."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from threading import Lock
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from wetread.models.encoders import both, last_linear
from wetread.models.folded import folded
from wetread.training.device import choose_runtime, seeded_runtime, set_threads
from wetread.training.losses import undo_balance
from wetread.training.recipe import Recipe
from wetread.training.slices.batches import (
    SliceSource,
    neighbor_rows,
    read_ahead,
    read_with_neighbors,
)
from wetread.view.device import to_view
from wetread.view.view import View

# Images of 256 x 256 pixels, fewer larger ones; gradients need no memory here. On a CPU what a
# layer leaves is in the cache for the next: an image takes two thirds of its time among 64.
BATCH, CPU_BATCH = 64, 8
Said = TypeVar("Said")
Take = Callable[[int, npt.NDArray[np.float32]], None]


def predict_probabilities(
    model: nn.Module,
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    view: View,
    recipe: Recipe,
    negative_rate: float = 1.0,
    mirror: Sequence[int] | None = None,
    take: Take = lambda place, masks: None,
) -> npt.NDArray[np.float64]:
    """Rows (N,) to probabilities (N, F) of the whole set, balanced epochs undone.

    With mirror, (F,) each finding's twin when left and right change places, the logits are the
    mean over the image and its mirror image.
    take: gets the masks of each image of a network that draws them: its place among the rows and
    probabilities (M, h, w) float32; in order.
    """

    ready = inference_copy(model, recipe)

    def say(image: torch.Tensor) -> tuple[torch.Tensor, npt.NDArray[np.float32] | None]:
        given, drawn = both(ready, image)
        given = given.double()
        if mirror is not None:
            turned, mirrored = both(ready, image.flip(-1))
            given = (given + turned.double()[:, list(mirror)]) / 2
            if drawn is not None and mirrored is not None:
                drawn = (drawn + mirrored.flip(-1)) / 2
        return given.cpu(), None if drawn is None else drawn.float().sigmoid().cpu().numpy()

    logits, place = [], 0
    for given, drawn in predict_batches(say, source, rows, view, recipe):
        logits.append(given)
        for masks in () if drawn is None else drawn:
            take(place, masks)
            place += 1
    if not logits:
        return np.empty((0, last_linear(model).out_features))
    probabilities: npt.NDArray[np.float64] = torch.cat(logits).sigmoid().numpy()
    return undo_balance(probabilities, negative_rate)


def inference_copy(model: nn.Module, recipe: Recipe) -> nn.Module:
    """A copy of the model as over_rows asks it: on the recipe's device, folded, in evaluation."""
    runtime = choose_runtime(recipe)
    return runtime.place(folded(model, runtime.precision))


def batch_size(view: View, device: torch.device) -> int:
    """How many images go through a network at a time."""
    most = CPU_BATCH if device.type == "cpu" else BATCH
    return max(1, min(most, most * 256**2 // view.size**2))


def predict_batches(
    say: Callable[[torch.Tensor], Said],
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    view: View,
    recipe: Recipe,
) -> Iterator[Said]:
    """say(view (B, C, size, size)) of the rows, batch by batch, in order.

    say runs on the recipe's device and in its precision, without gradients; slices are read ahead,
    and on a CPU several batches are said at a time.
    """
    rows = np.asarray(rows, np.int64)
    runtime = choose_runtime(recipe)
    step = batch_size(view, runtime.device)
    seen = neighbor_rows(source.slices, rows, view.neighbours)
    parts = [seen[i : i + step] for i in range(0, len(rows), step)]
    # A GPU's memory is one: its batches go one by one, while others are read.
    one_by_one: AbstractContextManager[object] = (
        nullcontext() if runtime.device.type == "cpu" else Lock()
    )

    def make(number: int) -> Said:
        hu = read_with_neighbors(source, parts[number])
        with one_by_one, torch.inference_mode(), runtime.autocast():
            return say(to_view(torch.from_numpy(hu).to(runtime.device), view))

    with seeded_runtime(recipe, runtime.device):
        ready = partial(set_threads, recipe.threads)
        yield from read_ahead(make, range(len(parts)), recipe.readers, ready)
