"""training/slices/ensemble_mean.py: several networks read the same slices; their mean."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.special import logit

from wetread.archive.types import Float64Array, Int64Array, Progress
from wetread.evaluation.metrics import CLIP
from wetread.training.balance import to_probabilities
from wetread.training.mask_table import PackedMaps, pack_map
from wetread.training.networks import SliceNetwork
from wetread.training.slices.region import Regions, limit_masks
from wetread.training.slices.source import SliceSource


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
    models: Sequence[SliceNetwork],
    source: SliceSource,
    rows: Int64Array,
    mirror: Sequence[int],
    *,
    regions: Regions | None = None,
    weights: Float64Array | None = None,
    progress: Progress = lambda done, total: None,
) -> EnsemblePrediction:
    """Read rows (N,) with each network, image and mirror image; once for all that read together.

    mirror: (F,) each finding's twin when left and right change places. regions: nothing is drawn
    outside. weights: (M,) of the networks, on average 1; None: all alike. progress: (networks
    done, networks in all).
    """
    shares = np.ones(len(models)) if weights is None else weights
    progress(0, len(models))
    answers: dict[int, _Answer] = {}
    for group in _group_by_batch_key(models):
        own = partial(_networks_done, progress, len(answers), len(group), len(models))
        asked = [models[place] for place in group]
        answers |= zip(group, _read_group(asked, source, rows, mirror, regions, own), strict=True)
    total = np.zeros((len(rows), len(mirror)))
    each, within = [], np.zeros_like(total)  # logits of each network; variances of its views
    for (place, model), share in zip(enumerate(models), shares, strict=True):
        answer = answers[place]
        probability = to_probabilities(answer.logits, len(mirror), model.negative_rate)
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
    """The outputs of one network, batch by batch: logits and the standard deviation of those of its
    views, (B, F); and by slice its maps, none where it draws nothing."""

    logits: list[Float64Array] = field(default_factory=list)
    apart: list[Float64Array] = field(default_factory=list)
    maps: list[tuple[bytes, ...]] = field(default_factory=list)


def _group_by_batch_key(models: Sequence[SliceNetwork]) -> list[list[int]]:
    """Group the places of networks that read a batch together."""
    groups: dict[Hashable, list[int]] = {}
    for place, model in enumerate(models):
        groups.setdefault(model.batch_key, []).append(place)
    return list(groups.values())


def _read_group(
    models: Sequence[SliceNetwork],
    source: SliceSource,
    rows: Int64Array,
    mirror: Sequence[int],
    regions: Regions | None,
    progress: Progress,
) -> list[_Answer]:
    """Read rows (N,) with networks that read together. progress: (slices done, slices in all)."""
    answers, start = [_Answer() for _ in models], 0
    for batches in models[0].read(models, source, rows, mirror):
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
