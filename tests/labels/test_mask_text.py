"""tests/labels/test_mask_text.py: masks of every form as pixels, beside a loop over them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.labels import rle
from wetread.labels.mask_text import check_text, decode_masks, picture_text, scale_box
from wetread.labels.rle import RleError

SHAPE = (7, 9)


@given(st.floats(-2, 8), st.floats(-2, 6), st.floats(0.1, 12), st.floats(0.1, 12))
def test_a_pixel_is_in_a_box_where_its_center_is(x: float, y: float, w: float, h: float) -> None:
    expected = np.array(
        [
            [x <= c + 0.5 < x + w and y <= r + 0.5 < y + h for c in range(SHAPE[1])]
            for r in range(SHAPE[0])
        ]
    )
    text = f"{x!r} {y!r} {w!r} {h!r}"
    beyond = max(-x, -y, x + w - SHAPE[1], y + h - SHAPE[0])
    if expected.any() and beyond <= 1:
        np.testing.assert_array_equal(decode_masks([text], SHAPE, "box"), expected)
    else:
        with pytest.raises(RleError, match="mask_outside"):
            check_text(text, SHAPE, "box")


def test_a_box_of_whole_pixels_has_its_area_and_boxes_unite() -> None:
    mask = decode_masks(["2 1 3 4", "2.0 1.0 3.0 4.0"], SHAPE, "box")
    assert mask.sum() == 12
    assert mask[1:5, 2:5].all()
    assert decode_masks(["2 1 3 4", "0 0 1 1"], SHAPE, "box").sum() == 13
    assert not decode_masks([], SHAPE, "box").any()


@given(st.integers(0, 2**32 - 1))
def test_a_picture_is_itself_and_of_no_other_shape(seed: int) -> None:
    mask = np.random.default_rng(seed).random(SHAPE) < 0.4
    text = picture_text(mask)
    if not mask.any():
        return
    np.testing.assert_array_equal(decode_masks([text], SHAPE, "picture"), mask)
    with pytest.raises(RleError, match="a mask of 7 x 9 pixels, the image has 9 x 7"):
        check_text(text, SHAPE[::-1], "picture")


def test_run_lengths_are_those_of_rle() -> None:
    mask = np.random.default_rng(1).random(SHAPE) < 0.4
    for form in rle.FORMS:
        text = rle.encode(mask, form)
        check_text(text, SHAPE, form)
        np.testing.assert_array_equal(decode_masks([text], SHAPE, form), mask)
    with pytest.raises(RleError):
        check_text("60 90", SHAPE, "relative")


def test_millimeters_become_pixels_by_the_spacing_of_each_axis() -> None:
    assert scale_box("10 20 4 6", row_mm=2.0, column_mm=0.5) == "20 10 8 3"


@pytest.mark.parametrize("text", ["1 2 3", "1 2 3 x", "1 2 0 4", "1 2 3 nan", ""])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(RleError, match="mask_not_numbers"):
        check_text(text, SHAPE, "box")
