"""tests/anatomy/test_head.py: the head box holds the head, whatever lies beside it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wetread.anatomy.head import find_head_box


def ellipse(size: int, row: float, column: float, height: float, width: float) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size]
    inside = ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 <= 1
    return np.where(inside, 40.0, -1000.0).astype(np.float32)


@given(st.floats(90, 160), st.floats(90, 160), st.floats(30, 80), st.floats(30, 80))
def test_the_box_is_the_padded_square_about_the_head(
    row: float, column: float, height: float, width: float
) -> None:
    row0, row1, column0, column1 = find_head_box(ellipse(256, row, column, height, width)[None])
    assert row1 - row0 == column1 - column0
    assert row0 <= row - height + 2
    assert row1 >= row + height - 2
    assert column0 <= column - width + 2
    assert column1 >= column + width - 2
    assert row1 - row0 <= 2 * max(height, width) * 1.06 + 4


def test_a_head_rest_beside_the_head_is_left_out() -> None:
    hu = ellipse(256, 120, 128, 70, 60)
    with_rest = hu.copy()
    with_rest[210:216, 60:200] = 200.0
    assert find_head_box(with_rest[None]) == find_head_box(hu[None])


def test_slices_without_a_head_do_not_change_the_box() -> None:
    hu = ellipse(256, 120, 128, 70, 60)
    empty = np.full_like(hu, -1000.0)
    assert find_head_box(np.stack([empty, hu])) == find_head_box(hu[None])


def test_a_series_without_any_head_is_kept_whole() -> None:
    assert find_head_box(np.full((3, 64, 80), -1000.0, np.float32)) == (0, 64, 0, 80)


def test_a_cushion_that_touches_the_head_is_left_out() -> None:
    hu = ellipse(256, 120, 128, 70, 60)
    on_cushion = hu.copy()
    on_cushion[190:193, 40:220] = 50.0  # thinner than a head is anywhere
    row0, row1, column0, column1 = find_head_box(on_cushion[None])
    np.testing.assert_allclose((row0, row1, column0, column1), find_head_box(hu[None]), atol=4)


def test_a_trunk_is_found_without_its_table() -> None:
    hu = np.full((4, 200, 200), -1000.0, np.float32)
    rows, columns = np.mgrid[:200, :200]
    hu[:, ((rows - 90) / 40) ** 2 + ((columns - 110) / 60) ** 2 < 1] = 40
    hu[:, 150:154, 20:180] = 100  # a table that does not touch
    box = find_head_box(hu)
    assert box.row1 - box.row0 == box.column1 - box.column0
    side = box.row1 - box.row0
    assert 119 <= side <= 128
    assert abs((box.row0 + box.row1) / 2 - 90) <= 2
    assert abs((box.column0 + box.column1) / 2 - 110) <= 2
