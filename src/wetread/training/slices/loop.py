"""training/slices/loop.py: the training loop of slices, on one screen. What is kept, and when:
training/checkpoint.py."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from wetread.archive.types import Progress
from wetread.models.encoders import last_linear
from wetread.training.averaging import RankedEpoch
from wetread.training.checkpoint import Checkpointer, CheckpointFiles, EpochScore
from wetread.training.device import choose_runtime, seeded_runtime
from wetread.training.losses import prior_logits
from wetread.training.optimizer import make_optimizer, rate_at, set_rate, take_step
from wetread.training.recipe import Recipe
from wetread.training.run import BEST, LAST, METRICS, Run
from wetread.training.slices.batches import (
    TrainSet,
    batches,
    epoch_items,
    negative_rate,
    steps_per_epoch,
)
from wetread.training.slices.data_parallel import data_parallel
from wetread.training.slices.identity import slice_identity
from wetread.training.slices.source import cache_source

FILES = CheckpointFiles(LAST, BEST, METRICS)
ScoreModel = Callable[[nn.Module], EpochScore]


def train(
    model: nn.Module,
    data: TrainSet,
    recipe: Recipe,
    *,
    findings: Sequence[str],
    run: Run,
    score: ScoreModel | None = None,
    progress: Progress = lambda done, total: None,
) -> RankedEpoch:
    """Fit the model to the data; run.folder/best.pt is what is kept. Goes on where the run stopped.

    findings: names of the model's outputs. score: sees validation patients only; without it the
    last epoch is kept. Held-out patients are not reachable from here. progress: (steps done, steps
    in all). ResumeError where the run was begun with other data or settings.
    """
    runtime, settings = choose_runtime(recipe), recipe.optimizer
    data = replace(data, source=cache_source(data.source, recipe.runtime.cache_mb))
    weights = torch.from_numpy(data.weights).to(runtime.device)
    total = sum(steps_per_epoch(data.targets, recipe, epoch) for epoch in range(recipe.epochs))
    with seeded_runtime(recipe, runtime.device):
        model = runtime.place(model)
        optimizer = make_optimizer(
            model,
            settings,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        checkpointer = Checkpointer(
            run, FILES, model, optimizer, runtime.device,
            slice_identity(data, recipe, findings),
            describe_model(data, recipe, findings),
            every_steps=recipe.checkpoint_every_steps,
            average=recipe.top_checkpoints,
        )  # fmt: skip
        if not checkpointer.resume():
            run.write_json("recipe.json", recipe.model_dump(mode="json"))
            start_at_priors(model, data, recipe)
        with data_parallel(model, recipe, runtime, weights) as parallel:
            while checkpointer.epoch < recipe.epochs and not checkpointer.out_of_patience(
                recipe.patience_epochs
            ):
                model.train()
                for batch in batches(data, recipe, checkpointer.epoch, start=checkpointer.position):
                    rate = rate_at(checkpointer.step, total, settings.learning_rate, settings)
                    set_rate(optimizer, rate)
                    loss = parallel.backward(batch)
                    take_step(optimizer, model.parameters(), settings.max_norm)
                    checkpointer.after_step(loss)
                    progress(checkpointer.step, total)
                checkpointer.after_epoch(score(model.eval()) if score else None)
        return checkpointer.best


def start_at_priors(model: nn.Module, data: TrainSet, recipe: Recipe) -> None:
    """Set the last layer's bias to the logits of the findings' shares in the first epoch."""
    first = data.targets[epoch_items(data.targets, recipe, 0)]
    with torch.no_grad():
        last_linear(model).bias.copy_(torch.from_numpy(prior_logits(first)))


def describe_model(data: TrainSet, recipe: Recipe, findings: Sequence[str]) -> dict[str, object]:
    """Describe, as plain values, what is needed to read with the kept weights (training/run.py)."""
    return {
        "findings": list(findings),
        "mask_findings": [] if data.masks is None else list(data.masks.findings),
        "view": recipe.view.to_dict(),
        "recipe": recipe.model_dump(mode="json"),
        "negative_rate": negative_rate(data.targets, recipe),
    }
