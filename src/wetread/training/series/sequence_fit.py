"""training/series/sequence_fit.py: embeddings of series and their labels in, a sequence network
out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from wetread.archive.files.damaged import expect_form
from wetread.archive.types import Float32Array, Float64Array, Int64Array, Progress
from wetread.models.sequence import build_sequence
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
from wetread.training.processes import (
    call_other_ranks,
    end_orders,
    orders,
    scatter,
    send_order,
    world_size,
)
from wetread.training.random_streams import RandomStream, make_generator
from wetread.training.recipe import Recipe
from wetread.training.run import CHECKPOINT, Run
from wetread.training.series.batches import SeriesBatch, pad_series, series_batches
from wetread.training.series.inputs import SequenceInputs, mean_and_deviation, mean_logits
from wetread.training.series.learning import Place, help_to_learn, learn_shared, series_shares

LAST, BEST = "sequence-last.pt", "sequence.pt"
FILES = CheckpointFiles(LAST, BEST)
MOST_SLICES = 512  # of a series in a step: attention takes memory with the square of their number
GROUPS = ("seed", "series.", "optimizer.")  # settings that change what is learned here


class StandardizedNetwork(nn.Module):
    """A sequence network whose inputs are brought to mean 0 and deviation 1 of the training set."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, deviation: Tensor) -> None:
        """mean, deviation: (D,) of the inputs."""
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (B, L, D) and valid (B, L) bool to logits of images (B, L, I) and of studies
        (B, S)."""
        logits: tuple[Tensor, Tensor] = self.network((x - self.mean) / self.deviation, valid)
        return logits


@dataclass(frozen=True)
class NetworkShape:
    """Widths of a sequence network.

    inputs:  D numbers a slice, of which the last `overall` are of the series as a whole.
    images:  I outputs a slice; studies: S outputs a series.
    """

    inputs: int
    images: int
    studies: int
    overall: int


def new_network(recipe: Recipe, shape: NetworkShape) -> StandardizedNetwork:
    """Build the recipe's sequence network, random by its seed, its inputs as they are."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build_sequence(
            recipe.series.network, shape.inputs, shape.images, shape.studies, shape.overall
        )
    return StandardizedNetwork(network, torch.zeros(shape.inputs), torch.ones(shape.inputs))


