"""training/slices/loop.py: the training loop, on one screen. What is kept, and when: state.py."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from wetread.training.checkpoint import Best, Keeper, Validation
from wetread.training.device import choose_runtime, threads_and_chance
from wetread.training.optimizer import make_optimizer, rate_at, set_rate
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.slices.batches import TrainSet, batches, hold, steps_an_epoch
from wetread.training.slices.data_parallel import sharing

Progress = Callable[[int, int], None]  # (steps done, steps in all)
Score = Callable[[nn.Module], Validation]


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
    data = replace(data, source=hold(data.source, recipe.hold_mb))
    weights = torch.from_numpy(data.weights).to(runtime.device)
    total = sum(steps_an_epoch(data.targets, recipe, epoch) for epoch in range(recipe.epochs))
    with threads_and_chance(recipe, runtime.device):
        model = runtime.place(model)
        optimizer = make_optimizer(model, recipe)
        keeper = Keeper.start(run, model, optimizer, data, recipe, findings, runtime)
        with sharing(model, recipe, runtime, weights) as shares:
            while keeper.epoch < recipe.epochs and not keeper.out_of_patience():
                model.train()
                for batch in batches(data, recipe, keeper.epoch, start=keeper.position):
                    set_rate(optimizer, rate_at(keeper.step, total, recipe))
                    loss = shares.learn(batch)
                    nn.utils.clip_grad_norm_(model.parameters(), recipe.max_norm)
                    optimizer.step()
                    optimizer.zero_grad()
                    keeper.after_step(loss)
                    progress(keeper.step, total)
                keeper.after_epoch(score(model.eval()) if score else None)
        return keeper.best
