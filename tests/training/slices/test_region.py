"""tests/training/slices/test_region.py: nothing is drawn where findings cannot lie."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray, Float32Array
from wetread.training.networks import SliceBatch
from wetread.training.slices.region import Regions, limit_masks


class Slices:
    """Five slices of 8 x 12; slice k holds the value k."""

    slices = pl.DataFrame({"row": range(5)})

    def read_hu(self, rows: Sequence[int]) -> Float32Array:
        return np.stack([np.full((8, 12), row, np.float32) for row in rows])


def left_columns(values: Float32Array) -> BoolArray:
    """As many columns on the left as the slice's value says."""
    return np.broadcast_to(np.arange(values.shape[1]) < values[0, 0], values.shape)


def batches(masks: bool) -> list[SliceBatch]:
    drawn = np.ones((5, 2, 2, 3), np.float32)
    logits, apart = np.zeros((5, 1)), np.zeros((5, 1))
    parts = (slice(0, 3), slice(3, 5))
    return [SliceBatch(logits[p], drawn[p] if masks else None, apart[p]) for p in parts]


def test_maps_keep_the_share_of_each_pixel_that_is_inside_the_slice_s_own_region() -> None:
    rows = np.array([4, 0, 12, 6, 2])
    limited = list(limit_masks(batches(True), rows, Regions(Slices(), left_columns)))
    found = np.concatenate([batch.masks for batch in limited if batch.masks is not None])
    shares = {4: (1, 0, 0), 0: (0, 0, 0), 12: (1, 1, 1), 6: (1, 0.5, 0), 2: (0.5, 0, 0)}
    for maps, row in zip(found, rows.tolist(), strict=True):
        np.testing.assert_allclose(maps, np.broadcast_to(shares[row], (2, 2, 3)), atol=1e-6)


def test_batches_pass_as_they_are_where_nothing_is_drawn_or_findings_lie_anywhere() -> None:
    rows = np.arange(5)
    for drawn, regions in ((False, Regions(Slices(), left_columns)), (True, None)):
        before = batches(drawn)
        after = list(limit_masks(before, rows, regions))
        assert all(a is b for a, b in zip(after, before, strict=True))


def test_the_region_of_a_slice_is_found_once_for_all_networks() -> None:
    asked: list[float] = []

    def count(values: Float32Array) -> BoolArray:
        asked.append(float(values[0, 0]))
        return left_columns(values)

    rows, regions = np.array([4, 0, 4, 6, 2]), Regions(Slices(), count)
    first, again = (list(limit_masks(batches(True), rows, regions)) for _ in range(2))
    assert sorted(asked) == [0, 2, 4, 6]
    alone = list(limit_masks(batches(True), rows, Regions(Slices(), left_columns)))
    for one, two, three in zip(first, again, alone, strict=True):
        np.testing.assert_array_equal(one.masks, two.masks)
        np.testing.assert_array_equal(one.masks, three.masks)
