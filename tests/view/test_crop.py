"""tests/view/test_crop.py: boxes, their squares, and area means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.view.crop import AIR_HU, Box, crop_and_resize

SLICE = np.random.default_rng(0).normal(30, 20, (32, 48)).astype(np.float32)


def test_a_box_of_the_size_wanted_is_cut_out_unchanged() -> None:
    np.testing.assert_array_equal(crop_and_resize(SLICE, Box(3, 19, 5, 21), 16), SLICE[3:19, 5:21])


def test_shrinking_by_a_whole_factor_is_the_mean_of_each_area() -> None:
    means = SLICE[:32, :32].reshape(8, 4, 8, 4).mean((1, 3))
    np.testing.assert_allclose(crop_and_resize(SLICE, Box(0, 32, 0, 32), 8), means, rtol=1e-5)


def test_what_lies_outside_the_slice_is_air() -> None:
    out = crop_and_resize(SLICE, Box(-4, 28, 20, 52), 32)
    assert (out[:4] == AIR_HU).all()
    assert (out[:, 28:] == AIR_HU).all()
    np.testing.assert_array_equal(out[4:, :28], SLICE[:28, 20:])


def test_without_a_box_the_whole_slice_stands_in_the_middle_of_a_square() -> None:
    out = crop_and_resize(SLICE, None, 48)
    np.testing.assert_array_equal(out[8:40], SLICE)
    assert (out[:8] == AIR_HU).all()
    assert (out[40:] == AIR_HU).all()


@given(st.integers(-9, 40), st.integers(1, 60), st.integers(-9, 50), st.integers(1, 60))
def test_the_square_of_a_box_holds_it_and_is_no_larger_than_needed(
    row: int, rows: int, column: int, columns: int
) -> None:
    box = Box(row, row + rows, column, column + columns)
    square = box.square()
    assert square.row1 - square.row0 == square.column1 - square.column0 == max(rows, columns)
    assert square.row0 <= box.row0
    assert square.row1 >= box.row1
    assert square.column0 <= box.column0
    assert square.column1 >= box.column1


def test_a_box_wholly_outside_the_slice_is_air() -> None:
    assert (crop_and_resize(SLICE, Box(100, 110, -30, -20), 5) == AIR_HU).all()
    assert (crop_and_resize(SLICE, Box(-30, -20, 100, 110), 20) == AIR_HU).all()


def test_an_empty_box_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row and one column"):
        Box(4, 4, 0, 2)
