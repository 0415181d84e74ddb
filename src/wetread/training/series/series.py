"""training/series/series.py: series as the units that are learned: slices, labels, features.

Several series of one study stay apart, each with the study's
labels. Arrays of slices run series by series, in order of position; `starts` parts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable
from wetread.store.store import acquisition_keys

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
WAVES_MM = (20.0, 60.0, 200.0, 600.0)  # of the position, so that a network can tell near from far
PLACE = 2 + 2 * len(WAVES_MM)  # numbers of a slice's place, the last of series_inputs


@dataclass(frozen=True, eq=False)
class Series:
    """E series with N slices together.

    rows:        (N,) rows of the store.
    starts:      (E + 1,) where each series begins among the N; the last is N.
    position_mm: (N,) along the normal; the place in the series where the header has none.
    image:       (N, I) truth of the slices' findings, NaN unknown; study: (E, S) of the studies'.
    studies, patients: E ids.
    """

    rows: Rows
    starts: Rows
    position_mm: NDArray[np.float64]
    image: NDArray[np.float64]
    study: NDArray[np.float64]
    studies: tuple[str, ...]
    patients: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.studies)

    def slices_of(self, series: Rows) -> Rows:
        """The places of those series' slices among the N, series by series."""
        parts = [np.arange(self.starts[e], self.starts[e + 1]) for e in series]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def of(self, series: Rows) -> Series:
        """Those alone, in that order."""
        slices = self.slices_of(series)
        lengths = np.diff(self.starts)[series]
        return replace(
            self,
            rows=self.rows[slices],
            starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            position_mm=self.position_mm[slices],
            image=self.image[slices],
            study=self.study[series],
            studies=tuple(self.studies[e] for e in series),
            patients=tuple(self.patients[e] for e in series),
        )

    def with_study(self, study: NDArray[np.float64]) -> Series:
        """The same with another truth of the studies (E, S)."""
        return replace(self, study=study)

    def spread(self) -> NDArray[np.float64]:
        """(N, S) the study's truth at each of its slices."""
        spread: NDArray[np.float64] = np.repeat(self.study, np.diff(self.starts), axis=0)
        return spread


def join_series(parts: Sequence[Series]) -> Series:
    """All series of the parts, one part after the other."""
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    return Series(
        rows=np.concatenate([part.rows for part in parts]),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        position_mm=np.concatenate([part.position_mm for part in parts]),
        image=np.concatenate([part.image for part in parts]),
        study=np.concatenate([part.study for part in parts]),
        studies=tuple(study for part in parts for study in part.studies),
        patients=tuple(patient for part in parts for patient in part.patients),
    )


def labeled_series(
    slices: pl.DataFrame, labels: LabelTable, image: Sequence[Finding], study: Sequence[Finding]
) -> Series:
    """All series of a store's table (ordered by study, series, position), with what is known."""
    unknown = unlabeled_series(slices, len(image), len(study))
    ids = slices["SOPInstanceUID"].to_list()
    return replace(
        unknown,
        image=labels.matrix_float64(ids, image),
        study=labels.matrix_float64(unknown.studies, study),
    )


def unlabeled_series(slices: pl.DataFrame, images: int, studies: int) -> Series:
    """The same where nothing is known of so many findings of images and studies."""
    change = slices.select(
        pl.struct("StudyInstanceUID", acquisition_keys(slices).alias("pass"))
        .rle_id()
        .alias("series")
    )["series"].to_numpy()
    starts = np.concatenate([np.flatnonzero(np.diff(change, prepend=-1)), [len(change)]])
    heads = slices[starts[:-1]]
    place = slices.select(pl.col("position_mm").fill_null(pl.col("z").cast(pl.Float64)))
    return Series(
        rows=np.arange(len(change)),
        starts=starts.astype(np.int64),
        position_mm=place["position_mm"].to_numpy(),
        image=np.full((len(change), images), np.nan),
        study=np.full((len(heads), studies), np.nan),
        studies=tuple(heads["StudyInstanceUID"].to_list()),
        patients=tuple(heads["patient"].to_list()),
    )


def series_containing(series: Series, places: Rows) -> Rows:
    """The series to which the slices at those places among the N belong."""
    found: Rows = np.unique(np.searchsorted(series.starts, places, side="right") - 1)
    return found


