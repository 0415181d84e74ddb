"""tests/study/test_boxes.py: a square holds the box it is about; boxes are their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.study.boxes import PixelBox, VoxelBox


@given(st.integers(-9, 40), st.integers(1, 60), st.integers(-9, 50), st.integers(1, 60))
def test_the_square_of_a_box_holds_it_and_is_no_larger_than_needed(
    row: int, rows: int, column: int, columns: int
) -> None:
    box = PixelBox(row, row + rows, column, column + columns)
    square = box.square()
    assert square.row1 - square.row0 == square.column1 - square.column0 == max(rows, columns)
    assert square.row0 <= box.row0
    assert square.row1 >= box.row1
    assert square.column0 <= box.column0
    assert square.column1 >= box.column1


@pytest.mark.parametrize("box", [PixelBox(4, 4, 0, 2), PixelBox(0, 2, 5, 4)])
def test_a_box_without_a_pixel_has_no_square(box: PixelBox) -> None:
    with pytest.raises(ValueError, match="at least one row and one column"):
        box.square()


def test_boxes_are_their_edges_in_order() -> None:
    assert list(PixelBox(row0=1, row1=2, column0=3, column1=4)) == [1, 2, 3, 4]
    assert f"{PixelBox(1, 2, 3, 4)}" == "(1, 2, 3, 4)"
    assert VoxelBox(1, 2, 3, 4, 5, 6)[2:] == PixelBox(3, 4, 5, 6)
