"""verbs/train/fit_fold.py: one fold of a run, fitted alone: on another machine, or by a call of its
own."""

from __future__ import annotations

from dataclasses import dataclass

from wetread.archive.files.lease import WAIT_FOREVER, leased
from wetread.inputs.progress import Report
from wetread.training.recipe import Recipe
from wetread.verbs.train.arguments import TrainArguments
from wetread.verbs.train.fit_splits import fit_one, missing_splits, refit_run
from wetread.verbs.train.pretrain import pretrain
from wetread.verbs.train.ready_run import ReadyRun, make_ready
from wetread.verbs.train.request import TrainRequest

REFIT_JOB = -1  # in place of a fold: the networks of all patients


@dataclass(frozen=True, eq=False)
class FittedFold:
    """The run to which a fitted fold belongs, and the folds that it still lacks."""

    ready: ReadyRun
    missing: tuple[int, ...]


def require_fold(fold: int, recipe: Recipe) -> None:
    """Raise ValueError for a fold that a recipe's run has not."""
    if recipe.folds == 0:
        raise ValueError(
            f"`fold={fold}`: the run has one split and no folds; give `folds`, 2 or more"
        )
    if not 0 <= fold < recipe.folds:
        raise ValueError(f"`fold={fold}`: the run's folds are 0 to {recipe.folds - 1}")


def fit_fold(
    arguments: TrainArguments,
    request: TrainRequest,
    fold: int,
    *,
    workers: int | None,
    report: Report,
    timeout_s: float,
) -> FittedFold:
    """Make the run ready where no other process has, and fit one fold of it, or REFIT_JOB.

    timeout_s: how long to wait for another process that fits it. BusyError in the end.
    """
    with leased(request.out, WAIT_FOREVER):
        ready = make_ready(arguments, request, workers, report)
        start = pretrain(
            request, workers=workers if isinstance(workers, int) else None, report=report
        )
    if fold == REFIT_JOB:
        refit_run(ready.run, ready.prepared, start, timeout_s)
        return FittedFold(ready, ())
    fit_one(ready.run, fold, ready.plan.splits[fold], ready.prepared, start, timeout_s)
    return FittedFold(ready, missing_splits(ready.run, ready.plan, ready.prepared))
