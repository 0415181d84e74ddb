"""training/slices/source.py: slices by row, and those that stay in memory once read."""

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np
import polars as pl

from wetread.archive.types import Float32Array, Int16Array, Int64Array
from wetread.store.store import Store


class SliceSource(Protocol):
    """A store, as far as training needs it: its table of slices, and HU by row."""

    @property
    def slices(self) -> pl.DataFrame:
        """One row a slice, by series then position; SeriesInstanceUID among the columns."""

    def read_hu(self, rows: Sequence[int]) -> Float32Array:
        """Read HU (N, H, W) float32 of the rows."""


class CachedSource:
    """A source whose slices stay in memory once read, as many of them as fit in a budget.

    They are kept as 16-bit integers where these are their values, which is so of every store that
    is packed at a size.
    """

    def __init__(self, source: SliceSource, budget_bytes: int) -> None:
        self.slices = source.slices
        self._source = source
        self._kept: dict[int, np.ndarray] = {}  # (H, W) int16 or float32, HU, by row
        self._free_bytes = budget_bytes
        self._lock = Lock()

    def read_hu(self, rows: Sequence[int]) -> Float32Array:
        """Read HU (N, H, W) float32; what was kept before comes from memory."""
        return self.read_compact_hu(rows).astype(np.float32, copy=False)

    def read_compact_hu(self, rows: Sequence[int] | Int64Array) -> Int16Array | Float32Array:
        """Read HU (N, H, W) as they are kept: int16 where all of the slices are such integers."""
        wanted = [int(row) for row in rows]
        found = {row: self._kept[row] for row in wanted if row in self._kept}
        if missing := sorted(set(wanted) - found.keys()):
            read = read_compact_hu(self._source, missing)
            found |= {row: self._keep(row, hu) for row, hu in zip(missing, read, strict=True)}
        return np.stack([found[row] for row in wanted])

    def _keep(self, row: int, hu: Int16Array | Float32Array) -> np.ndarray:
        """Keep a slice where there is room, and return it as it would be kept."""
        packed = hu
        if hu.dtype != np.int16:
            with np.errstate(invalid="ignore"):  # NaN and what is too large is no integer
                integers = hu.astype(np.int16)
            packed = integers if np.array_equal(integers, hu) else hu
        with self._lock:
            if row not in self._kept and packed.nbytes <= self._free_bytes:
                self._kept[row] = packed.copy()  # not a view, which would keep its whole batch
                self._free_bytes -= packed.nbytes
        return packed


def cache_source(source: SliceSource, budget_mb: int) -> SliceSource:
    """Keep the slices of a source in memory, as many as fit in budget_mb."""
    return CachedSource(source, budget_mb * 2**20) if budget_mb else source


def read_compact_hu(
    source: SliceSource, rows: Sequence[int] | Int64Array
) -> Int16Array | Float32Array:
    """Read HU (N, H, W) of rows that may repeat, each once: int16 where the source keeps them as
    such integers, which half the bytes of float32 hold all the way to the device."""
    if isinstance(source, Store | CachedSource):
        return source.read_compact_hu(rows)
    once, places = np.unique(rows, return_inverse=True)
    return source.read_hu(once.tolist())[places]