def fit_sequence(
    training: SequenceInputs,
    validation: SequenceInputs | None,
    recipe: Recipe,
    *,
    flip_index: Int64Array,
    loss: SeriesLoss,
    run: Run,
    progress: Progress = lambda done, total: None,
) -> nn.Module:
    """Train a network and return that of the epoch whose loss over the validation series is least
    (the last epoch where there are none), on the CPU. run.folder/sequence.pt holds it.

    flip_index: (S,) the study finding that each one becomes when left and right change places.
    Goes on where the run stopped; ResumeError where it was begun with other series or settings.
    """
    runtime, settings = choose_runtime(recipe), recipe.series
    series = training.series
    shape = NetworkShape(
        training.inputs[0].shape[1], series.image.shape[1], series.study.shape[1], training.overall
    )
    model = new_network(recipe, shape)
    model.mean, model.deviation = map(torch.from_numpy, mean_and_deviation(training.inputs))
    model.to(runtime.device)
    optimizer = make_optimizer(
        model,
        recipe.optimizer,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    total = settings.epochs * -(-len(series) // settings.batch_size)
    with seeded_runtime(recipe, runtime.device):
        checkpointer = Checkpointer(
            run, FILES, model, optimizer, runtime.device, sequence_identity(training, recipe)
        )
        checkpointer.resume()
        if world_size() > 1:
            call_other_ranks(_help_to_fit, cpu_copy(model), recipe)
        while checkpointer.epoch < settings.epochs:
            model.train()
            torch.manual_seed(recipe.seed + checkpointer.epoch)  # dropout: however it is reached
            for batch in epoch_batches(training, flip_index, recipe, checkpointer.epoch):
                rate = rate_at(checkpointer.step, total, settings.learning_rate, recipe.optimizer)
                set_rate(optimizer, rate)
                place = (recipe.seed, checkpointer.epoch, checkpointer.position)
                value = learn_batch(model, batch, loss, runtime, place)
                take_step(optimizer, model.parameters(), recipe.optimizer.max_norm)
                checkpointer.after_step(value)
                progress(checkpointer.step, total)
            checkpointer.after_epoch(
                EpochScore(loss_over(model, validation, loss, recipe)) if validation else None
            )
        end_orders()
    kept = cpu_copy(model)
    with expect_form(run.folder / BEST, CHECKPOINT, RuntimeError):
        kept.load_state_dict(checkpointer.best_state())
    return kept.eval()


def learn_batch(
    model: nn.Module, batch: SeriesBatch, loss: SeriesLoss, runtime: Runtime, place: Place
) -> Tensor:
    """Return in the first process the loss of a batch, a scalar (shape ()), with its gradient in
    the parameters' grad; of several processes each learns its share of the series.

    place: seed, epoch and step.
    """
    placed = batch.to(runtime.device)
    if world_size() == 1:
        with runtime.autocast():
            image, study = model(placed.inputs, placed.valid)
        value = loss(image.float(), study.float(), placed)
        value.backward()  # type: ignore[no-untyped-call]
        return value
    send_order(place)
    shares = series_shares(len(batch.valid))
    own = scatter([(batch.inputs[part], batch.valid[part]) for part in shares])
    return learn_shared(
        model,
        partial(_own_logits, model, *own, runtime),
        lambda image, study: loss(image, study, placed),
        place,
    )


def _help_to_fit(model: nn.Module, recipe: Recipe) -> None:
    """Learn in another process its share of the batches that the first one orders."""
    runtime = choose_runtime(recipe)
    model.to(runtime.device).train()
    with seeded_runtime(recipe, runtime.device):
        for place in cast(Iterator[Place], orders()):
            own: tuple[Tensor, Tensor] = scatter(None)
            help_to_learn(model, partial(_own_logits, model, *own, runtime), place)


def _own_logits(
    model: nn.Module, inputs: Tensor, valid: Tensor, runtime: Runtime
) -> tuple[Tensor, Tensor] | None:
    """Compute logits of inputs (B, L, D), valid (B, L); None of none."""
    if not len(inputs):
        return None
    with runtime.autocast():
        image, study = model(inputs.to(runtime.device), valid.to(runtime.device))
    return image.float(), study.float()


def epoch_batches(
    training: SequenceInputs, flip_index: Int64Array, recipe: Recipe, epoch: int
) -> Iterator[SeriesBatch]:
    """Yield all series once, in a fresh order; with mirror images, each by even odds its own; of a
    long one MOST_SLICES, other ones in each epoch. flip_index: (S,), as for fit_sequence."""
    series, seed = training.series, recipe.seed
    order = make_generator(seed, RandomStream.SERIES_ORDER, epoch).permutation(len(series))
    inputs, study = list(training.inputs), series.study
    if training.mirrored:
        flipped = make_generator(seed, RandomStream.SERIES_MIRROR, epoch).random(len(series)) < 0.5
        inputs = [
            training.mirrored[e] if flip else training.inputs[e] for e, flip in enumerate(flipped)
        ]
        study = np.where(flipped[:, None], study[:, flip_index], study)
    return series_batches(
        series.with_study(study),
        inputs,
        order,
        batch_size=recipe.series.batch_size,
        most_slices=MOST_SLICES,
        rng=make_generator(seed, RandomStream.SERIES_SLICES, epoch),
    )


def loss_over(model: nn.Module, inputs: SequenceInputs, loss: SeriesLoss, recipe: Recipe) -> float:
    """Compute the loss over all of the series at once, without mirror images."""
    series = inputs.series
    logits = [series_logits(model, one, recipe) for one in inputs.inputs]  # memory of one at a time
    image = nn.utils.rnn.pad_sequence([torch.from_numpy(one).float() for one, _ in logits], True)
    study = torch.from_numpy(np.stack([one for _, one in logits])).float()
    nothing = [np.empty((len(one), 0), np.float32) for one in inputs.inputs]
    return float(loss(image, study, pad_series(nothing, series.image_by_series(), series.study)))


def predict_series_logits(
    model: nn.Module, inputs: SequenceInputs, flip_index: Int64Array, recipe: Recipe
) -> tuple[Float64Array, Float64Array]:
    """Predict logits of the slices (N, I) and of the series (E, S), series by series; the mean over
    a series and its mirror image, where there is one. flip_index: (S,), as for fit_sequence."""
    return mean_logits(lambda one: series_logits(model, one, recipe), inputs, flip_index)


def series_logits(
    model: nn.Module, inputs: Float32Array, recipe: Recipe
) -> tuple[Float64Array, Float64Array]:
    """Predict logits (L, I) and (S,) of one series, inputs (L, D)."""
    runtime = choose_runtime(recipe)
    with torch.inference_mode(), runtime.autocast():
        x = torch.from_numpy(inputs)[None].to(runtime.device)
        valid = torch.ones(x.shape[:2], dtype=torch.bool, device=runtime.device)
        image, study = model.to(runtime.device).eval()(x, valid)
    return image[0].double().cpu().numpy(), study[0].double().cpu().numpy()


def sequence_identity(training: SequenceInputs, recipe: Recipe) -> TrainingIdentity:
    """Identify a training by its inputs, their labels and its settings."""
    settings = {
        name: value
        for name, value in learned_settings(recipe).items()
        if name.startswith(GROUPS) and name != "series.parts"
    }
    series = training.series
    return TrainingIdentity(settings, digest_arrays(*training.inputs, series.image, series.study))
