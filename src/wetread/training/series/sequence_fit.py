"""training/series/sequence_fit.py: features of series and their labels in, a sequence network
out."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from wetread.archive.files.damaged import expect_form
from wetread.models.sequence import build_sequence
from wetread.training.device import choose_runtime, seeded_runtime
from wetread.training.optimizer import rate_at, set_rate
from wetread.training.recipe import Recipe
from wetread.training.run import CHECKPOINT, Run
from wetread.training.series.inputs import SequenceInputs, spread_of
from wetread.training.series.series import Floats, Rows, SeriesBatch, batches_of, pad

LAST, BEST = "sequence-last.pt", "sequence.pt"
ORDER, MIRROR, SAMPLED = 4, 5, 8  # what a seed is drawn for, beside batches.py and together.py
MOST_SLICES = 512  # of a series in a step: attention takes memory with the square of their number
SeriesLoss = Callable[[Tensor, Tensor, SeriesBatch], Tensor]
Progress = Callable[[int, int], None]


class StandardizedNetwork(nn.Module):
    """A sequence network behind inputs brought to mean 0 and deviation 1 of what was fitted."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L, D) and (B, L) to image logits (B, L, I) and study logits (B, S)."""
        both: tuple[Tensor, Tensor] = self.network((x - self.mean) / self.deviation, there)
        return both


def new_network(
    recipe: Recipe, inputs: int, images: int, studies: int, overall: int
) -> StandardizedNetwork:
    """The recipe's sequence network, random by its seed; overall: of how many inputs, the last,
    each series has one value."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = build_sequence(recipe.series.network, inputs, images, studies, overall)
    return StandardizedNetwork(network, torch.zeros(inputs), torch.ones(inputs))


def fit_sequence(
    fitted: SequenceInputs,
    validation: SequenceInputs | None,
    mirror: Rows,
    loss: SeriesLoss,
    recipe: Recipe,
    run: Run,
    progress: Progress = lambda done, total: None,
) -> nn.Module:
    """The network of the epoch whose loss over the validation series is least (the last epoch where
    there are none), on the CPU. run.folder/sequence.pt holds it; a run that stops goes on.

    mirror: (S,) the study finding each one becomes when left and right change places.
    """
    runtime = choose_runtime(recipe)
    series = fitted.series
    width = fitted.inputs[0].shape[1]
    images, studies = series.image.shape[1], series.study.shape[1]
    model = new_network(recipe, width, images, studies, fitted.overall)
    model.mean, model.deviation = spread_of(fitted.inputs)
    model.to(runtime.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.series.learning_rate, weight_decay=recipe.series.weight_decay
    )
    rates = recipe.with_settings({"optimizer.learning_rate": recipe.series.learning_rate})
    each = -(-len(series) // recipe.series.batch_size)
    total = recipe.series.epochs * each
    with seeded_runtime(recipe, runtime.device):
        state = _State(model, optimizer, run, _digest(fitted, recipe))
        for epoch in range(state.epoch, recipe.series.epochs):
            model.train()
            torch.manual_seed(recipe.seed + epoch)  # dropout: however the epoch is reached
            for step, batch in enumerate(_epoch(fitted, mirror, recipe, epoch)):
                set_rate(optimizer, rate_at(epoch * each + step, total, rates))
                placed = on_device(batch, runtime.device)
                image, study = model(placed.inputs, placed.there)
                value = loss(image, study, placed)
                optimizer.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(model.parameters(), recipe.optimizer.max_norm)
                optimizer.step()
                progress(epoch * each + step + 1, total)
            judged = loss_over(model, validation, loss, recipe) if validation else None
            state.after_epoch(epoch, judged)
    return state.kept()


def _epoch(
    fitted: SequenceInputs, mirror: Rows, recipe: Recipe, epoch: int
) -> Iterator[SeriesBatch]:
    """All series once, in a fresh order; with mirror images, each by even odds its own; of a long
    one MOST_SLICES, other ones in each epoch."""
    series = fitted.series
    order = np.random.default_rng([recipe.seed, ORDER, epoch]).permutation(len(series))
    inputs, study = list(fitted.inputs), series.study
    if fitted.mirrored:
        turned = np.random.default_rng([recipe.seed, MIRROR, epoch]).random(len(series)) < 0.5
        inputs = [fitted.mirrored[e] if flip else fitted.inputs[e] for e, flip in enumerate(turned)]
        study = np.where(turned[:, None], study[:, mirror], study)
    sampled = np.random.default_rng([recipe.seed, SAMPLED, epoch])
    whole = series.with_study(study)
    return batches_of(whole, inputs, recipe.series.batch_size, order, MOST_SLICES, sampled)


def on_device(batch: SeriesBatch, device: torch.device) -> SeriesBatch:
    """The batch where the network is."""
    positives = None if batch.positives is None else batch.positives.to(device)
    return SeriesBatch(
        batch.inputs.to(device), batch.there.to(device), batch.image.to(device),
        batch.study.to(device), positives,
    )  # fmt: skip


def loss_over(model: nn.Module, seen: SequenceInputs, loss: SeriesLoss, recipe: Recipe) -> float:
    """The loss over all of the series at once, without mirror images."""
    series = seen.series
    given = [_say(model, one, recipe) for one in seen.inputs]  # memory of one series at a time
    image = nn.utils.rnn.pad_sequence([torch.from_numpy(one).float() for one, _ in given], True)
    study = torch.from_numpy(np.stack([one for _, one in given])).float()
    truth = [series.image[a:b] for a, b in zip(series.starts[:-1], series.starts[1:], strict=True)]
    nothing = [np.empty((len(one), 0), np.float32) for one in seen.inputs]
    return float(loss(image, study, pad(nothing, truth, series.study)))


@dataclass
class _State:
    """Where the fitting stands, in sequence-last.pt, and the best epoch, in sequence.pt."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    run: Run
    digest: str  # of what is learned, and how
    epoch: int = 0
    best: float | None = None

    def __post_init__(self) -> None:
        saved = self.run.load(LAST)
        if saved is not None:
            if saved.get("digest") != self.digest:
                raise ValueError(
                    f"{self.run.folder / LAST}: this run was begun with other series, labels or "
                    "settings. Go on with what it was begun with, or give another folder"
                )
            with expect_form(self.run.folder / LAST, CHECKPOINT, RuntimeError):
                self.model.load_state_dict(saved["model"])
                self.optimizer.load_state_dict(saved["optimizer"])
                self.epoch, self.best = int(saved["epoch"]), saved["best"]

    def after_epoch(self, epoch: int, value: float | None) -> None:
        if value is None or self.best is None or value < self.best:
            self.best = value
            state = {k: v.cpu() for k, v in self.model.state_dict().items()}
            self.run.save(BEST, {"model": state, "epoch": epoch, "value": value})
        self.run.save(
            LAST,
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "epoch": epoch + 1,
                "best": self.best,
                "digest": self.digest,
            },
        )

    def kept(self) -> nn.Module:
        model = copy.deepcopy(self.model).cpu()
        with expect_form(self.run.folder / BEST, CHECKPOINT, RuntimeError):
            model.load_state_dict(self.run.read(BEST)["model"])
        return model.eval()


