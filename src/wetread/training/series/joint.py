"""training/series/joint.py: encoders and the network over them, trained end to end.

Slices are spread evenly through each series, so memory does not grow with its length; what is
augmented is the mirror image alone, a whole series at a time. Statistics of BatchNorm stay as the
encoders' own training left them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from wetread.archive.files.damaged import expect_form
from wetread.archive.types import Int64Array, Progress
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
from wetread.training.device import Runtime, choose_runtime, seeded_runtime
from wetread.training.losses import SeriesLoss
from wetread.training.optimizer import make_optimizer, rate_at, set_rate, take_step
from wetread.training.random_streams import RandomStream, make_generator
from wetread.training.recipe import Recipe
from wetread.training.run import BEST as BEST_ENCODER
from wetread.training.run import CHECKPOINT, Run, TrainedModel
from wetread.training.series.sequence_fit import BEST, LAST
from wetread.training.series.series import Series, SeriesBatch, sequence_features, spread_slices
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.view.device import to_view

FILES = CheckpointFiles(LAST, "joint.pt")
GROUPS = ("seed", "joint.", "optimizer.")  # settings that change what is learned here
OTHERS = ("series.mirror", "series.differences")


@dataclass(frozen=True, eq=False)
class JointModel:
    """Encoders, one a crop, and the network over their features."""

    encoders: tuple[TrainedModel, ...]
    network: nn.Module

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
        while checkpointer.epoch < settings.epochs:
            epoch = checkpointer.epoch
            torch.manual_seed(recipe.seed + epoch)  # dropout: an epoch begins alike however reached
            order = make_generator(recipe.seed, RandomStream.JOINT_ORDER, epoch)
            for part in np.array_split(order.permutation(len(data.series)), steps):
                rate = rate_at(checkpointer.step, total, settings.learning_rate, recipe.optimizer)
                set_rate(optimizer, rate)
                rng = make_generator(
                    recipe.seed, RandomStream.JOINT_SLICES, epoch, checkpointer.position
                )
                value = joint_loss(model, data, part, recipe, rng)
                value.backward()  # type: ignore[no-untyped-call]
                take_step(optimizer, modules.parameters(), recipe.optimizer.max_norm)
                checkpointer.after_step(value)
                progress(checkpointer.step, total)
            loss = validation_loss(model)
            checkpointer.after_epoch(None if loss is None else EpochScore(loss))
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
    series, runtime = data.series, choose_runtime(recipe)
    device = runtime.device
    image = series.image_by_series()
    picked = [
        series.starts[e] + spread_slices(len(image[e]), recipe.joint.slices, rng) for e in part
    ]
    flipped = rng.random(len(part)) < (0.5 if recipe.series.mirror else 0.0)
    inputs = []
    for rows, flip in zip(picked, flipped, strict=True):
        features = [
            _features(one, store, series.rows[rows], bool(flip), runtime)
            for one, store in zip(model.encoders, data.stores, strict=True)
        ]
        position = torch.from_numpy(series.position_mm[rows]).to(device)
        inputs.append(
            sequence_features(torch.cat(features, 1), position, recipe.series.differences)
        )
    longest = max(map(len, inputs))
    valid = torch.zeros(len(part), longest, dtype=torch.bool, device=device)
    truth = torch.full((len(part), longest, series.image.shape[1]), torch.nan, device=device)
    for number, rows in enumerate(picked):
        valid[number, : len(rows)] = True
        truth[number, : len(rows)] = torch.from_numpy(series.image[rows]).to(truth)
    study = np.where(flipped[:, None], series.study[part][:, data.flip_index], series.study[part])
    x = nn.utils.rnn.pad_sequence(inputs, batch_first=True)
    positives = [float(np.nansum(image[e][:, 0])) for e in part]
    batch = SeriesBatch(x, valid, truth, torch.from_numpy(study).to(x), x.new_tensor(positives))
    with runtime.autocast():
        image_logits, study_logits = model.network.train()(x, valid)
    return data.loss(image_logits.float(), study_logits.float(), batch)


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
