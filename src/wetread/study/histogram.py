"""study/histogram.py: how often each value occurs in a series: as stored, and in HU.

The bins are fixed, so that histograms of any two slices or series can be laid upon each other.
One slice is held at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import Workers, parallel_map
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import Reject, RejectError
from wetread.archive.types import Float64Array, Int64Array, NumberArray, Row
from wetread.study.slices import slice_from_row
from wetread.study.unit import common_unit


@dataclass(frozen=True)
class Bins:
    """`count` bins from `low` on, each `step` wide and without its upper end."""

    low: float
    step: float
    count: int

    @property
    def edges(self) -> Float64Array:
        """Return the bins' bounds, both ends included: (N,) float64, N one more than count."""
        return self.low + self.step * np.arange(self.count + 1, dtype=np.float64)


HU_BINS = Bins(-1024.0, 8.0, 640)  # to 4096 HU: 12 bits
STORED_BINS = Bins(-32768.0, 16.0, 6144)  # every integer of 16 bits, signed or not


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts (bins.count,), and how many values lie below the first bin and past the last."""

    bins: Bins
    counts: Int64Array
    below: int = 0
    above: int = 0

    @property
    def total(self) -> int:
        """Count all values."""
        return int(self.counts.sum()) + self.below + self.above


@dataclass(frozen=True, eq=False)
class SeriesHistograms:
    """The histograms of all pixels of a series.

    stored:  integers as in the file, masked and signed, before any rescale or repair.
    values:  the same pixels in `unit`: study/unit.py.
    slices:  how many were read; rejects: those that could not be.
    """

    stored: Histogram
    values: Histogram
    unit: str | None
    slices: int
    rejects: tuple[Reject, ...] = ()


def histogram(values: NumberArray, bins: Bins) -> Histogram:
    """Count numbers of any shape; NaN must not be among them."""
    place = np.floor((values.ravel() - bins.low) / bins.step)
    within = np.clip(place, -1, bins.count).astype(np.int64) + 1
    counts = np.bincount(within, minlength=bins.count + 2)
    return Histogram(bins, counts[1:-1], int(counts[0]), int(counts[-1]))


def add_histograms(first: Histogram, second: Histogram) -> Histogram:
    """Add two histograms; ValueError where their bins differ."""
    if first.bins != second.bins:
        raise ValueError(f"histograms of {first.bins} and {second.bins} cannot be added")
    counts = first.counts + second.counts
    return Histogram(first.bins, counts, first.below + second.below, first.above + second.above)


def series_histograms(rows: pl.DataFrame, workers: Workers = 1) -> SeriesHistograms:
    """Count the pixels of one series' rows (study/series.py: series_slices).

    A slice that cannot be read is among the rejects. Raises RejectError where none can be.
    """
    listed = list(rows.iter_rows(named=True))
    stored, values = _empty(STORED_BINS), _empty(HU_BINS)
    rejects: list[Reject] = []
    units: list[str | None] = []
    for row, found in zip(listed, parallel_map(_count, listed, workers), strict=True):
        if isinstance(found, LostItem | RejectError):
            rejects.append(Reject(row["path"], row["member"], found.reason, found.detail))
            continue
        stored, values = add_histograms(stored, found[0]), add_histograms(values, found[1])
        units.append(found[2])
    if not units:
        first = rejects[0] if rejects else Reject("", None, "no_pixels", "no slice in the series")
        raise RejectError(first.reason, first.detail)
    return SeriesHistograms(stored, values, common_unit(units), len(units), tuple(rejects))


def _count(row: Row) -> tuple[Histogram, Histogram, str | None] | RejectError:
    """Count (stored, values, unit) of one slice, in a process of its own."""
    try:
        slice_ = slice_from_row(row)
        stored = read_stored(row)  # a slice's own may be repaired, or looked up
    except RejectError as reject:
        return reject
    return histogram(stored, STORED_BINS), histogram(slice_.values(), HU_BINS), slice_.unit


def _empty(bins: Bins) -> Histogram:
    return Histogram(bins, np.zeros(bins.count, np.int64))
