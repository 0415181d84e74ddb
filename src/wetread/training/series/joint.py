"""training/series/joint.py: encoders and the network over them, trained end to end.

Slices are spread evenly through each series, so memory does not grow with its length; what is
augmented is the mirror image alone, a whole series at a time. Statistics of BatchNorm stay as the
encoders' own training left them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from wetread.archive.files.damaged import expect_form
from wetread.archive.types import BoolArray, Int64Array, Progress
from wetread.models.encoders import last_linear
from wetread.store.store import Store
from wetread.training.checkpoint import (
    Checkpointer,
    CheckpointFiles,
    EpochScore,
    TrainingIdentity,
    digest_arrays,
    learned_settings,
)
from wetread.training.device import Runtime, choose_runtime, cpu_copy, seeded_runtime
from wetread.training.losses import SeriesLoss
from wetread.training.optimizer import make_optimizer, rate_at, set_rate, take_step
from wetread.training.processes import call_other_ranks, end_orders, orders, send_order, world_size
from wetread.training.random_streams import RandomStream, make_generator
from wetread.training.recipe import Recipe
from wetread.training.run import BEST as BEST_ENCODER
from wetread.training.run import CHECKPOINT, Run
from wetread.training.series.batches import SeriesBatch
from wetread.training.series.learning import help_to_learn, learn_shared, series_share
from wetread.training.series.sequence_fit import BEST, LAST
from wetread.training.series.series import (
    Series,
    place_features,
    sequence_features,
    spread_slices,
)
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.training.trained_model import TrainedModel
from wetread.view.device import to_view

FILES = CheckpointFiles(LAST, "joint.pt")
GROUPS = ("seed", "joint.", "optimizer.")  # settings that change what is learned here
OTHERS = ("series.mirror", "series.differences")


@dataclass(frozen=True, eq=False)
class JointModel:
    """Encoders, one a crop, and the network over their features."""

    encoders: tuple[TrainedModel, ...]
    network: nn.Module

    def on_cpu(self) -> JointModel:
        """Copy the networks to the CPU, to be sent to another process."""
        encoders = tuple(replace(one, model=cpu_copy(one.model)) for one in self.encoders)
        return JointModel(encoders, cpu_copy(self.network))

    def modules(self) -> nn.ModuleList:
        """All networks, the encoders' first, as one module."""
        return nn.ModuleList([*(one.model for one in self.encoders), self.network])


@dataclass(frozen=True, eq=False)
class JointData:
    """Series to train on.

    stores:     the slices of each encoder's crop.
    flip_index: (S,) the study finding that each one becomes in a mirror image.
    loss:       what is minimized.
    """

    series: Series
    stores: Sequence[Store]
    flip_index: Int64Array
    loss: SeriesLoss


