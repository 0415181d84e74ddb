"""training/slices/loop.py: the training loop, on one screen. What is kept, and when: state.py."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from wetread.training.checkpoint import Best, Checkpointer, EpochScore
from wetread.training.device import choose_runtime, seeded_runtime
from wetread.training.optimizer import make_optimizer, rate_at, set_rate
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.slices.batches import TrainSet, batches, cache_source, steps_per_epoch
from wetread.training.slices.data_parallel import data_parallel

Progress = Callable[[int, int], None]  # (steps done, steps in all)
Score = Callable[[nn.Module], EpochScore]


def train(
    model: nn.Module,
    data: TrainSet,
    recipe: Recipe,
    findings: Sequence[str],
    score: Score | None,
    run: Run,
    progress: Progress = lambda done, total: None,
) -> Best:
    """Fit model on data; run.folder/best.pt is what is kept. Goes on where run stopped.

    score(model) sees validation patients only; without it the last epoch is kept. Held-out
    patients are not reachable from here.
    """
    runtime = choose_runtime(recipe)
    data = replace(data, source=cache_source(data.source, recipe.runtime.cache_mb))
    weights = torch.from_numpy(data.weights).to(runtime.device)
    total = sum(steps_per_epoch(data.targets, recipe, epoch) for epoch in range(recipe.epochs))
    with seeded_runtime(recipe, runtime.device):
        model = runtime.place(model)
        optimizer = make_optimizer(model, recipe)
        checkpointer = Checkpointer.start(run, model, optimizer, data, recipe, findings, runtime)
        with data_parallel(model, recipe, runtime, weights) as shares:
            while checkpointer.epoch < recipe.epochs and not checkpointer.out_of_patience():
                model.train()
                for batch in batches(data, recipe, checkpointer.epoch, start=checkpointer.position):
                    set_rate(optimizer, rate_at(checkpointer.step, total, recipe))
                    loss = shares.learn(batch)
                    nn.utils.clip_grad_norm_(model.parameters(), recipe.optimizer.max_norm)
                    optimizer.step()
                    optimizer.zero_grad()
                    checkpointer.after_step(loss)
                    progress(checkpointer.step, total)
                checkpointer.after_epoch(score(model.eval()) if score else None)
        return checkpointer.best
