"""tests/study/test_preview.py: three planes of a volume on one scale in mm."""

import numpy as np
import pytest

from wetread.study.preview import SIDE, three_planes


def test_planes_keep_the_shape_of_the_body_in_mm() -> None:
    values = np.zeros((20, 50, 100), np.float32)  # 100 mm x 100 mm x 50 mm
    picture = three_planes(values, (5.0, 2.0, 0.5), "HU")
    assert picture.shape == (SIDE, SIDE // 2 + SIDE // 2 + SIDE)
    assert picture.dtype == np.uint8


def test_one_hu_is_one_gray_whatever_else_is_in_the_volume() -> None:
    values = np.full((1, 4, 4), 40.0, np.float32)
    other = values.copy()
    other[0, 0, 0] = 3000.0
    plain, bright = (three_planes(one, (1.0, 1.0, 1.0), "HU") for one in (values, other))
    assert set(np.unique(plain)) == {128}
    assert bright[-1, -1] == 128
    assert bright[0, 0] == 255


def test_the_head_end_is_up() -> None:
    values = np.full((10, 10, 10), -1000.0, np.float32)
    values[-1] = 1000.0  # the last slice along the normal
    picture = three_planes(values, (1.0, 1.0, 1.0), "HU")
    coronal = picture[:, SIDE : 2 * SIDE]
    assert coronal[:20].min() == 255
    assert coronal[40:].max() == 0


def test_another_unit_is_shown_from_its_least_to_its_greatest_value() -> None:
    values = np.linspace(0, 4095, 64, dtype=np.float32).reshape(1, 8, 8)
    picture = three_planes(values, (float("nan"), 0.0, 0.0), "grey")
    assert picture.shape == (SIDE, SIDE)
    assert (picture.min(), picture.max()) == (0, 255)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 300)])
def test_no_extent_is_too_small(shape: tuple[int, int, int]) -> None:
    assert three_planes(np.zeros(shape, np.float32), (1.0, 1.0, 1.0), "HU").size > 0