def study_starts(series: Series) -> Rows:
    """(studies + 1,) where each study begins among the N: its series lie one after the other."""
    names = series.studies
    first = [e for e, study in enumerate(names) if e == 0 or study != names[e - 1]]
    return np.append(series.starts[first], series.starts[-1])


def longest_series(series: Series) -> Rows:
    """Of each study, in order, its series with the most slices; the first where two have."""
    best: dict[str, int] = {}
    lengths = np.diff(series.starts)
    for e, study in enumerate(series.studies):
        if study not in best or lengths[e] > lengths[best[study]]:
            best[study] = e
    return np.array(list(best.values()), np.int64)


def inputs_of(features: Floats, position_mm: NDArray[np.float64], *, differences: bool) -> Floats:
    """series_inputs of arrays."""
    place = torch.from_numpy(np.array(position_mm, np.float64))
    inputs: Floats = series_inputs(torch.from_numpy(features), place, differences).numpy()
    return inputs


def series_inputs(features: Tensor, position_mm: Tensor, differences: bool) -> Tensor:
    """What a sequence network is given of one series: (n, D) features to (n, D or 3 D, + 10).

    With differences, a slice's features stand beside what changes to the next and from the one
    before (0 at the ends). Then its place: distance from the series' middle in tenths of a meter
    and to the next slice in centimeters, and its waves.
    """
    away = (position_mm - (position_mm[0] + position_mm[-1]) / 2)[:, None]
    gap = torch.diff(position_mm, append=position_mm[-1:])[:, None]
    waves = 2 * torch.pi * away / away.new_tensor(WAVES_MM)
    place = torch.cat([away / 100, gap / 10, waves.sin(), waves.cos()], 1).to(features)
    if not differences:
        return torch.cat([features, place], 1)
    change, none = torch.diff(features, dim=0), torch.zeros_like(features[:1])
    return torch.cat([features, torch.cat([change, none]), torch.cat([none, change]), place], 1)


@dataclass(frozen=True, eq=False)
class SeriesBatch:
    """B series padded to the longest, L slices: inputs (B, L, D), there (B, L), truth of images
    (B, L, I) and of studies (B, S), NaN unknown or padding.

    positives: (B,) positive images of each whole series, where the slices are a sample of them.
    """

    inputs: Tensor
    there: Tensor
    image: Tensor
    study: Tensor
    positives: Tensor | None = None


def pad(
    inputs: Sequence[Floats], image: Sequence[NDArray[np.float64]], study: NDArray[np.float64]
) -> SeriesBatch:
    """Series of any lengths as one batch."""
    longest = max(len(one) for one in inputs)
    there = torch.zeros(len(inputs), longest, dtype=torch.bool)
    x = torch.zeros(len(inputs), longest, inputs[0].shape[1])
    truth = torch.full((len(inputs), longest, image[0].shape[1]), torch.nan)
    for number, (one, told) in enumerate(zip(inputs, image, strict=True)):
        there[number, : len(one)] = True
        x[number, : len(one)] = torch.from_numpy(one)
        truth[number, : len(one)] = torch.from_numpy(told).float()
    return SeriesBatch(x, there, truth, torch.from_numpy(study).float())


def spread_slices(count: int, most: int, rng: np.random.Generator) -> Rows:
    """Up to `most` of so many places, in order: one at random of each of as many stretches."""
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, most + 1)
    places: Rows = (edges[:-1] + rng.random(most) * np.diff(edges)).astype(np.int64)
    return places


def batches_of(
    series: Series,
    inputs: Sequence[Floats],
    size: int,
    order: Rows,
    most: int,
    rng: np.random.Generator,
) -> Iterator[SeriesBatch]:
    """The series in that order, `size` at a time; inputs: one a series. Of a longer series `most`
    slices, spread over it, stand for all: the memory of a step has a bound."""
    truth = [series.image[a:b] for a, b in zip(series.starts[:-1], series.starts[1:], strict=True)]
    for part in np.array_split(order, max(1, -(-len(order) // size))):
        places = [spread_slices(len(inputs[e]), most, rng) for e in part]
        picked = list(zip(part, places, strict=True))
        batch = pad(
            [inputs[e][at] for e, at in picked], [truth[e][at] for e, at in picked],
            series.study[part],
        )  # fmt: skip
        if any(len(inputs[e]) > most for e in part):
            positives = torch.tensor([float(np.nansum(truth[e][:, 0])) for e in part])
            batch = replace(batch, positives=positives)
        yield batch
