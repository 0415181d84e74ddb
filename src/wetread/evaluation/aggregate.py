"""evaluation/aggregate.py: from the images of a study to the study. Pure NumPy."""

from collections.abc import Sequence

import numpy as np

from wetread.archive.types import Float64Array, FloatArray, Int64Array

# Slices further apart say nothing of each other: a labeled sample of a series has wide holes.
NEIGHBOR_MM = 12.0


def smooth_along_z(
    probabilities: FloatArray, series_ids: Sequence[str], position_mm: FloatArray
) -> Float64Array:
    """Smooth each slice with its neighbors in the series, weights 1-2-1; at an end 2-1.

    probabilities: (N, F), rows in any order, returned in that order as float64; NaN is left out.
    position_mm:   (N,) along the normal; NaN where a slice has no place: it stays as it is.
    """
    unordered = np.asarray(probabilities, dtype=np.float64)
    if len(unordered) == 0:
        return unordered
    _, series = np.unique(np.asarray(series_ids, dtype=str), return_inverse=True)
    order = np.lexsort((np.asarray(position_mm, dtype=np.float64), series))
    ordered, run = unordered[order], series[order]
    place = np.asarray(position_mm, dtype=np.float64)[order]
    known = ~np.isnan(ordered)
    value = np.nan_to_num(ordered)
    total, weight = 2.0 * value, 2.0 * known
    same = ((run[1:] == run[:-1]) & (np.diff(place) <= NEIGHBOR_MM))[:, None]
    total[1:] += same * value[:-1]
    weight[1:] += same * known[:-1]
    total[:-1] += same * value[1:]
    weight[:-1] += same * known[1:]
    smoothed = np.empty_like(ordered)
    smoothed[order] = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)
    return smoothed


def study_maximum(
    values: FloatArray, study_ids: Sequence[str]
) -> tuple[tuple[str, ...], Float64Array]:
    """Return the largest of values (N, F) in each study: it is as suspicious as its worst slice.

    Returns study ids in order of first appearance and (S, F) float64; NaN only where all of a
    study's values are.
    """
    ids, study = _first_appearance(study_ids)
    largest = np.full((len(ids), values.shape[1]), -np.inf)
    np.maximum.at(largest, study, np.where(np.isnan(values), -np.inf, values))
    return ids, np.where(np.isneginf(largest), np.nan, largest)


def at_study_maximum(values: FloatArray, of: FloatArray, study_ids: Sequence[str]) -> Float64Array:
    """Return values (N, F) at the slice of each study where `of` (N, F, no NaN) is largest, the
    first of several: (S, F) float64, studies in order of first appearance."""
    ids, study = _first_appearance(study_ids)
    found = np.empty((len(ids), values.shape[1]))
    for column in range(values.shape[1]):
        falling = np.argsort(-np.asarray(of)[:, column], kind="stable")
        _, first = np.unique(study[falling], return_index=True)
        found[:, column] = np.asarray(values)[falling[first], column]
    return found


def study_truth(
    truth: FloatArray, study_ids: Sequence[str]
) -> tuple[tuple[str, ...], Float64Array]:
    """Derive the truth of studies from the truth of images (N, F).

    A study is positive when an image is, negative only when every image is known to be, and unknown
    (NaN) otherwise. Returns study ids in order of first appearance and (S, F) float64.
    """
    ids, largest = study_maximum(truth, study_ids)
    unknown = np.zeros(largest.shape, dtype=bool)
    np.logical_or.at(unknown, _first_appearance(study_ids)[1], np.isnan(truth))
    return ids, np.where(unknown & ~(largest >= 0.5), np.nan, largest)


def _first_appearance(study_ids: Sequence[str]) -> tuple[tuple[str, ...], Int64Array]:
    """Return the distinct ids in order of first appearance, and each row's place in them (N,)."""
    places: dict[str, int] = {}
    rows = [places.setdefault(study, len(places)) for study in study_ids]
    return tuple(places), np.array(rows, dtype=np.int64)
