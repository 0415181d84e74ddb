"""training/slices/source.py: slices by row, and those that stay in memory once read."""

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

import numpy as np
import polars as pl

from wetread.archive.types import Float32Array


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
        wanted = [int(row) for row in rows]
        found = {row: self._kept[row] for row in wanted if row in self._kept}
        if missing := sorted(set(wanted) - found.keys()):
            for row, hu in zip(missing, self._source.read_hu(missing), strict=True):
                found[row] = self._keep(row, hu)
        return np.stack([found[row] for row in wanted]).astype(np.float32, copy=False)

    def _keep(self, row: int, hu: Float32Array) -> np.ndarray:
        """Keep a slice where there is room, and return it as it would be kept."""
        with np.errstate(invalid="ignore"):  # NaN and what is too large is no integer
            packed = hu.astype(np.int16)
        kept = packed if np.array_equal(packed, hu) else hu.copy()
        with self._lock:
            if row not in self._kept and kept.nbytes <= self._free_bytes:
                self._kept[row] = kept
                self._free_bytes -= kept.nbytes
        return kept


def cache_source(source: SliceSource, budget_mb: int) -> SliceSource:
    """Keep the slices of a source in memory, as many as fit in budget_mb."""
    return CachedSource(source, budget_mb * 2**20) if budget_mb else source
