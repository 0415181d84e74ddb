"""tests/training/slices/test_source.py: what stays in memory is small, bounded, and the same."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from wetread.training.slices.source import CachedSource, cache_source, read_compact_hu


class Slices:
    """Slices (64, 64) of HU, of which slice i is i everywhere, plus an offset."""

    def __init__(self, count: int = 400, offset: float = 0.0) -> None:
        self.slices = pl.DataFrame({"SeriesInstanceUID": ["a"] * count})
        self.asked: list[int] = []
        self.offset = offset

    def read_hu(self, rows: Sequence[int]) -> np.ndarray:
        self.asked.extend(rows)
        values = np.asarray(rows, np.float32)[:, None, None] + np.float32(self.offset)
        return np.broadcast_to(values, (len(rows), 64, 64))


def test_a_slice_is_read_once_and_stays() -> None:
    source = Slices()
    kept = cache_source(source, 1)
    for _ in range(3):
        hu = kept.read_hu([2, 5, 2])
        assert hu.shape == (3, 64, 64)
        assert hu.dtype == np.float32
        assert hu[:, 1, 1].tolist() == [2, 5, 2]
    assert source.asked == [2, 5]
    assert cache_source(source, 0) is source


@pytest.mark.parametrize("offset", [0.5, -40_000.0, 1e9, float("nan"), float("inf")])
def test_values_that_are_no_small_integers_stay_as_they_are(offset: float) -> None:
    source = Slices(offset=offset)
    kept = cache_source(source, 1)
    for _ in range(2):
        np.testing.assert_array_equal(kept.read_hu([1, 7]), Slices(offset=offset).read_hu([1, 7]))
    assert source.asked == [1, 7]


@pytest.mark.parametrize(("offset", "bytes_a_pixel"), [(0.0, 2), (0.5, 4)])
def test_no_more_is_kept_than_the_budget_allows(offset: float, bytes_a_pixel: int) -> None:
    source = Slices(offset=offset)
    kept = CachedSource(source, 2**20)
    for row in range(400):
        kept.read_hu([row])
    source.asked.clear()
    for row in range(400):
        assert kept.read_hu([row])[0, 0, 0] == row + offset
    assert 400 - len(source.asked) == 2**20 // (64 * 64 * bytes_a_pixel)


def test_what_is_handed_out_may_be_changed() -> None:
    kept = cache_source(Slices(), 1)
    kept.read_hu([3])[:] = 9
    kept.read_hu([3])[:] = 9
    assert kept.read_hu([3])[0, 0, 0] == 3


@pytest.mark.parametrize(("offset", "dtype"), [(0.0, np.int16), (0.5, np.float32)])
def test_a_batch_is_of_integers_where_all_its_slices_are(offset: float, dtype: type) -> None:
    kept = CachedSource(Slices(offset=offset), 2**20)
    for _ in range(2):
        hu = read_compact_hu(kept, [3, 1, 3])
        assert hu.dtype == dtype
        assert (hu[:, 5, 5] == np.array([3, 1, 3]) + offset).all()
    assert kept.read_hu([3]).dtype == np.float32
