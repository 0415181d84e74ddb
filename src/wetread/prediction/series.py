"""prediction/series.py: stores and readers of whole series in; slices' and series' answers out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from wetread.store.store import Store
from wetread.training.seen_series import seen_series
from wetread.training.sequence_fit import said_of
from wetread.training.series_run import SeriesReader
from wetread.training.whole_series import Rows, WholeSeries, series_of

Progress = Callable[[int, int], None]


def read_series(
    stores: Sequence[Store],
    readers: Sequence[SeriesReader],
    mirror: Rows,
    features: Path,
    progress: Progress,
) -> tuple[WholeSeries, NDArray[np.float64], NDArray[np.float64]]:
    """The series of a store, and the readers' mean logits as probabilities: of their slices (N, I),
    in the store's order, and of the series (E, S).

    stores: the same series in each look's crop. mirror: (S,) what each study finding becomes when
    left and right change places. features: the folder that keeps what encoders saw.
    """
    series = series_of(stores[0].slices, len(readers[0].image), len(readers[0].study))
    if len(series) == 0:
        return series, np.empty(series.image.shape), np.empty(series.study.shape)
    said = []
    for done, one in enumerate(readers):
        progress(done, len(readers))
        seen = seen_series(series, one.encoders, stores, one.recipe, features)
        said.append(said_of(one.network, seen, mirror, one.recipe))
    progress(len(readers), len(readers))
    image, study = (expit(np.mean([one[level] for one in said], axis=0)) for level in (0, 1))
    return series, image, study
