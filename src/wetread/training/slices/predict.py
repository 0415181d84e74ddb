"""training/slices/predict.py: a model's probabilities, and masks, for rows of a store."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache, partial
from pathlib import Path
from threading import Lock
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from wetread.archive.types import Int64Array
from wetread.models.encoders import last_linear
from wetread.models.flip_average import FlipAverage
from wetread.models.folded import fold_batch_norm
from wetread.store.store import Store, open_store
from wetread.training.balance import to_probabilities
from wetread.training.device import (
    choose_runtime,
    cpu_copy,
    release_memory,
    seeded_runtime,
    set_threads,
)
from wetread.training.networks import SliceBatch
from wetread.training.processes import (
    call_other_ranks,
    process_rank,
    receive_from_rank,
    send_to_rank_zero,
    world_size,
)
from wetread.training.recipe import Recipe
from wetread.training.slices.batches import (
    neighbor_rows,
    read_ahead,
    read_with_neighbors,
)
from wetread.training.slices.source import SliceSource
from wetread.view.device import to_device, to_view
from wetread.view.view import View

# Images of 256 x 256 pixels, fewer larger ones; gradients need no memory here. On a CPU what a
# layer leaves is in the cache for the next: an image takes two thirds of its time among 64.
BATCH, CPU_BATCH = 64, 8
Outputs = tuple[Tensor | None, ...]  # (B, ...) each, of a batch


def predict_probabilities(
    model: nn.Module,
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    view: View,
    recipe: Recipe,
    negative_rate: float = 1.0,
    mirror: Sequence[int] | None = None,
) -> npt.NDArray[np.float64]:
    """Rows (N,) to probabilities (N, F) of the whole set, balanced epochs undone.

    With mirror, (F,) each finding's twin when left and right change places, the logits are the
    mean over the image and its mirror image.
    """
    batches = predict_with_masks(model, source, rows, view, recipe, mirror)
    findings = last_linear(model).out_features
    return to_probabilities([batch.logits for batch in batches], findings, negative_rate)


def predict_with_masks(
    model: nn.Module,
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    view: View,
    recipe: Recipe,
    mirror: Sequence[int] | None = None,
) -> Iterator[SliceBatch]:
    """Yield logits and mask probabilities of rows (N,), batch by batch in order.

    mirror: as for predict_probabilities.
    """
    for (batch,) in predict_each([model], source, rows, view, recipe, mirror):
        yield batch


class SideBySide(nn.Module):
    """Several networks of one view as one that gives the outputs of each, in their order."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, view: Tensor) -> tuple[Tensor | None, ...]:
        """View (B, C, H, W) to the outputs of all networks."""
        return tuple(output for network in self.networks for output in network(view))


def predict_each(
    models: Sequence[nn.Module],
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    view: View,
    recipe: Recipe,
    mirror: Sequence[int] | None = None,
) -> Iterator[tuple[SliceBatch, ...]]:
    """Yield what each of some networks of one view says of rows (N,), batch by batch in order:
    slices are read once, whatever the number of networks.

    mirror: as for predict_probabilities.
    """
    networks = SideBySide([FlipAverage(inference_copy(one, recipe), mirror) for one in models])
    for outputs in predict_batches(networks, source, rows, view, recipe):
        yield tuple(_slice_batch(*outputs[i : i + 3]) for i in range(0, len(outputs), 3))


def _slice_batch(logits: Tensor | None, masks: Tensor | None, apart: Tensor | None) -> SliceBatch:
    assert logits is not None  # FlipAverage always gives some
    spread = torch.zeros_like(logits) if apart is None else apart
    return SliceBatch(logits.numpy(), None if masks is None else masks.numpy(), spread.numpy())


def inference_copy(model: nn.Module, recipe: Recipe) -> nn.Module:
    """A copy of the model as over_rows asks it: on the recipe's device, folded, in evaluation."""
    runtime = choose_runtime(recipe)
    return runtime.place(fold_batch_norm(model, runtime.precision))


def batch_size(view: View, device: torch.device) -> int:
    """How many images go through a network at a time."""
    most = CPU_BATCH if device.type == "cpu" else BATCH
    return max(1, min(most, most * 256**2 // view.size**2))


def predict_batches(
    network: nn.Module,
    source: SliceSource,
    rows: Sequence[int] | npt.NDArray[np.int64],
    view: View,
    recipe: Recipe,
) -> Iterator[Outputs]:
    """Yield the tensors, (B, ...) each and on the CPU, that a network makes of the rows' views
    (B, C, size, size), batch by batch in order. Several processes share the batches of a store; all
    are to be taken.

    network: gives a tuple of tensors, or None in place of one. It runs on the recipe's device and
    in its precision, without gradients; slices are read ahead, and on a CPU several batches are
    computed at a time.
    """
    rows = np.asarray(rows, np.int64)
    step = batch_size(view, choose_runtime(recipe).device)
    around = neighbor_rows(source.slices, rows, view)
    parts = [around[i : i + step] for i in range(0, len(rows), step)]
    if world_size() == 1 or not isinstance(source, Store) or len(parts) < world_size():
        yield from _compute(network, source, parts, view, recipe)
        return
    call_other_ranks(_help_to_predict, cpu_copy(network), source.path, parts, view, recipe)
    own = _compute(network, source, parts[:: world_size()], view, recipe)
    for number in range(len(parts)):
        process = number % world_size()
        yield cast(Outputs, receive_from_rank(process)) if process else next(own)
    own.close()


def _help_to_predict(
    network: nn.Module, store: Path, parts: Sequence[Int64Array], view: View, recipe: Recipe
) -> None:
    """Compute in another process its batches of parts, rows (n, 1 + 2k) of a store each, and send
    them to the first."""
    own = parts[process_rank() :: world_size()]
    network = choose_runtime(recipe).place(network)
    for outputs in _compute(network, _open_once(store), own, view, recipe):
        send_to_rank_zero(outputs)
    release_memory()


@lru_cache(maxsize=8)
def _open_once(store: Path) -> Store:
    """Open a store, whose pixels stay as they are while a command reads it."""
    return open_store(store)


def _compute(
    network: nn.Module,
    source: SliceSource,
    parts: Sequence[Int64Array],
    view: View,
    recipe: Recipe,
) -> Generator[Outputs]:
    """Yield what the network makes of each of parts, rows (n, 1 + 2k), in order."""
    runtime = choose_runtime(recipe)
    # A GPU's memory is one: its batches go one by one, while others are read.
    one_by_one: AbstractContextManager[object] = (
        nullcontext() if runtime.device.type == "cpu" else Lock()
    )

    def make(number: int) -> Outputs:
        """Compute the tensors (B, ...) of a batch."""
        hu = read_with_neighbors(source, parts[number])
        with one_by_one, torch.inference_mode(), runtime.autocast():
            outputs = network(to_view(to_device(hu, runtime.device), view))
            return tuple(None if output is None else output.cpu() for output in outputs)

    with seeded_runtime(recipe, runtime.device):
        ready = partial(set_threads, recipe.runtime.threads)
        yield from read_ahead(make, range(len(parts)), recipe.runtime.readers, ready)
