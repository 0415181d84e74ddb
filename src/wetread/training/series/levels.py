"""training/series/levels.py: what was said of scored series, their slices and their studies, beside
what three trivial readers say: the prior, the place of a slice (or the number of them in a study),
the histogram of the values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wetread.evaluation.baselines import histogram_baseline, position_baseline
from wetread.training.data import LabeledSlices, Rows, Split
from wetread.training.predictions import LevelPredictions
from wetread.training.series.series import Series, longest_series, series_containing, study_starts
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.levels import known_prior

Floats = NDArray[np.float64]


def series_predictions(
    data: LabeledSlices,
    series: Series,
    split: Split,
    scored: Rows,
    image: Floats,
    study: Floats,
    of: SeriesSpec,
) -> list[LevelPredictions]:
    """The scored series' images (n, I) and studies (E, S), each study's answers settled.

    data: the slices of all series. Of a study with several series the longest speaks.
    """
    whole, fitted = series.of(scored), series.of(series_containing(series, split.train))
    speaks = longest_series(whole)
    consistent_image, consistent_study = of.make_consistent(
        image, study[speaks], study_starts(whole)
    )
    seen, learned = _trivial(data, whole), _trivial(data, fitted)
    column = data.store.slices.select("SOPInstanceUID", "StudyInstanceUID", "patient")[whole.rows]
    images = LevelPredictions(
        level="image",
        split=split.name,
        findings=of.image_findings,
        ids=tuple(column["SOPInstanceUID"]),
        studies=tuple(column["StudyInstanceUID"]),
        patients=tuple(column["patient"]),
        rows=whole.rows,
        truth=whole.image,
        probability=consistent_image,
        baselines={
            "prior": np.tile(known_prior(fitted.image), (len(whole.rows), 1)),
            "position": position_baseline(learned.place, fitted.image, seen.place),
            "histogram": histogram_baseline(learned.histogram, fitted.image, seen.histogram),
        },
    )
    baselines = {
        "prior": np.tile(known_prior(fitted.study), (len(whole), 1)),
        "position": position_baseline(learned.length, fitted.study, seen.length),
        "histogram": histogram_baseline(learned.mean, fitted.study, seen.mean),
    }
    ids = tuple(whole.studies[e] for e in speaks)
    studies = LevelPredictions(
        level="study",
        split=split.name,
        findings=of.study_findings,
        ids=ids,
        studies=ids,
        patients=tuple(whole.patients[e] for e in speaks),
        rows=None,
        truth=whole.study[speaks],
        probability=consistent_study,
        baselines={name: values[speaks] for name, values in baselines.items()},
    )
    return [images, studies]


@dataclass(frozen=True, eq=False)
class _Trivial:
    """What trivial readers see: of a slice its place in the series (N,), 0 lowest to 1 highest, and
    its histogram (N, D); of a series its number of slices (E,) and their mean histogram (E, D)."""

    place: Floats
    histogram: Floats
    length: Floats
    mean: Floats


def _trivial(data: LabeledSlices, series: Series) -> _Trivial:
    lengths = np.diff(series.starts)
    histogram = np.stack(
        [data.histogram(data.store.read_hu([int(row)])[0]) for row in series.rows]
    ).astype(np.float64)
    return _Trivial(
        place=np.concatenate([np.arange(n) / max(n - 1, 1) for n in lengths]),
        histogram=histogram,
        length=lengths.astype(np.float64),
        mean=np.add.reduceat(histogram, series.starts[:-1], axis=0) / lengths[:, None],
    )
