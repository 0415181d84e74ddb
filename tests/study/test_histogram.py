"""tests/study/test_histogram.py: counts are those of NumPy, and a series' those of its slices."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wetread.archive.index.index import build_index
from wetread.archive.rejects import RejectError
from wetread.study.histogram import (
    HU_BINS,
    STORED_BINS,
    Bins,
    Histogram,
    add_histograms,
    histogram,
    series_histograms,
)
from wetread.study.series import series_slices

WriteSeries = Callable[..., pl.DataFrame]
hu = arrays.arrays(
    np.float32,
    arrays.array_shapes(max_dims=3, max_side=12),
    elements=st.integers(-6000, 24000).map(lambda quarters: quarters / 4),
)


def by_numpy(values: np.ndarray, bins: Bins) -> tuple[list[int], int, int]:
    """(counts, below, above); numpy's last bin holds its upper end, ours does not."""
    end = bins.edges[-1]
    counts, _ = np.histogram(values[values < end], bins.edges)
    return counts.tolist(), int((values < bins.low).sum()), int((values >= end).sum())


def parts(found: Histogram) -> tuple[list[int], int, int]:
    return found.counts.tolist(), found.below, found.above


@given(hu)
def test_counts_are_those_of_numpy_and_no_value_is_lost(values: np.ndarray) -> None:
    found = histogram(values, HU_BINS)
    assert parts(found) == by_numpy(values, HU_BINS)
    assert found.total == values.size


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_every_stored_integer_of_16_bits_has_a_bin(dtype: type[np.int16 | np.uint16]) -> None:
    every = np.arange(np.iinfo(dtype).min, np.iinfo(dtype).max + 1, dtype=np.int64).astype(dtype)
    found = histogram(every, STORED_BINS)
    assert (found.below, found.above, found.total) == (0, 0, 1 << 16)
    assert set(found.counts.tolist()) == {0, 16}
    assert np.flatnonzero(found.counts)[0] == (int(every.min()) + 32768) // 16


@given(hu, hu)
def test_two_slices_counted_apart_and_added_are_both_together(
    first: np.ndarray, second: np.ndarray
) -> None:
    both = histogram(np.concatenate([first.ravel(), second.ravel()]), HU_BINS)
    assert parts(add_histograms(histogram(first, HU_BINS), histogram(second, HU_BINS))) == parts(
        both
    )


def test_histograms_of_other_bins_are_not_added() -> None:
    one = np.zeros((2, 2))
    with pytest.raises(ValueError, match="cannot be added"):
        add_histograms(histogram(one, HU_BINS), histogram(one, STORED_BINS))


def test_a_series_is_counted_as_stored_and_in_hu(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    (rows,) = series_slices(write_series(stack(3)))  # slice k holds 1024 + k, intercept -1024
    found = series_histograms(rows)
    assert (found.unit, found.slices, found.rejects) == ("HU", 3, ())
    assert found.stored.counts[(1024 + 32768) // 16] == 3 * 6 * 8
    assert found.values.counts[1024 // 8] == 3 * 6 * 8
    assert found.stored.total == found.values.total == 3 * 6 * 8


def test_a_slice_that_cannot_be_read_is_named_and_the_others_are_counted(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    rows = write_series(stack(3))
    path = Path(rows["path"][1])
    path.write_bytes(path.read_bytes()[:-20])
    found = series_histograms(rows)
    assert (found.slices, found.stored.total) == (2, 2 * 6 * 8)
    (reject,) = found.rejects
    assert (reject.path, reject.reason) == (str(path), "truncated_pixels")
    with pytest.raises(RejectError, match="truncated_pixels"):
        series_histograms(rows[1:2])


def test_a_real_series_is_counted_as_pydicom_and_numpy_count_it(
    real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "hemorrhage_slices"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    index = build_index([folder], tmp_path / "index.parquet", workers=1)
    rows = series_slices(index.images)[0]
    found = series_histograms(rows, workers=1)
    datasets = [pydicom.dcmread(path) for path in rows["path"]]
    stored = np.stack([one.pixel_array for one in datasets])
    assert parts(found.stored) == by_numpy(stored.astype(np.float64), STORED_BINS)
    assert found.values.total == stored.size
