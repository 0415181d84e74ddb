"""training/study_features.py: how a study's pictures appear to a network, in few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.evaluation.feature_distance import FeatureReference, fit_reference
from wetread.store.store import Store
from wetread.training.networks import PooledNetwork

SAMPLED = 12  # slices of a study, evenly along it
FEWEST_IN_ORDER = 6  # sampled slices, of which an order can be told


def sample_studies(slices: pl.DataFrame) -> dict[str, Int64Array]:
    """Choose rows (n,) of each study, SAMPLED at most and evenly along it, in its order.

    slices: a store's table with the row of each slice as `row`.
    """
    chosen = {}
    for (study,), own in slices.group_by("StudyInstanceUID", maintain_order=True):
        rows = own.sort("SeriesInstanceUID", "z", nulls_last=True)["row"].to_numpy()
        places = np.linspace(0, len(rows) - 1, min(SAMPLED, len(rows))).round()
        chosen[str(study)] = rows[places.astype(np.int64)].astype(np.int64)
    return chosen


def pooled_features(network: PooledNetwork, store: Store, rows: Int64Array) -> Float32Array:
    """Compute a network's pooled maps of rows (N,) of a store: (N, D)."""
    parts = list(network.pooled_maps(store, rows))
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class References:
    """slices: of the features of single slices; courses: of their means over each third of a study
    of FEWEST_IN_ORDER or more sampled slices, None where there were too few such studies."""

    slices: FeatureReference
    courses: FeatureReference | None


def fit_references(
    features: Float32Array, sampled: Mapping[str, Int64Array], fewest: int
) -> References:
    """Fit the references of the features (N, D) of sampled rows, one study after another; that of
    courses with `fewest` studies at least."""
    courses = [_course(one) for one in _by_study(features, sampled) if len(one) >= FEWEST_IN_ORDER]
    of_courses = fit_reference(np.array(courses)) if len(courses) >= fewest else None
    return References(fit_reference(features), of_courses)


def study_scores(
    features: Float32Array, sampled: Mapping[str, Int64Array], references: References
) -> dict[str, dict[str, float]]:
    """Score studies by the features (N, D) of their sampled rows, one study after another.

    pictures: the mean Mahalanobis distance of its slices from those of the reference.
    course:   the Mahalanobis distance of the means of its thirds from those of the reference.
    order:    the mean step from sampled slice to slice beside the mean difference of any two, of
              standardized features: about 1 where neighbors are no more alike than others.

    The last two are absent where few slices were sampled.
    """
    scores: dict[str, dict[str, float]] = {}
    for study, own in zip(sampled, _by_study(features, sampled), strict=True):
        scores[study] = {"pictures": float(references.slices.distances(own).mean())}
        if len(own) >= FEWEST_IN_ORDER:
            scores[study]["order"] = _disorder(references.slices.standardize(own))
            if references.courses is not None:
                course = _course(own)[None]
                scores[study]["course"] = float(references.courses.distances(course)[0])
    return scores


def _by_study(features: Float32Array, sampled: Mapping[str, Int64Array]) -> list[Float32Array]:
    ends = np.cumsum([len(rows) for rows in sampled.values()])
    return np.split(features, ends[:-1]) if len(ends) else []


def _course(features: Float32Array) -> Float64Array:
    """Concatenate the means of the thirds of features (n, D) along a study: (3 D,)."""
    means = [third.mean(axis=0) for third in np.array_split(features, 3)]
    course: Float64Array = np.concatenate(means).astype(np.float64)
    return course


def _disorder(values: Float64Array) -> float:
    """Compare steps of values (n, D) with differences of any two; 0 where all are the same."""
    steps = np.linalg.norm(np.diff(values, axis=0), axis=1).mean()
    squares = (values**2).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + squares - 2 * values @ values.T, 0))
    mean = apart[np.triu_indices(len(values), 1)].mean()
    return float(steps / mean) if mean > 0 else 0.0
