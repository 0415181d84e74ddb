"""tests/anatomy/test_body_box.py: the box is round the trunk, without table and air."""

import numpy as np

from wetread.anatomy.body_box import find_body_box


def test_the_box_is_square_about_the_trunk_and_leaves_out_the_table() -> None:
    hu = np.full((4, 200, 200), -1000.0, np.float32)
    rows, columns = np.mgrid[:200, :200]
    hu[:, ((rows - 90) / 40) ** 2 + ((columns - 110) / 60) ** 2 < 1] = 40
    hu[:, 150:154, 20:180] = 100  # a table that does not touch
    box = find_body_box(hu)
    assert box.row1 - box.row0 == box.column1 - box.column0
    side = box.row1 - box.row0
    assert 119 <= side <= 128
    assert abs((box.row0 + box.row1) / 2 - 90) <= 2
    assert abs((box.column0 + box.column1) / 2 - 110) <= 2


def test_without_a_body_it_is_the_whole_picture() -> None:
    assert tuple(find_body_box(np.full((2, 50, 60), -1000.0, np.float32))) == (0, 50, 0, 60)
