"""evaluation/fit_baselines.py: the baselines together, fitted on some rows and applied to others:
the prior, the place, the histogram of the values, the header."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import Float64Array, FloatArray, Int64Array
from wetread.evaluation.baselines import fit_trees, known_prior
from wetread.evaluation.header_baseline import HeaderFeatures, header_baseline

BASELINES = ("prior", "position", "histogram", "header")


@dataclass(frozen=True, eq=False)
class BaselineFeatures:
    """Features of N images, or of N series, from which the baselines predict.

    place:     (N,) the share of the series that lies below an image; the slices of a series.
    histogram: (N, D) of an image, or the mean of a series'; NaN where the pixels are not read.
    header:    None where headers are not at hand: then there is no baseline of them.
    """

    place: Float64Array
    histogram: FloatArray
    header: HeaderFeatures | None = None

    def of(self, rows: Int64Array) -> BaselineFeatures:
        """Select rows by number (n,)."""
        header = None if self.header is None else self.header.of(rows)
        return BaselineFeatures(self.place[rows], self.histogram[rows], header)


def predict_baselines(
    train: BaselineFeatures,
    train_truth: FloatArray,
    test: BaselineFeatures,
    weights: FloatArray | None = None,
) -> dict[str, Float64Array]:
    """Predict (M, F) by each baseline, in the order of BASELINES, of truth (N, F) of training.

    weights: (N,) of the rows of training in the metric; None: all alike. A finding of which nothing
    is known has 0.5.
    """
    found = {"prior": np.tile(known_prior(train_truth, weights), (len(test.place), 1))}
    for name, learned, asked in (
        ("position", train.place[:, None], test.place[:, None]),
        ("histogram", train.histogram, test.histogram),
    ):
        found[name] = fit_trees(learned, train_truth, weights=weights).predict(asked)
    if train.header is not None and test.header is not None:
        found["header"] = header_baseline(train.header, train_truth, test.header, weights)
    return {name: np.nan_to_num(values, nan=0.5) for name, values in found.items()}