def predict_series_logits(
    model: nn.Module, seen: SequenceInputs, mirror: Rows, recipe: Recipe
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits of the slices (N, I) and of the studies (E, S), series by series; the mean over a
    series and its mirror image, where there is one."""
    given = [_say(model, one, recipe) for one in seen.inputs]
    image = np.concatenate([image for image, _ in given])
    study = np.stack([study for _, study in given])
    if seen.mirrored:
        turned = [_say(model, one, recipe) for one in seen.mirrored]
        image = (image + np.concatenate([image for image, _ in turned])) / 2
        study = (study + np.stack([study for _, study in turned])[:, mirror]) / 2
    return image, study


def _say(
    model: nn.Module, inputs: Floats, recipe: Recipe
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    device = choose_runtime(recipe).device
    with torch.inference_mode():
        x = torch.from_numpy(inputs)[None].to(device)
        image, study = model.to(device).eval()(
            x, torch.ones(x.shape[:2], dtype=torch.bool, device=device)
        )
    return image[0].double().cpu().numpy(), study[0].double().cpu().numpy()


def _digest(fitted: SequenceInputs, recipe: Recipe) -> str:
    digest = hashlib.sha256(recipe.model_dump_json(include={"seed", "series"}).encode())
    for array in (*fitted.inputs, fitted.series.image, fitted.series.study):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
