"""training/loop.py: the training loop, on one screen. What is kept, and when: state.py."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from wetread.training.batches import TrainSet, batches, hold, steps_an_epoch
from wetread.training.device import choose_runtime, threads_and_chance
from wetread.training.losses import masked_loss
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.schedule import make_optimizer, rate_at, set_rate
from wetread.training.state import Best, Keeper, Validation
from wetread.view.device import to_view

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
    steps = steps_an_epoch(data.targets, recipe)
    total = steps * recipe.epochs
    with threads_and_chance(recipe, runtime.device):
        model = runtime.place(model)
        optimizer = make_optimizer(model, recipe)
        keeper = Keeper.start(run, model, optimizer, data, recipe, findings, runtime)
        while keeper.epoch < recipe.epochs and not keeper.out_of_patience():
            model.train()
            for batch in batches(data, recipe, keeper.epoch, start=keeper.position):
                set_rate(optimizer, rate_at(keeper.step, total, recipe))
                hu = torch.from_numpy(batch.hu).to(runtime.device)  # (B, 1 + 2k, H, W)
                target = torch.from_numpy(batch.targets).to(runtime.device)  # (B, F)
                with runtime.autocast():
                    logits = model(to_view(hu, recipe.view, batch.augmentation))
                loss = masked_loss(logits.float(), target, weights)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(model.parameters(), recipe.max_norm)
                optimizer.step()
                optimizer.zero_grad()
                keeper.after_step(loss)
                progress(keeper.step, total)
            keeper.after_epoch(score(model.eval()) if score else None)
        return keeper.best
