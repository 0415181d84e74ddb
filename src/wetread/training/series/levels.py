"""training/series/levels.py: predictions of scored series, by slice and by study, with baselines.

The baselines are the prior, the place of a slice in its series (or the number of slices of a
study), the histogram of the values and the header (of a study that of its first slice).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.types import Float64Array, FloatArray
from wetread.evaluation.fit_baselines import BaselineFeatures, predict_baselines
from wetread.evaluation.header_baseline import HeaderFeatures
from wetread.labels.finding import finding_names
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import LabeledSlices, Split
from wetread.training.predictions import LevelPredictions
from wetread.training.series.pooling import pool_series
from wetread.training.series.series import Series, longest_series, series_containing
from wetread.training.series.spec import SeriesSpec


def series_predictions(
    data: LabeledSlices,
    series: Series,
    split: Split,
    *,
    image: Float64Array,
    study: Float64Array,
    spec: SeriesSpec,
) -> list[LevelPredictions]:
    """Put predictions of the split's scored series into the form of predictions.py, with baselines
    fitted on its train part.

    data: the slices of all series. image: (n, I) probabilities of the scored slices, study: (e, S)
    of their series; of a study with several series the longest one's count, or what the spec's pool
    makes of all.
    """
    scored = series_containing(series, split.scored)
    whole, fitted = series.of(scored), series.of(series_containing(series, split.train))
    longest = longest_series(whole)
    of_images, of_series = series_baselines(fitted, _features(data, fitted), _features(data, whole))
    column = data.store.slices.select("SOPInstanceUID", "StudyInstanceUID", "patient")[whole.rows]
    images = LevelPredictions(
        level="image",
        split=split.name,
        findings=spec.image_findings,
        ids=tuple(column["SOPInstanceUID"]),
        studies=tuple(column["StudyInstanceUID"]),
        patients=tuple(column["patient"]),
        rows=whole.rows,
        truth=whole.image,
        probability=image,
        baselines=of_images,
    )
    ids = tuple(whole.studies[e] for e in longest)
    studies = LevelPredictions(
        level="study",
        split=split.name,
        findings=spec.study_findings,
        ids=ids,
        studies=ids,
        patients=tuple(whole.patients[e] for e in longest),
        rows=None,
        truth=whole.study[longest],
        probability=pool_series(whole, study, longest, spec.pool),
        baselines={name: values[longest] for name, values in of_series.items()},
    )
    return [images, studies]


def consistent_levels(
    levels: Sequence[LevelPredictions], spec: SeriesSpec
) -> list[LevelPredictions]:
    """Make the answers of each study consistent; levels: its images, study by study, and the
    studies in the same order."""
    images, studies = levels
    first = [
        row
        for row, name in enumerate(images.studies)
        if row == 0 or name != images.studies[row - 1]
    ]
    image, study = spec.make_consistent(
        images.probability, studies.probability, np.array([*first, len(images.studies)])
    )
    return [replace(images, probability=image), replace(studies, probability=study)]


def validation_probabilities(
    series: Series, *, image: Float64Array, study: Float64Array, spec: SeriesSpec
) -> tuple[LabeledProbabilities, ...]:
    """Put predictions of series beside their truth, by image and by study.

    image: (n, I) probabilities of the slices of all series, study: (e, S) of the series, pooled as
    for series_predictions.
    """
    longest = longest_series(series)
    lengths = np.diff(series.starts)
    return (
        LabeledProbabilities(
            "image",
            finding_names(spec.image_findings),
            series.image,
            image,
            tuple(np.repeat(np.asarray(series.patients), lengths).tolist()),
        ),
        LabeledProbabilities(
            "study",
            finding_names(spec.study_findings),
            series.study[longest],
            pool_series(series, study, longest, spec.pool),
            tuple(series.patients[e] for e in longest),
        ),
    )


@dataclass(frozen=True, eq=False)
class SeriesFeatures:
    """Features of E series with N slices, from which the baselines predict: of each slice, and of
    each series as a whole."""

    slices: BaselineFeatures
    whole: BaselineFeatures


def series_features(
    series: Series, histogram: FloatArray, header: HeaderFeatures | None
) -> SeriesFeatures:
    """Make the features of series and their N slices from the slices' histograms (N, D), NaN where
    one was not read, and headers; a series has the mean histogram and its first slice's header."""
    lengths = np.diff(series.starts)
    read = np.asarray(~np.isnan(histogram).any(axis=1))
    counts = np.add.reduceat(read, series.starts[:-1], dtype=np.float64)
    total = np.add.reduceat(np.where(read[:, None], histogram, 0.0), series.starts[:-1], axis=0)
    mean = np.divide(
        total, counts[:, None], out=np.full(total.shape, np.nan), where=counts[:, None] > 0
    )
    place = np.concatenate([np.arange(n) / max(n - 1, 1) for n in lengths])
    first = None if header is None else header.of(series.starts[:-1])
    return SeriesFeatures(
        BaselineFeatures(place, histogram, header),
        BaselineFeatures(lengths.astype(np.float64), mean, first),
    )


def series_baselines(
    fitted: Series,
    learned: SeriesFeatures,
    asked: SeriesFeatures,
    weights: Float64Array | None = None,
) -> tuple[dict[str, Float64Array], dict[str, Float64Array]]:
    """Predict slices (n, I) and series (e, S) by each baseline, of the truth of the fitted series.

    weights: (N,) of the fitted slices in the metric; None: all alike.
    """
    return (
        predict_baselines(learned.slices, fitted.image, asked.slices, weights),
        predict_baselines(learned.whole, fitted.study, asked.whole),
    )


def _features(data: LabeledSlices, series: Series) -> SeriesFeatures:
    histogram = np.stack(
        [data.histogram(data.store.read_hu([int(row)])[0]) for row in series.rows]
    ).astype(np.float64)
    header = data.header
    if header is not None:
        header = header.of(np.searchsorted(data.rows, series.rows))  # rows rise
    return series_features(series, histogram, header)
