"""tests/anatomy/test_thorax.py: air in a body is its own; the room's and the bed's are not."""

import numpy as np

from wetread.anatomy.thorax import air_inside, middle_column

SPACING_MM = (2.0, 2.0, 2.0)


def body_with_a_lung() -> np.ndarray:
    """(1, 40, 60) HU: a body of rows 8 to 32 and columns 10 to 50, a lung of 12 x 10 pixels."""
    blocks = np.full((1, 40, 60), -1000.0, np.float32)
    blocks[0, 8:32, 10:50] = 40.0
    blocks[0, 14:26, 15:25] = -850.0
    return blocks


def test_the_air_of_the_body_is_found_and_the_rooms_is_not() -> None:
    blocks = body_with_a_lung()
    expected = np.zeros(blocks.shape, bool)
    expected[0, 14:26, 15:25] = True
    assert np.array_equal(air_inside(blocks, SPACING_MM), expected)


def test_air_under_a_thin_bed_is_no_air_of_the_body() -> None:
    blocks = body_with_a_lung()
    blocks[0, 36:37, 5:55] = 200.0  # a sheet below the body, thinner than any bridge
    assert np.array_equal(
        air_inside(blocks, SPACING_MM), air_inside(body_with_a_lung(), SPACING_MM)
    )


def test_the_threshold_says_what_is_air() -> None:
    blocks = body_with_a_lung()
    blocks[0, 14:26, 15:20] = -500.0
    assert air_inside(blocks, SPACING_MM).sum() == 120
    assert air_inside(blocks, SPACING_MM, threshold_hu=-600.0).sum() == 60


def test_the_middle_is_that_of_the_tissue_and_of_the_picture_where_there_is_none() -> None:
    assert middle_column(body_with_a_lung()) == (10 + 49) / 2
    assert middle_column(np.full((2, 4, 30), -1000.0, np.float32)) == 15.0
