"""training/series/batches.py: series of any length, padded to the batches that are learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.training.series.series import Series, spread_slices


@dataclass(frozen=True, eq=False)
class SeriesBatch:
    """B series padded to the longest, L slices.

    inputs:    (B, L, D) float32.
    valid:     (B, L) bool, False where a shorter series is padded.
    image:     (B, L, I) truth of the slices, study: (B, S) of the studies; NaN unknown or padding.
    positives: (B,) positive images of each whole series, where the slices are a sample of them.
    """

    inputs: Tensor
    valid: Tensor
    image: Tensor
    study: Tensor
    positives: Tensor | None = None

    def to(self, device: torch.device) -> SeriesBatch:
        """Copy the batch to a device."""
        return SeriesBatch(
            self.inputs.to(device),
            self.valid.to(device),
            self.image.to(device),
            self.study.to(device),
            None if self.positives is None else self.positives.to(device),
        )


def pad_series(
    inputs: Sequence[Float32Array], image: Sequence[Float64Array], study: Float64Array
) -> SeriesBatch:
    """Pad series of any lengths to one batch: B inputs (n, D), truth of B series' slices (n, I) and
    of their studies (B, S)."""
    longest = max(len(one) for one in inputs)
    valid = torch.zeros(len(inputs), longest, dtype=torch.bool)
    x = torch.zeros(len(inputs), longest, inputs[0].shape[1])
    truth = torch.full((len(inputs), longest, image[0].shape[1]), torch.nan)
    for number, (one, labels) in enumerate(zip(inputs, image, strict=True)):
        valid[number, : len(one)] = True
        x[number, : len(one)] = torch.from_numpy(one)
        truth[number, : len(one)] = torch.from_numpy(labels).float()
    return SeriesBatch(x, valid, truth, torch.from_numpy(study).float())


def series_batches(
    series: Series,
    inputs: Sequence[Float32Array],
    order: Int64Array,
    *,
    batch_size: int,
    most_slices: int,
    rng: np.random.Generator,
) -> Iterator[SeriesBatch]:
    """Yield the series in an order (E,), batch_size at a time; inputs: E arrays (n, D).

    Of a longer series most_slices, spread over it, stand for all: the memory of a step has a bound.
    """
    truth = series.image_by_series()
    for part in np.array_split(order, max(1, -(-len(order) // batch_size))):
        places = [spread_slices(len(inputs[e]), most_slices, rng) for e in part]
        picked = list(zip(part, places, strict=True))
        batch = pad_series(
            [inputs[e][at] for e, at in picked], [truth[e][at] for e, at in picked],
            series.study[part],
        )  # fmt: skip
        if any(len(inputs[e]) > most_slices for e in part):
            positives = torch.tensor([float(np.nansum(truth[e][:, 0])) for e in part])
            batch = replace(batch, positives=positives)
        yield batch
