"""training/series_levels.py: what was said of scored series, slices and studies, beside what three
trivial readers say: the prior, the place (of a slice) or the extent (of a study), the histogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wetread.evaluation.baselines import histogram_baseline, position_baseline
from wetread.training.data import Data, Rows, Split
from wetread.training.levels import known_prior
from wetread.training.look import OfSeries
from wetread.training.predictions import Predicted
from wetread.training.whole_series import WholeSeries, series_at

Floats = NDArray[np.float64]


def series_levels(
    data: Data,
    series: WholeSeries,
    split: Split,
    scored: Rows,
    image: Floats,
    study: Floats,
    of: OfSeries,
) -> list[Predicted]:
    """The scored series' images (n, I) and studies (E, S), each series's answers settled.

    data: the slices of all series. Of a study with several series the longest speaks.
    """
    whole, fitted = series.of(scored), series.of(series_at(series, split.train))
    settled = [
        of.settle(image[low:high], study[e])
        for e, (low, high) in enumerate(zip(whole.starts[:-1], whole.starts[1:], strict=True))
    ]
    features = {id(part): _histograms(data, part) for part in (fitted, whole)}
    place = {id(part): _shares(part) for part in (fitted, whole)}
    images = Predicted(
        level="image",
        split=split.name,
        findings=of.image,
        ids=tuple(data.store.slices["SOPInstanceUID"].gather(whole.rows)),
        studies=tuple(data.store.slices["StudyInstanceUID"].gather(whole.rows)),
        patients=tuple(data.store.slices["patient"].gather(whole.rows)),
        rows=whole.rows,
        truth=whole.image,
        probability=np.concatenate([one for one, _ in settled]),
        baselines={
            "prior": np.tile(known_prior(fitted.image), (len(whole.rows), 1)),
            "position": position_baseline(place[id(fitted)], fitted.image, place[id(whole)]),
            "histogram": histogram_baseline(
                features[id(fitted)], fitted.image, features[id(whole)]
            ),
        },
    )
    mean = {id(part): _by_series(features[id(part)], part) for part in (fitted, whole)}
    speaks = _longest(whole)
    extent = {id(part): np.diff(part.starts).astype(np.float64) for part in (fitted, whole)}
    baselines = {
        "prior": np.tile(known_prior(fitted.study), (len(whole), 1)),
        "position": position_baseline(extent[id(fitted)], fitted.study, extent[id(whole)]),
        "histogram": histogram_baseline(mean[id(fitted)], fitted.study, mean[id(whole)]),
    }
    studies = Predicted(
        level="study",
        split=split.name,
        findings=of.study,
        ids=tuple(whole.studies[e] for e in speaks),
        studies=tuple(whole.studies[e] for e in speaks),
        patients=tuple(whole.patients[e] for e in speaks),
        rows=None,
        truth=whole.study[speaks],
        probability=np.stack([one for _, one in settled])[speaks],
        baselines={name: values[speaks] for name, values in baselines.items()},
    )
    return [images, studies]


def _histograms(data: Data, series: WholeSeries) -> Floats:
    """(N, D) of the series' slices."""
    return np.stack([data.histogram(data.store.read_hu([int(row)])[0]) for row in series.rows])


def _shares(series: WholeSeries) -> Floats:
    """(N,) each slice's place in its series, 0 lowest to 1 highest."""
    lengths = np.diff(series.starts)
    return np.concatenate([np.arange(n) / max(n - 1, 1) for n in lengths])


def _by_series(features: Floats, series: WholeSeries) -> Floats:
    """(E, D) the mean over each series's slices."""
    mean: Floats = np.add.reduceat(features, series.starts[:-1], axis=0)
    return mean / np.diff(series.starts)[:, None]


def _longest(series: WholeSeries) -> Rows:
    """Of each study the series with the most slices, in the order of the studies."""
    best: dict[str, int] = {}
    lengths = np.diff(series.starts)
    for e, study in enumerate(series.studies):
        if study not in best or lengths[e] > lengths[best[study]]:
            best[study] = e
    return np.array(list(best.values()), np.int64)
