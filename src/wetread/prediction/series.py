"""prediction/series.py: stores and readers of whole series in; slices' and studies' answers out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from wetread.store.store import Store
from wetread.training.look import Settle
from wetread.training.sequence_fit import said_of
from wetread.training.series_fit import seen_series
from wetread.training.series_run import SeriesReader
from wetread.training.whole_series import Rows, series_of

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class SaidOfSeries:
    """What is said of E series and their N slices, rows as the store has them, before and after
    each series' answers are made one that is consistent.

    raw_image, image: (N, I); raw_study, study: (E, S) probabilities.
    starts:           (E + 1,) where each series begins among the rows.
    """

    raw_image: NDArray[np.float64]
    raw_study: NDArray[np.float64]
    image: NDArray[np.float64]
    study: NDArray[np.float64]
    starts: Rows


def read_series(
    stores: Sequence[Store],
    readers: Sequence[SeriesReader],
    mirror: Rows,
    settle: Settle,
    features: Path,
    progress: Progress,
) -> SaidOfSeries:
    """The readers' mean logits as probabilities, then settled series by series.

    stores: the same series in each look's crop. mirror: (S,) what each study finding becomes when
    left and right change places. features: the folder that keeps what encoders saw.
    """
    series = series_of(stores[0].slices, len(readers[0].image), len(readers[0].study))
    said = []
    for done, one in enumerate(readers):
        progress(done, len(readers))
        seen = seen_series(series, one.encoders, stores, one.recipe, features)
        said.append(said_of(one.network, seen, mirror, one.recipe))
    progress(len(readers), len(readers))
    image, study = (expit(np.mean([one[level] for one in said], axis=0)) for level in (0, 1))
    settled = [
        settle(image[low:high], study[number])
        for number, (low, high) in enumerate(
            zip(series.starts[:-1], series.starts[1:], strict=True)
        )
    ]
    return SaidOfSeries(
        raw_image=image,
        raw_study=study,
        image=np.concatenate([one for one, _ in settled]),
        study=np.stack([one for _, one in settled]),
        starts=series.starts,
    )