def fit_joint(
    start: JointModel,
    data: JointData,
    recipe: Recipe,
    *,
    validation_loss: Callable[[JointModel], float | None],
    sources: Sequence[Path],
    run: Run,
    progress: Progress = lambda done, total: None,
) -> JointModel:
    """Go on from start over the series; the epoch of least validation loss is kept, start among
    them; the last one where that is None.

    sources: the encoders' folders. The run's folder then holds NAME/best.pt and sequence.pt as the
    part's own does. Goes on where the run stopped; ResumeError where it was begun with other
    series, settings or networks.
    """
    runtime, settings = choose_runtime(recipe), recipe.joint
    model = copy.deepcopy(start)
    modules = model.modules().to(runtime.device)  # before the optimizer: it goes where these are
    optimizer = make_optimizer(
        modules,
        recipe.optimizer,
        learning_rate=settings.learning_rate,
        weight_decay=recipe.optimizer.weight_decay,
    )
    steps = -(-len(data.series) // settings.batch_size)
    total = settings.epochs * steps
    checkpointer = Checkpointer(
        run, FILES, modules, optimizer, runtime.device, joint_identity(start, data, recipe)
    )
    with seeded_runtime(recipe, runtime.device):
        if not checkpointer.resume():
            checkpointer.keep(validation_loss(model))
        shared = JointSteps(model, modules, data.series, data.stores, recipe)
        if world_size() > 1:
            call_other_ranks(_help_to_train, model.on_cpu(), data.series, list(data.stores), recipe)
        while checkpointer.epoch < settings.epochs:
            epoch = checkpointer.epoch
            torch.manual_seed(recipe.seed + epoch)  # dropout: an epoch begins alike however reached
            order = make_generator(recipe.seed, RandomStream.JOINT_ORDER, epoch)
            for part in np.array_split(order.permutation(len(data.series)), steps):
                rate = rate_at(checkpointer.step, total, settings.learning_rate, recipe.optimizer)
                set_rate(optimizer, rate)
                value = shared.backward(data, part, epoch, checkpointer.position)
                take_step(optimizer, modules.parameters(), recipe.optimizer.max_norm)
                checkpointer.after_step(value)
                progress(checkpointer.step, total)
            loss = validation_loss(model)
            checkpointer.after_epoch(None if loss is None else EpochScore(loss))
        end_orders()
    kept = copy.deepcopy(start)
    with expect_form(run.folder / FILES.best, CHECKPOINT, RuntimeError):
        kept.modules().load_state_dict(checkpointer.best_state())
    _write(kept, sources, run)
    return kept


def joint_loss(
    model: JointModel,
    data: JointData,
    part: Int64Array,
    recipe: Recipe,
    rng: np.random.Generator,
) -> Tensor:
    """Compute the loss, a scalar (shape ()), of the series numbered by part (B,), each through
    slices spread over it."""
    draw = draw_slices(data.series, part, recipe, rng)
    logits = joint_logits(model, data.series, data.stores, draw, recipe)
    return data.loss(*logits, joint_truth(data, draw, logits[0]))


@dataclass(frozen=True, eq=False)
class SlicesDrawn:
    """Series of a step, numbered by part (B,): of each the places (n,) of its slices that stand for
    it, and whether it is mirrored, (B,)."""

    part: Int64Array
    places: tuple[Int64Array, ...]
    flipped: BoolArray

    def of(self, own: Int64Array) -> SlicesDrawn:
        """Select series by place (n,)."""
        return SlicesDrawn(self.part[own], tuple(self.places[e] for e in own), self.flipped[own])


def draw_slices(
    series: Series, part: Int64Array, recipe: Recipe, rng: np.random.Generator
) -> SlicesDrawn:
    """Draw the slices of a step."""
    lengths = np.diff(series.starts)
    places = tuple(
        series.starts[e] + spread_slices(int(lengths[e]), recipe.joint.slices, rng) for e in part
    )
    return SlicesDrawn(part, places, rng.random(len(part)) < (0.5 if recipe.series.mirror else 0.0))


def joint_logits(
    model: JointModel, series: Series, stores: Sequence[Store], draw: SlicesDrawn, recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """Compute logits of the slices drawn, (B, L, I), 0 at padding, and of their studies, (B, S)."""
    runtime = choose_runtime(recipe)
    inputs = []
    for rows, flip in zip(draw.places, draw.flipped, strict=True):
        features = [
            _features(one, store, series.rows[rows], bool(flip), runtime)
            for one, store in zip(model.encoders, stores, strict=True)
        ]
        joined = torch.cat(features, 1)
        place = torch.from_numpy(place_features(series.position_mm[rows])).to(joined)
        inputs.append(sequence_features(joined, place, recipe.series.differences, torch))
    lengths = torch.tensor([len(one) for one in inputs], device=runtime.device)
    x = nn.utils.rnn.pad_sequence(inputs, batch_first=True)
    valid = torch.arange(x.shape[1], device=runtime.device) < lengths[:, None]
    with runtime.autocast():
        image, study = model.network.train()(x, valid)
    return image.float(), study.float()


def joint_truth(data: JointData, draw: SlicesDrawn, image: Tensor) -> SeriesBatch:
    """Make the truth of the slices drawn, padded as their logits image (B, L, I) are; without
    inputs."""
    series, device = data.series, image.device
    shape = (len(draw.part), image.shape[1])
    valid = torch.zeros(shape, dtype=torch.bool, device=device)
    truth = torch.full((*shape, series.image.shape[1]), torch.nan, device=device)
    for number, rows in enumerate(draw.places):
        valid[number, : len(rows)] = True
        truth[number, : len(rows)] = torch.from_numpy(series.image[rows]).to(truth)
    study = series.study[draw.part]
    study = np.where(draw.flipped[:, None], study[:, data.flip_index], study)
    by_series = series.image_by_series()
    positives = [float(np.nansum(by_series[e][:, 0])) for e in draw.part]
    return SeriesBatch(
        image.new_empty((*shape, 0)),
        valid,
        truth,
        torch.from_numpy(study).to(image),
        image.new_tensor(positives),
    )


@dataclass(frozen=True, eq=False)
class JointSteps:
    """The steps of a joint training, of which one process, or each of several, computes its
    share."""

    model: JointModel
    modules: nn.ModuleList
    series: Series
    stores: Sequence[Store]
    recipe: Recipe

    def backward(self, data: JointData, part: Int64Array, epoch: int, position: int) -> Tensor:
        """Return in the first process the loss of the series numbered by part (B,), a scalar, with
        its gradient in the parameters' grad."""
        if world_size() == 1:
            rng = self._rng(epoch, position)
            value = joint_loss(self.model, data, part, self.recipe, rng)
            value.backward()  # type: ignore[no-untyped-call]
            return value
        send_order((part, epoch, position))
        draw = draw_slices(self.series, part, self.recipe, self._rng(epoch, position))
        return learn_shared(
            self.modules,
            partial(self._own_logits, draw),
            lambda image, study: data.loss(image, study, joint_truth(data, draw, image)),
            (self.recipe.seed, epoch, position),
        )

    def help(self, part: Int64Array, epoch: int, position: int) -> None:
        """Compute in another process its share of a step."""
        draw = draw_slices(self.series, part, self.recipe, self._rng(epoch, position))
        place = (self.recipe.seed, epoch, position)
        help_to_learn(self.modules, partial(self._own_logits, draw), place)

    def _own_logits(self, draw: SlicesDrawn) -> tuple[Tensor, Tensor] | None:
        own = series_share(len(draw.part))
        if not len(own):
            return None
        return joint_logits(self.model, self.series, self.stores, draw.of(own), self.recipe)

    def _rng(self, epoch: int, position: int) -> np.random.Generator:
        return make_generator(self.recipe.seed, RandomStream.JOINT_SLICES, epoch, position)


def _help_to_train(
    model: JointModel, series: Series, stores: Sequence[Store], recipe: Recipe
) -> None:
    """Compute in another process its share of the steps that the first one orders."""
    runtime = choose_runtime(recipe)
    modules = model.modules().to(runtime.device)
    steps = JointSteps(model, modules, series, stores, recipe)
    with seeded_runtime(recipe, runtime.device):
        for part, epoch, position in cast(Iterator[tuple[Int64Array, int, int]], orders()):
            steps.help(part, epoch, position)


def _features(
    one: TrainedModel, store: Store, rows: Int64Array, flip: bool, runtime: Runtime
) -> Tensor:
    """Compute what the last layer of an encoder takes, (n, D) of rows (n,), with gradients."""
    hu = read_with_neighbors(store, neighbor_rows(store.slices, rows, one.view))
    image = to_view(torch.from_numpy(hu).to(runtime.device), one.view)
    taken: list[Tensor] = []
    hook = last_linear(one.model).register_forward_pre_hook(
        lambda module, given: taken.append(given[0])
    )
    with hook, runtime.autocast():
        one.model.eval()(image.flip(-1) if flip else image)
    return taken[0].float()


def joint_identity(start: JointModel, data: JointData, recipe: Recipe) -> TrainingIdentity:
    """Identify a training by its series, their labels, its first networks and its settings."""
    settings = {
        name: value
        for name, value in learned_settings(recipe).items()
        if name.startswith(GROUPS) or name in OTHERS
    }
    series = data.series
    weights = [one.cpu().numpy() for one in start.modules().state_dict().values()]
    return TrainingIdentity(
        settings, digest_arrays(series.rows, series.image, series.study, *weights)
    )


def _write(kept: JointModel, sources: Sequence[Path], run: Run) -> None:
    """Write each encoder as its own best.pt, and the network: what reader.py reads."""
    for source, encoder in zip(sources, kept.encoders, strict=True):
        content = Run(source).read(BEST_ENCODER)
        state = {name: tensor.cpu() for name, tensor in encoder.model.state_dict().items()}
        Run(run.folder / source.name).save(BEST_ENCODER, {**content, "model": state})
    state = {name: tensor.cpu() for name, tensor in kept.network.state_dict().items()}
    run.save(BEST, {"model": state})
