"""tests/study/test_crop.py: boxes, their squares, and area means."""

import numpy as np

from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize
from wetread.study.hu import AIR_HU

SLICE = np.random.default_rng(0).normal(30, 20, (32, 48)).astype(np.float32)


def test_a_box_of_the_size_wanted_is_cut_out_unchanged() -> None:
    np.testing.assert_array_equal(
        crop_and_resize(SLICE, PixelBox(3, 19, 5, 21), 16), SLICE[3:19, 5:21]
    )


def test_shrinking_by_a_whole_factor_is_the_mean_of_each_area() -> None:
    means = SLICE[:32, :32].reshape(8, 4, 8, 4).mean((1, 3))
    np.testing.assert_allclose(crop_and_resize(SLICE, PixelBox(0, 32, 0, 32), 8), means, rtol=1e-5)


def test_what_lies_outside_the_slice_is_air() -> None:
    out = crop_and_resize(SLICE, PixelBox(-4, 28, 20, 52), 32)
    assert (out[:4] == AIR_HU).all()
    assert (out[:, 28:] == AIR_HU).all()
    np.testing.assert_array_equal(out[4:, :28], SLICE[:28, 20:])


def test_without_a_box_the_whole_slice_stands_in_the_middle_of_a_square() -> None:
    out = crop_and_resize(SLICE, None, 48)
    np.testing.assert_array_equal(out[8:40], SLICE)
    assert (out[:8] == AIR_HU).all()
    assert (out[40:] == AIR_HU).all()


def test_a_box_wholly_outside_the_slice_is_air() -> None:
    assert (crop_and_resize(SLICE, PixelBox(100, 110, -30, -20), 5) == AIR_HU).all()
    assert (crop_and_resize(SLICE, PixelBox(-30, -20, 100, 110), 20) == AIR_HU).all()
