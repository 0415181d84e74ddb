"""prediction/series.py: stores and readers of whole series in; slices' and series' answers out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from wetread.store.store import Store
from wetread.training.series.embed_series import embed_series
from wetread.training.series.reader import SeriesModel
from wetread.training.series.sequence_fit import predict_series_logits
from wetread.training.series.series import Rows, Series, unlabeled_series
from wetread.training.series.slice_features import cache_features

Progress = Callable[[int, int], None]


def read_series(
    stores: Sequence[Store],
    readers: Sequence[SeriesModel],
    mirror: Rows,
    features: Path,
    progress: Progress,
) -> tuple[Series, NDArray[np.float64], NDArray[np.float64]]:
    """The series of a store, and the readers' mean logits as probabilities: of their slices (N, I),
    in the store's order, and of the series (E, S).

    stores: the same series in each look's crop. mirror: (S,) what each study finding becomes when
    left and right change places. features: the folder that keeps what encoders saw.
    """
    series = unlabeled_series(stores[0].slices, len(readers[0].image), len(readers[0].study))
    if len(series) == 0:
        return series, np.empty(series.image.shape), np.empty(series.study.shape)
    _keep_seen(readers, stores, series.rows, features, progress)
    said = []
    for one in readers:
        seen = embed_series(series, one.encoders, stores, one.recipe, features)
        said.append(predict_series_logits(one.network, seen, mirror, one.recipe))
    image, study = (expit(np.mean([one[level] for one in said], axis=0)) for level in (0, 1))
    return series, image, study


def _keep_seen(
    readers: Sequence[SeriesModel],
    stores: Sequence[Store],
    rows: Rows,
    folder: Path,
    progress: Progress,
) -> None:
    """What every reader's encoders see, kept in the folder: a slice is read once for all of a look.

    The readers of several runs may want features of several kinds.
    """
    wanted: dict[tuple[str, bool], list[SeriesModel]] = {}
    for one in readers:
        kind = one.recipe.sequence_features, one.recipe.sequence_mirror
        wanted.setdefault(kind, []).append(one)
    asked = [(*kind, look) for kind in wanted for look in range(len(stores))]
    for done, (features, mirror, look) in enumerate(asked):
        progress(done, len(asked))
        encoders = [one.encoders[look] for one in wanted[features, mirror]]
        cache_features(encoders, stores[look], rows, folder, features, mirror)
    progress(len(asked), len(asked))
