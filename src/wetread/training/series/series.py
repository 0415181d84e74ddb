"""training/series/series.py: series as the units that are learned: slices, labels, features.

Several series of one study stay apart, each with the study's labels. Arrays of slices run series by
series, in order of position; `starts` parts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import polars as pl

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable
from wetread.store.store import acquisition_keys
from wetread.view.window import ArrayOrTensor

WAVES_MM = (20.0, 60.0, 200.0, 600.0)  # of the position, so that a network can tell near from far
PLACE = 2 + 2 * len(WAVES_MM)  # numbers of a slice's place, of place_features


@dataclass(frozen=True, eq=False)
class Series:
    """E series with N slices in all.

    rows:        (N,) rows of the store.
    starts:      (E + 1,) where each series begins among the N; the last is N.
    position_mm: (N,) along the normal; the place in the series where the header has none.
    image:       (N, I) truth of the slices' findings, NaN unknown; study: (E, S) of the studies'.
    studies, patients: E ids.
    """

    rows: Int64Array
    starts: Int64Array
    position_mm: Float64Array
    image: Float64Array
    study: Float64Array
    studies: tuple[str, ...]
    patients: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.studies)

    def slices_of(self, series: Int64Array) -> Int64Array:
        """Find the places (n,) of the slices of some series (e,) among the N, series by series."""
        parts = [np.arange(self.starts[e], self.starts[e + 1]) for e in series]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def of(self, series: Int64Array) -> Series:
        """Select series by number (e,), in that order."""
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

    def with_study(self, study: Float64Array) -> Series:
        """Replace the truth of the studies by another, (E, S)."""
        return replace(self, study=study)

    def spread(self) -> Float64Array:
        """Repeat the study's truth at each of its slices, (N, S)."""
        spread: Float64Array = np.repeat(self.study, np.diff(self.starts), axis=0)
        return spread

    def series_of_slices(self) -> list[str]:
        """Number the series of each slice, N texts: what belongs together in evaluation/."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts)).astype(str).tolist()

    def image_by_series(self) -> list[Float64Array]:
        """Part the truth of the slices by series, E arrays (n, I)."""
        return np.split(self.image, self.starts[1:-1])


def join_series(parts: Sequence[Series]) -> Series:
    """Join the series of all parts, one part after the other."""
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
    """List all series of a store's table (ordered by study, series, position), with their labels:
    image (N, I) and study (E, S), NaN unknown."""
    unknown = unlabeled_series(slices, len(image), len(study))
    ids = slices["SOPInstanceUID"].to_list()
    return replace(
        unknown,
        image=labels.matrix_float64(ids, image),
        study=labels.matrix_float64(unknown.studies, study),
    )


def unlabeled_series(slices: pl.DataFrame, images: int, studies: int) -> Series:
    """List all series of a store's table without labels: image (N, images) and study (E, studies)
    are NaN."""
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


def series_containing(series: Series, places: Int64Array) -> Int64Array:
    """Find the series (e,) to which the slices at some places (n,) among the N belong."""
    found: Int64Array = np.unique(np.searchsorted(series.starts, places, side="right") - 1)
    return found


def study_starts(series: Series) -> Int64Array:
    """Find where each study begins among the N slices, (studies,) and N at the
    end; its series lie one after the other."""
    names = series.studies
    first = [e for e, study in enumerate(names) if e == 0 or study != names[e - 1]]
    return np.append(series.starts[first], series.starts[-1])


def longest_series(series: Series) -> Int64Array:
    """Find each study's series with the most slices, the first where two have; (studies,)."""
    best: dict[str, int] = {}
    lengths = np.diff(series.starts)
    for e, study in enumerate(series.studies):
        if study not in best or lengths[e] > lengths[best[study]]:
            best[study] = e
    return np.array(list(best.values()), np.int64)


def place_features(position_mm: Float64Array) -> Float32Array:
    """Describe the place of each slice of a series by its position_mm (n,), (n, PLACE): distance
    from the series' middle in tenths of a meter and to the next slice in centimeters, and waves."""
    away = (position_mm - (position_mm[0] + position_mm[-1]) / 2)[:, None]
    gap = np.diff(position_mm, append=position_mm[-1:])[:, None]
    waves = 2 * np.pi * away / np.array(WAVES_MM)
    return np.hstack([away / 100, gap / 10, np.sin(waves), np.cos(waves)]).astype(np.float32)


def sequence_features(
    features: ArrayOrTensor, place: ArrayOrTensor, differences: bool, xp: ModuleType
) -> ArrayOrTensor:
    """Make the inputs of one series from its slices' features, (n, D) to (n, D or 3 D, + PLACE).

    With differences, to a slice's features are added what changes to the next and from the one
    before (0 at the ends). Then its place, (n, PLACE) of place_features. xp: numpy or torch, the
    module that the arrays belong to.
    """
    if not differences:
        return xp.concatenate([features, place], 1)
    change, none = features[1:] - features[:-1], xp.zeros_like(features[:1])
    steps = xp.concatenate([change, none]), xp.concatenate([none, change])
    return xp.concatenate([features, *steps, place], 1)


def spread_slices(count: int, most: int, rng: np.random.Generator) -> Int64Array:
    """Pick at most `most` of `count` places, (n,) in order: one at random of each of as many
    stretches of equal length."""
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, most + 1)
    places: Int64Array = (edges[:-1] + rng.random(most) * np.diff(edges)).astype(np.int64)
    return places
