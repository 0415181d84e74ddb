"""tests/prediction/test_volumes.py: maps of a store's rows as masks of one series of it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from wetread.archive.types import Float32Array
from wetread.evaluation.volume_decision import VolumeThresholds
from wetread.prediction import volumes
from wetread.prediction.volumes import CropMaps, draw_volumes, mean_volume_thresholds
from wetread.store.store import Store
from wetread.training.drawings import Drawings
from wetread.training.mask_table import PackedMaps, mean_map, pack_map

MakeStore = Callable[..., Store]
ROWS, COLUMNS = 40, 32
THRESHOLDS = {"clot": VolumeThresholds(0.4, 0.8), "other": VolumeThresholds(0.4, 0.8)}


@pytest.fixture
def crop(store: MakeStore) -> CropMaps:
    """Two series a and b of which b has a clot, as two findings drew them."""
    packed = store(("a", 2), ("b", 3))
    box = [10, 30, 4, 24]
    packed = replace(
        packed,
        slices=packed.slices.with_columns(
            pl.lit(ROWS, pl.Int32).alias("source_rows"),
            pl.lit(COLUMNS, pl.Int32).alias("source_columns"),
            pl.Series("box", [box] * 5, pl.List(pl.Int32)),
        ),
    )
    maps = np.zeros((5, 2, 4, 4), np.float32)
    maps[2, 0, 1, 1], maps[3, 0, 1, 1] = 0.9, 0.5  # of series b: the second hangs on the first
    maps[4, 0, 3, 3] = 0.6  # too faint alone
    maps[0, 0] = 1.0  # of another series
    return CropMaps(packed, ("clot", "other"), [(tuple(map(pack_map, row)),) for row in maps])


def test_a_series_is_decided_from_its_own_rows_slice_by_slice(crop: CropMaps) -> None:
    clot, other = draw_volumes([crop], np.array([2, 3, 4]), THRESHOLDS)
    drawn = np.stack(list(clot.masks()))
    assert (clot.finding, other.finding) == ("clot", "other")
    assert drawn.shape == (3, ROWS, COLUMNS)
    assert drawn.any(axis=(1, 2)).tolist() == [True, True, False]
    inside = np.argwhere(drawn[0])
    assert inside.mean(0).tolist() == [17.0, 11.0]  # the second of four pixels, 5 wide, of the box
    np.testing.assert_array_equal(clot.mask_of(3), drawn[1])
    assert not clot.mask_of(0).any()


def test_maps_are_unpacked_once_a_series_and_kept_of_no_more_than_one(
    crop: CropMaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[int] = []

    def count(maps: PackedMaps, column: int) -> Float32Array:
        unpacked.append(column)
        return mean_map(maps, column)

    monkeypatch.setattr(volumes, "mean_map", count)
    own = draw_volumes([crop], np.array([2, 3, 4]), THRESHOLDS)
    for volume in own:
        for row in (2, 3):
            volume.mask_of(row)
        first, again = list(volume.masks()), list(volume.masks())
        np.testing.assert_array_equal(first, again)
    assert unpacked == [0] * 3 + [1] * 3
    for volume in draw_volumes([crop], np.array([0, 1]), THRESHOLDS):
        list(volume.masks())
    assert len(crop.recent) == 2
    assert not set(own) & set(crop.recent)


def test_thresholds_of_several_runs_are_averaged() -> None:
    runs = [Drawings({"clot": VolumeThresholds(low, 0.9)}) for low in (0.2, 0.6)]
    mean = mean_volume_thresholds(runs)["clot"]
    assert (mean.low, mean.high) == pytest.approx((0.4, 0.9))
    assert mean_volume_thresholds([]) == {}
