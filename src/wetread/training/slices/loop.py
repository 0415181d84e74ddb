"""training/slices/loop.py: the training loop of slices, on one screen. What is kept, and when:
training/checkpoint.py."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from torch import Tensor, nn

from wetread.archive.types import Progress
from wetread.models.encoders import encoder_parameters
from wetread.training.averaging import RankedEpoch, average_with_start
from wetread.training.checkpoint import Checkpointer, CheckpointFiles, EpochScore
from wetread.training.device import (
    choose_runtime,
    map_large_tensors,
    release_memory,
    seeded_runtime,
)
from wetread.training.optimizer import (
    freeze_encoder,
    make_optimizer,
    rate_at,
    set_rate,
    take_step,
    train_mode,
)
from wetread.training.recipe import Recipe
from wetread.training.run import BEST, LAST, METRICS, Run
from wetread.training.slices.batches import (
    TrainSet,
    negative_rate,
    steps_per_epoch,
)
from wetread.training.slices.identity import slice_identity
from wetread.training.slices.learning import open_shared_learning
from wetread.training.slices.source import cache_source
from wetread.training.slices.start import shift_to_priors, start_at_priors

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
    head_is_learned: bool = False,
    progress: Progress = lambda done, total: None,
) -> RankedEpoch:
    """Fit the model to the data; run.folder/best.pt is what is kept. Goes on where the run stopped.

    findings: names of the model's outputs. score: sees validation patients only; without it the
    last epoch is kept. head_is_learned: whether the model's last layer has learned elsewhere.
    Held-out patients are not reachable from here. progress: (steps done, steps in all).
    ResumeError where the run was begun with other data or settings.
    """
    runtime, settings = choose_runtime(recipe), recipe.optimizer
    uncached, data = data, replace(data, source=cache_source(data.source, recipe.runtime.cache_mb))
    total = sum(steps_per_epoch(data.targets, recipe, epoch) for epoch in range(recipe.epochs))
    map_large_tensors()
    with seeded_runtime(recipe, runtime.device):
        model = runtime.place(model)
        (shift_to_priors if head_is_learned else start_at_priors)(model, data, recipe)
        share = recipe.average_with_start
        start = copy.deepcopy(model.state_dict()) if share else {}
        encoder = encoder_parameters(model, recipe.encoder) if settings.encoder_rate < 1 else ()
        optimizer = make_optimizer(
            model,
            settings,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            encoder=encoder,
        )
        freeze_encoder(encoder, settings)
        checkpointer = Checkpointer(
            run, FILES, model, optimizer, runtime.device,
            slice_identity(data, recipe, findings),
            describe_model(data, recipe, findings),
            every_steps=recipe.checkpoint_every_steps,
            average=recipe.averaged_epochs,
            start=start,
            start_share=share,
        )  # fmt: skip
        if not checkpointer.resume():
            run.write_json("recipe.json", recipe.model_dump(mode="json"))
        with open_shared_learning(model, data, uncached, recipe, runtime) as learning:
            while checkpointer.epoch < recipe.epochs and not checkpointer.out_of_patience(
                recipe.patience_epochs
            ):
                train_mode(model, settings)
                for batch in learning.batches(checkpointer.epoch, start=checkpointer.position):
                    rate = rate_at(checkpointer.step, total, settings.learning_rate, settings)
                    set_rate(optimizer, rate)
                    loss = learning.backward(batch)
                    take_step(optimizer, model.parameters(), settings.max_norm)
                    checkpointer.after_step(loss)
                    progress(checkpointer.step, total)
                release_memory()
                kept = average_model(model, start, share)
                checkpointer.after_epoch(score(kept) if score else None)
                release_memory()
        return checkpointer.best


def average_model(model: nn.Module, start: Mapping[str, Tensor], share: float) -> nn.Module:
    """Return the model, in evaluation mode, with its weights averaged with those of the start: what
    would be kept of it."""
    model.eval()
    if not share:
        return model
    averaged = copy.deepcopy(model)
    averaged.load_state_dict(average_with_start(model.state_dict(), start, share))
    return averaged


def describe_model(data: TrainSet, recipe: Recipe, findings: Sequence[str]) -> dict[str, object]:
    """Describe, as plain values, what is needed to read with the kept weights (training/run.py)."""
    return {
        "findings": list(findings),
        "mask_findings": [] if data.masks is None else list(data.masks.findings),
        "view": recipe.view.to_dict(),
        "recipe": recipe.model_dump(mode="json"),
        "negative_rate": negative_rate(data.targets, recipe),
    }
