"""tests/training/slices/test_other_scanners.py: phantoms as if other scanners had made them."""

import numpy as np
import polars as pl

from wetread.training.slices.other_scanners import AlteredSource
from wetread.view.augment import Strengths

STRENGTHS = Strengths(scale=0.2, hu_shift=8.0, hu_scale=0.15, soften=2.0, sharpen=1.0)


class Heads:
    """Two series of three slices, a bright disk in each."""

    slices = pl.DataFrame({"SeriesInstanceUID": ["b", "b", "b", "a", "a", "a"]})

    def read_hu(self, rows: object) -> np.ndarray:
        y, x = np.mgrid[-16:16, -16:16]
        disk = np.where(y**2 + x**2 < 100, 60.0, 0.0).astype(np.float32)
        return np.stack([disk for _ in np.asarray(rows)])


def test_slices_of_a_series_are_changed_alike_and_those_of_others_otherwise() -> None:
    source = AlteredSource(Heads(), STRENGTHS)
    together = source.read_hu([0, 1, 3])
    np.testing.assert_array_equal(together[0], together[1])
    assert np.abs(together[0] - together[2]).max() > 1.0
    alone = source.read_hu([3])[0]
    np.testing.assert_allclose(alone, together[2], atol=1e-3)  # HU, whatever it is read with


def test_noise_is_another_in_every_slice_and_the_same_each_time() -> None:
    source = AlteredSource(Heads(), Strengths(noise_hu=8.0))
    first, second = source.read_hu([0, 1])
    assert np.abs(first - second).max() > 0.1
    np.testing.assert_array_equal(source.read_hu([1])[0], second)


def test_without_strength_nothing_changes() -> None:
    np.testing.assert_array_equal(
        AlteredSource(Heads(), Strengths()).read_hu([0, 5]), Heads().read_hu([0, 5])
    )
