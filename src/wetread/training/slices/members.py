"""training/slices/members.py: the networks of one split, of different seeds, and their mean.

model-K/            the first network of split K
model-K/member-J/   the others, J from 1
refit/              likewise those of all patients (training/slices/refit.py)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from wetread.archive.types import Float64Array, Progress
from wetread.evaluation.metrics import CLIP
from wetread.training.about import REFIT
from wetread.training.mask_table import PackedMaps, pack_map
from wetread.training.recipe import Recipe
from wetread.training.run import BEST, TrainedModel, read_trained_model
from wetread.training.slices.predict import predict_with_masks, to_probabilities
from wetread.training.slices.region import Regions, limit_masks
from wetread.training.slices.source import SliceSource


def member_recipes(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """Yield of each network of a split its folder within the split's, and its settings: they differ
    by the seed alone."""
    yield ".", recipe
    for number in range(1, recipe.members):
        (seed,) = np.random.SeedSequence([recipe.seed, number]).generate_state(1)
        yield f"member-{number}", recipe.model_copy(update={"seed": int(seed)})


def member_progress(progress: Progress, member: int, members: int) -> Progress:
    """Return what reports the steps of one of several trainings, as if all took as many."""
    return lambda done, total: progress(member * total + done, members * total)


def fold_checkpoints(run: Path, split: int | None = None) -> list[Path]:
    """Find the kept networks of a split, or of all, in a run's folder, in their order."""
    return _checkpoints(run, "model-*" if split is None else f"model-{split}")


def refit_checkpoints(run: Path) -> list[Path]:
    """Find the networks of all patients in a run's folder, in their order; () where there are
    none."""
    return _checkpoints(run, REFIT)


def _checkpoints(run: Path, folder: str) -> list[Path]:
    found = (run.glob(f"{folder}/{within}{BEST}") for within in ("", "member-*/"))
    return sorted(file for files in found for file in files)


def read_members(run: Path, split: int) -> list[TrainedModel]:
    """Read the kept networks of a split."""
    return [read_trained_model(file) for file in fold_checkpoints(run, split)]


@dataclass(frozen=True, eq=False)
class EnsemblePrediction:
    """The mean prediction of M networks for N slices.

    probability:  (N, F), their weighted mean, balanced epochs undone.
    maps:         N, by slice what each network drew; () where they draw nothing.
    disagreement: (N, F) the standard deviation of the logits of networks and of their views.
    """

    probability: Float64Array
    maps: tuple[PackedMaps, ...]
    disagreement: Float64Array


def read_mean(
    models: Sequence[TrainedModel],
    source: SliceSource,
    rows: npt.NDArray[np.int64],
    mirror: Sequence[int],
    *,
    regions: Regions | None = None,
    weights: Float64Array | None = None,
    progress: Progress = lambda done, total: None,
) -> EnsemblePrediction:
    """Read rows (N,) with each network, image and mirror image.

    mirror: (F,) each finding's twin when left and right change places. regions: nothing is drawn
    outside. weights: (M,) of the networks, on average 1; None: all alike. progress: (networks
    done, networks in all).
    """
    shares = np.ones(len(models)) if weights is None else weights
    total = np.zeros((len(rows), len(mirror)))
    each, within = [], np.zeros_like(total)  # logits of each network; variances of its views
    maps: list[list[tuple[bytes, ...]]] = [[] for _ in rows]
    for done, (model, share) in enumerate(zip(models, shares, strict=True)):
        progress(done, len(models))
        logits, slices = [], iter(maps)
        apart = [np.empty((0, len(mirror)))]
        batches = predict_with_masks(model.model, source, rows, model.view, model.recipe, mirror)
        for batch, drawn, spread in limit_masks(batches, rows, regions):
            logits.append(batch)
            apart.append(spread)
            for masks in () if drawn is None else drawn:
                next(slices).append(tuple(map(pack_map, masks)))
        probability = to_probabilities(model.model, logits, model.negative_rate)
        total += share * probability
        each.append(logit(np.clip(probability, CLIP, 1 - CLIP)))
        within += share * np.concatenate(apart) ** 2
    progress(len(models), len(models))
    mean = np.average(each, axis=0, weights=shares)
    between = np.average((np.stack(each) - mean) ** 2, axis=0, weights=shares)
    return EnsemblePrediction(
        total / len(models),
        tuple(map(tuple, maps)) if any(model.mask_findings for model in models) else (),
        np.sqrt(within / len(models) + between),
    )
