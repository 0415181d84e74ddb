"""training/slices/learning.py: the steps of a training of slices, by one process or by several.

Of several each learns its share of every batch and reads its slices alone. The first has the
optimizer: at a step the others take its weights, and it adds their gradients to its own. So a
training has one state, that of the first, and can go on with any number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from wetread.training.device import (
    Runtime,
    choose_runtime,
    cpu_copy,
    map_large_tensors,
    release_memory,
    seeded_runtime,
)
from wetread.training.optimizer import train_mode
from wetread.training.processes import (
    broadcast,
    call_other_ranks,
    end_orders,
    orders,
    process_rank,
    reduce_sum,
    send_order,
    world_size,
)
from wetread.training.random_streams import RandomStream, make_generator
from wetread.training.recipe import Recipe
from wetread.training.slices.batches import Batch, Share, TrainSet, batches
from wetread.training.slices.data_parallel import (
    CpuDataParallel,
    data_parallel,
    learned_parameters,
)
from wetread.training.slices.source import cache_source


@dataclass(eq=False)
class SharedLearning:
    """The parts of this process, of those of all that learn together.

    epoch, step: of the batch that is learned.
    """

    parallel: CpuDataParallel
    data: TrainSet
    recipe: Recipe
    epoch: int = 0
    step: int = 0

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        """Yield this process's share of the epoch's batches from step start on."""
        if process_rank() == 0:
            send_order((epoch, start))
        share = Share(process_rank(), world_size(), len(self.parallel.models))
        self.epoch = epoch
        for step, batch in enumerate(batches(self.data, self.recipe, epoch, start, share), start):
            self.step = step
            yield batch

    def backward(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar, with its gradient in the parameters' grad; in the
        first process that of the whole, in the others of their share."""
        if world_size() == 1:
            return self.parallel.backward(batch)
        first, *replicas = self.parallel.models
        parameters, statistics = learned_parameters(first), _statistics(first)
        broadcast([*parameters, *statistics])
        for replica in replicas:
            for own, copied in zip(_statistics(replica), statistics, strict=True):
                own.copy_(copied)
        _seed_rank(self.recipe.seed, self.epoch, self.step)
        loss = self.parallel.backward(batch)
        # Laid out as one process lays out its sums over parts, so that their norm is the same.
        grads = [
            p.new_zeros(p.shape) if p.grad is None else p.grad.contiguous() for p in parameters
        ]
        reduce_sum([*grads, *statistics, loss])
        for parameter, grad in zip(parameters, grads, strict=True):
            if parameter.grad is not None:
                parameter.grad = grad
        for one in _statistics(first):
            one.div_(world_size())
        for replica in replicas:
            for own, mean in zip(_statistics(replica), _statistics(first), strict=True):
                own.copy_(mean)
        if process_rank():
            first.zero_grad()
        return loss


@contextmanager
def open_shared_learning(
    model: nn.Module, data: TrainSet, uncached: TrainSet, recipe: Recipe, runtime: Runtime
) -> Iterator[SharedLearning]:
    """Open the steps of a training in the first process, and in the others, which help it.

    uncached: the data as they are sent to the others.
    """
    with _opened(model, data, recipe, runtime) as learning:
        if world_size() > 1:
            call_other_ranks(_help_to_learn, cpu_copy(model), uncached, recipe)
        yield learning
        end_orders()


def _help_to_learn(model: nn.Module, data: TrainSet, recipe: Recipe) -> None:
    """Learn in another process its share of the batches of each epoch that the first one orders."""
    runtime = choose_runtime(recipe)
    data = replace(data, source=cache_source(data.source, recipe.runtime.cache_mb))
    map_large_tensors()
    with (
        seeded_runtime(recipe, runtime.device),
        _opened(runtime.place(model), data, recipe, runtime) as learning,
    ):
        for epoch, start in cast(Iterator[tuple[int, int]], orders()):
            train_mode(model, recipe.optimizer)
            for batch in learning.batches(epoch, start):
                learning.backward(batch)
            release_memory()


@contextmanager
def _opened(
    model: nn.Module, data: TrainSet, recipe: Recipe, runtime: Runtime
) -> Iterator[SharedLearning]:
    weights = torch.from_numpy(data.weights).to(runtime.device)
    with data_parallel(model, recipe, runtime, weights) as parallel:
        yield SharedLearning(parallel, data, recipe)


def _statistics(model: nn.Module) -> list[Tensor]:
    """List the running statistics of a model."""
    return [buffer for buffer in model.buffers() if buffer.is_floating_point()]


def _seed_rank(seed: int, epoch: int, step: int) -> None:
    """Seed torch's generators (dropout) for a step: no two processes draw the same."""
    rng = make_generator(seed, RandomStream.DROPOUT, epoch, step, process_rank())
    torch.manual_seed(int(rng.integers(2**63)))
