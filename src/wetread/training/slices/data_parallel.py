"""training/slices/data_parallel.py: the parts of a batch learned at the same time, on a CPU one
thread a part.

Threads inside a convolution wait for each other at every layer, and lose all they gained as soon as
other work has one of the cores; parts of a batch wait once a step. The gradients are added in the
order of the parts, so two runs give equal numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from wetread.models.encoders import forward_with_masks
from wetread.training.device import Runtime, set_threads
from wetread.training.losses import (
    MaskCounts,
    count_masks,
    known_weight,
    mask_loss,
    masked_loss,
)
from wetread.training.optimizer import train_mode
from wetread.training.processes import all_reduce_sum, world_size
from wetread.training.recipe import Recipe
from wetread.training.slices.batches import Batch
from wetread.view.device import move_masks, to_device, to_view
from wetread.view.view import View

Gradients = Sequence[Tensor | None]


@dataclass(frozen=True, eq=False)
class CpuDataParallel:
    """Models, one for each part of a batch, that share their parameters. Running statistics of
    BatchNorm are each model's own within a step, and their mean after it."""

    models: tuple[nn.Module, ...]
    pool: ThreadPoolExecutor
    recipe: Recipe
    runtime: Runtime
    weights: Tensor  # (F,) of the findings

    def backward(self, batch: Batch) -> Tensor:
        """Return the loss of a batch of slices (B, 1 + 2k, H, W), a scalar; its gradient is left in
        the parameters' grad. Of several processes each has its share of the batch and of both; one
        that has no slice in it leaves no gradient."""
        total, masks = self._whole_batch(batch)
        if not len(batch.targets):
            return self.weights.new_zeros(())
        parts = batch.parts(len(self.models))
        each = partial(self._part_gradients, total=total.clamp_min(1e-12), masks=masks)
        if len(parts) == 1:
            done = [each(self.models[0], parts[0])]
        else:
            done = list(self.pool.map(each, self.models, parts))
        for parameter, *grads in zip(
            learned_parameters(self.models[0]), *(grads for _, grads in done), strict=True
        ):
            known = [grad for grad in grads if grad is not None]
            parameter.grad = torch.stack(known).sum(0) if len(known) > 1 else (known or [None])[0]
        average_buffers(self.models)
        return torch.stack([loss for loss, _ in done]).sum()

    def _whole_batch(self, batch: Batch) -> tuple[Tensor, MaskCounts]:
        """Compute by what the losses of the whole batch are divided, of which this process has its
        share: the weight of the known targets (a scalar) and the masks."""
        masks = count_masks(batch.masks, batch.mask_known)
        target = torch.from_numpy(batch.targets)
        if world_size() == 1:
            return known_weight(target.to(self.runtime.device), self.weights), masks
        weight = float(known_weight(target, self.weights.cpu()))
        own = torch.tensor([weight, masks.known, masks.positive], dtype=torch.float64)
        total = all_reduce_sum(own)
        return self.weights.new_tensor(float(total[0])), MaskCounts(int(total[1]), int(total[2]))

    def _part_gradients(
        self, model: nn.Module, part: Batch, total: Tensor, masks: MaskCounts
    ) -> tuple[Tensor, Gradients]:
        """The part's share of the loss, and its gradients in the order of learned_parameters; in as
        many turns as the recipe says, one after the other."""
        first, *others = part.parts(self.recipe.batch_accumulation)
        loss, grads = self._gradients(model, first, total, masks)
        for piece in others:
            more, added = self._gradients(model, piece, total, masks)
            loss = loss + more
            grads = [
                a if b is None else b if a is None else a.add_(b)
                for a, b in zip(grads, added, strict=True)
            ]
        return loss, grads

    def _gradients(
        self, model: nn.Module, part: Batch, total: Tensor, masks: MaskCounts
    ) -> tuple[Tensor, Gradients]:
        """Compute the loss of some slices as a share of the whole batch's, and its gradients."""
        view = replace(self.recipe.view, size=part.size)
        hu = to_device(part.hu, self.runtime.device)  # (B, 1 + 2k, H, W)
        target = torch.from_numpy(part.targets).to(self.runtime.device)  # (B, F)
        with self.runtime.autocast():
            logits, drawn = forward_with_masks(model, to_view(hu, view, part.augmentation))
        loss = masked_loss(logits.float(), target, self.weights)
        loss = loss * known_weight(target, self.weights) / total * self.recipe.image_weight
        if drawn is not None:
            true = torch.from_numpy(part.masks).to(self.runtime.device)
            true = move_masks(true, part.augmentation, drawn.shape[-1])
            known = torch.from_numpy(part.mask_known).to(self.runtime.device)
            loss = loss + mask_loss(drawn.float(), true, known, self.recipe, masks)
        grads = torch.autograd.grad(loss, learned_parameters(model), allow_unused=True)
        return loss.detach(), grads


def learned_parameters(model: nn.Module) -> list[nn.Parameter]:
    """List the parameters of a model that are not frozen."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def with_parts_per_rank(recipe: Recipe) -> Recipe:
    """Return the recipe with as many parts of a batch that all processes have equally many."""
    count = world_size()
    parts = -(-recipe.runtime.batch_parts // count) * count
    if parts == recipe.runtime.batch_parts:
        return recipe
    return recipe.with_settings({"runtime.batch_parts": parts})


@contextmanager
def data_parallel(
    model: nn.Module, recipe: Recipe, runtime: Runtime, weights: Tensor
) -> Iterator[CpuDataParallel]:
    """Open the model in as many parts as the recipe says; weights (F,) of the findings in the
    loss."""
    replicas = [_replica(model, recipe) for _ in range(_parts(model, recipe, runtime) - 1)]
    with ThreadPoolExecutor(
        len(replicas) + 1, initializer=partial(set_threads, recipe.runtime.threads)
    ) as pool:
        yield CpuDataParallel((model, *replicas), pool, recipe, runtime, weights)


def _parts(model: nn.Module, recipe: Recipe, runtime: Runtime) -> int:
    """One on a GPU, and where the network draws by chance: parts would race for the generator. Of
    several processes each has its share of them."""
    parts = -(-recipe.runtime.batch_parts // world_size())
    if parts == 1 or runtime.device.type != "cpu":
        return 1
    return 1 if _draws_by_chance(model, recipe.view) else parts


def _draws_by_chance(model: nn.Module, view: View) -> bool:
    """Whether a training step of the network takes from torch's generator (dropout and its kin)."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        before = torch.get_rng_state()
        copy.deepcopy(model).train()(torch.zeros(2, view.channels, view.size, view.size))
        return not torch.equal(torch.get_rng_state(), before)


def _replica(model: nn.Module, recipe: Recipe) -> nn.Module:
    """A copy with the model's own parameters and buffers of its own."""
    twin = train_mode(copy.deepcopy(model), recipe.optimizer)
    for ours, theirs in zip(model.modules(), twin.modules(), strict=True):
        for name, parameter in ours.named_parameters(recurse=False):
            setattr(theirs, name, parameter)
    return twin


def average_buffers(models: Sequence[nn.Module]) -> None:
    """The mean over the parts, in all of them; counts of batches are equal already."""
    if len(models) == 1:
        return
    for buffers in zip(*(model.buffers() for model in models), strict=True):
        if buffers[0].is_floating_point():
            mean = torch.stack(buffers).mean(0)
            for buffer in buffers:
                buffer.copy_(mean)
