"""tests/outputs/test_pictures.py: pictures keep their greys and their shapes."""

import cv2
import numpy as np
import pytest

from wetread.outputs import pictures
from wetread.view.window import BONE, BRAIN


def test_panels_are_the_windows_side_by_side_with_their_fixed_greys() -> None:
    row = pictures.panels(np.full((64, 64), 40.0), (BRAIN, BONE), size=32)
    assert row.shape == (32, 64 + pictures.GAP)
    assert row.dtype == np.uint8
    assert (row[:, :32] == 128).all()
    assert (row[:, -32:] == round(255 * (40 + 400) / 2000)).all()


def test_a_slice_that_is_not_square_keeps_its_shape() -> None:
    assert pictures.panels(np.zeros((100, 50)), (BRAIN,), size=200).shape == (200, 100)


def test_a_montage_sets_pictures_in_reading_order() -> None:
    parts = [np.full((4, 6), grey, np.uint8) for grey in (10, 20, 30)]
    whole = pictures.montage(parts, columns=2)
    assert whole.shape == (8 + pictures.GAP, 12 + pictures.GAP)
    assert (whole[0, 0], whole[0, -1], whole[-1, 0], whole[-1, -1]) == (10, 20, 30, 0)
    with pytest.raises(ValueError, match="0 pictures"):
        pictures.montage([], columns=2)


def test_text_stands_below_the_picture_and_inside_its_width() -> None:
    picture = np.full((40, 120), 77, np.uint8)
    drawn = pictures.with_text(picture, ["any 0.91", "a very long line of findings " * 4])
    np.testing.assert_array_equal(drawn[:40], picture)
    assert drawn[40:].max() > 150
    assert drawn[40:, -3:].max() == 0


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_a_png_holds_the_very_pixels(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    code = np.frombuffer(pictures.png_bytes(picture), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(code, cv2.IMREAD_UNCHANGED), picture)


@pytest.mark.parametrize("picture", [np.zeros((2, 2)), np.zeros((0, 2), np.uint8)])
def test_what_is_no_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="window HU first"):
        pictures.png_bytes(picture)
