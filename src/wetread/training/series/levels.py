"""training/series/levels.py: predictions of scored series, by slice and by study, with baselines.

The baselines are the prior, the place of a slice in its series (or the number of slices of a
study), and the histogram of the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.types import Float64Array
from wetread.evaluation.baselines import histogram_baseline, position_baseline
from wetread.labels.finding import finding_names
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import LabeledSlices, Split
from wetread.training.predictions import LevelPredictions
from wetread.training.series.pooling import pool_series
from wetread.training.series.series import Series, longest_series, series_containing
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.levels import known_prior


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
    scored_features, fitted_features = (
        _baseline_features(data, whole),
        _baseline_features(data, fitted),
    )
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
        baselines={
            "prior": np.tile(known_prior(fitted.image), (len(whole.rows), 1)),
            "position": position_baseline(
                fitted_features.place, fitted.image, scored_features.place
            ),
            "histogram": histogram_baseline(
                fitted_features.histogram, fitted.image, scored_features.histogram
            ),
        },
    )
    baselines = {
        "prior": np.tile(known_prior(fitted.study), (len(whole), 1)),
        "position": position_baseline(fitted_features.length, fitted.study, scored_features.length),
        "histogram": histogram_baseline(fitted_features.mean, fitted.study, scored_features.mean),
    }
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
        baselines={name: values[longest] for name, values in baselines.items()},
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
class _BaselineFeatures:
    """Inputs of the baselines: of a slice its place in the series (N,), 0 lowest to 1 highest, and
    its histogram (N, D); of a series its number of slices (E,) and their mean histogram (E, D)."""

    place: Float64Array
    histogram: Float64Array
    length: Float64Array
    mean: Float64Array


def _baseline_features(data: LabeledSlices, series: Series) -> _BaselineFeatures:
    lengths = np.diff(series.starts)
    histogram = np.stack(
        [data.histogram(data.store.read_hu([int(row)])[0]) for row in series.rows]
    ).astype(np.float64)
    return _BaselineFeatures(
        place=np.concatenate([np.arange(n) / max(n - 1, 1) for n in lengths]),
        histogram=histogram,
        length=lengths.astype(np.float64),
        mean=np.add.reduceat(histogram, series.starts[:-1], axis=0) / lengths[:, None],
    )
