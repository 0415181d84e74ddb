"""training/slices/members.py: the networks of one split, of different seeds, and their mean.

model-K/            the first network of split K
model-K/member-J/   the others, J from 1
refit/              likewise those of all patients (training/slices/refit.py)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from torch import Tensor

from wetread.archive.types import Float64Array, Progress
from wetread.evaluation.metrics import CLIP
from wetread.training.about import REFIT
from wetread.training.mask_table import PackedMaps, pack_map
from wetread.training.recipe import Recipe
from wetread.training.run import BEST, TrainedModel, read_trained_model
from wetread.training.slices.predict import predict_each, to_probabilities
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
    """Read rows (N,) with each network, image and mirror image; once for all that have one view.

    mirror: (F,) each finding's twin when left and right change places. regions: nothing is drawn
    outside. weights: (M,) of the networks, on average 1; None: all alike. progress: (networks
    done, networks in all).
    """
    shares = np.ones(len(models)) if weights is None else weights
    progress(0, len(models))
    answers: dict[int, _Answer] = {}
    for group in _of_one_view(models):
        own = partial(_networks_done, progress, len(answers), len(group), len(models))
        asked = [models[place] for place in group]
        answers |= zip(group, _read_group(asked, source, rows, mirror, regions, own), strict=True)
    total = np.zeros((len(rows), len(mirror)))
    each, within = [], np.zeros_like(total)  # logits of each network; variances of its views
    for (place, model), share in zip(enumerate(models), shares, strict=True):
        answer = answers[place]
        probability = to_probabilities(model.model, answer.logits, model.negative_rate)
        total += share * probability
        each.append(logit(np.clip(probability, CLIP, 1 - CLIP)))
        within += share * np.concatenate([np.empty((0, len(mirror))), *answer.apart]) ** 2
    progress(len(models), len(models))
    mean = np.average(each, axis=0, weights=shares)
    between = np.average((np.stack(each) - mean) ** 2, axis=0, weights=shares)
    drawn = [answers[place].maps for place in range(len(models)) if answers[place].maps]
    return EnsemblePrediction(
        total / len(models),
        tuple(zip(*drawn, strict=True)) if any(model.mask_findings for model in models) else (),
        np.sqrt(within / len(models) + between),
    )


@dataclass(frozen=True, eq=False)
class _Answer:
    """What one network says, batch by batch: logits and how far those of its views are apart,
    (B, F); and by slice its maps, none where it draws nothing."""

    logits: list[Tensor] = field(default_factory=list)
    apart: list[Float64Array] = field(default_factory=list)
    maps: list[tuple[bytes, ...]] = field(default_factory=list)


def _of_one_view(models: Sequence[TrainedModel]) -> list[list[int]]:
    """Group the places of networks that see one view, and run alike."""
    groups: list[list[int]] = []
    for place, model in enumerate(models):
        for group in groups:
            first = models[group[0]]
            if (first.view, first.recipe.runtime) == (model.view, model.recipe.runtime):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups


def _read_group(
    models: Sequence[TrainedModel],
    source: SliceSource,
    rows: npt.NDArray[np.int64],
    mirror: Sequence[int],
    regions: Regions | None,
    progress: Progress,
) -> list[_Answer]:
    """Read rows (N,) with networks of one view. progress: (slices done, slices in all)."""
    answers = [_Answer() for _ in models]
    first, start = models[0], 0
    networks = [model.model for model in models]
    for batches in predict_each(networks, source, rows, first.view, first.recipe, mirror):
        stop = start + len(batches[0].logits)
        for answer, batch in zip(answers, batches, strict=True):
            (limited,) = limit_masks([batch], rows[start:stop], regions)
            answer.logits.append(limited.logits)
            answer.apart.append(limited.apart)
            for masks in () if limited.masks is None else limited.masks:
                answer.maps.append(tuple(map(pack_map, masks)))
        start = stop
        progress(stop, len(rows))
    return answers


def _networks_done(
    progress: Progress, before: int, group: int, networks: int, done: int, total: int
) -> None:
    """Report slices that a group of networks has read as networks that are done."""
    progress(before + group * done // total, networks)
