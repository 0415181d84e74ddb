"""tests/anatomy/test_grid.py: slices come onto straight cubes and back, each at its own place."""

import numpy as np
import pytest
from scipy import ndimage

from wetread.anatomy.grid import (
    FAR_MM,
    ball_closing,
    ball_opening,
    distance_mm,
    grid_over,
    largest_component,
    require_place,
    resample_to_grid,
    resample_to_slices,
    signed_distance_mm,
)
from wetread.archive.rejects import RejectError

UNEVEN = np.cumsum([0, 4, 4, 4, 1.08, 7, 7, 7])
ALONG = (0.3, -0.2, 0.5)  # of a field that is linear in space, per mm


def sloped(place, shape) -> np.ndarray:
    """(Z, Y, X) a field that is linear in space."""
    index = np.stack(list(np.indices(shape)), axis=-1)
    return (place.position_of(index) @ np.array(ALONG)).astype(np.float32)


@pytest.mark.parametrize("tilt", [0.0, 18.5])
def test_a_field_linear_in_space_comes_back_as_it_was(stack, tilt) -> None:
    place, shape = stack(UNEVEN, tilt, (0.7, 0.5)), (8, 60, 90)
    field = sloped(place, shape)
    grid = grid_over(place, shape[1:], 2.0)
    back = np.stack(list(resample_to_slices(grid, resample_to_grid(grid, field, lambda one: one))))
    inner = (slice(1, -1), slice(15, -15), slice(15, -15))  # beyond the edge nothing is known
    assert np.abs(back - field)[inner].max() < 0.3  # of 0.5 a mm, where distances change


def test_cubes_of_a_sheared_stack_lie_on_one_normal(stack) -> None:
    place = stack(np.arange(0, 60, 3.0), 20.0)
    rod = np.zeros((20, 80, 40), np.float32)
    down = place.positions_mm * np.tan(np.radians(20.0))  # where the normal through row 40 is
    for picture, shift in zip(rod, down, strict=True):
        picture[round(40 + shift)] = 1
    grid = grid_over(place, (80, 40), 2.0)
    rows = resample_to_grid(grid, rod, lambda one: one)[:, :, 10].argmax(axis=1)
    assert np.ptp(rows) <= 1


def test_the_mean_over_cubes_keeps_what_there_is(stack) -> None:
    place = stack(np.arange(0, 40, 1.0), 0.0, (0.5, 0.5))
    inside = np.zeros((40, 80, 80), bool)
    inside[10:30, 20:60, 24:64] = True
    grid = grid_over(place, (80, 80), 2.0)
    mm3 = resample_to_grid(grid, inside, lambda one: one).sum() * 2.0**3
    assert mm3 == pytest.approx(inside.sum() * 0.25, rel=0.02)


def test_opening_and_closing_are_those_of_a_ball() -> None:
    rng = np.random.default_rng(4)
    inside = ndimage.gaussian_filter(rng.normal(size=(24, 26, 28)), 2) > 0.02
    reach = np.indices((7, 7, 7)) - 3
    ball = (reach**2).sum(axis=0) * 2.0**2 <= 5.0**2
    middle = (slice(7, -7),) * 3  # SciPy takes what lies beyond as empty
    expected = ndimage.binary_opening(inside, ball)
    assert np.array_equal(ball_opening(inside, 5.0, 2.0)[middle], expected[middle])
    expected = ndimage.binary_closing(inside, ball)
    assert np.array_equal(ball_closing(inside, 5.0, 2.0)[middle], expected[middle])


def test_nothing_is_far_from_everything() -> None:
    assert (distance_mm(np.zeros((2, 3, 4), bool), 1.0) == FAR_MM).all()


def test_the_level_is_nought_between_inside_and_outside() -> None:
    inside = np.zeros((9, 9, 9), bool)
    inside[3:6, 3:6, 3:6] = True
    level = signed_distance_mm(inside, 2.0)
    assert level[4, 4, [1, 2, 3, 4, 5, 6, 7]].tolist() == [-3, -1, 1, 3, 1, -1, -3]


def test_the_largest_part_is_the_one_with_most_cubes() -> None:
    two = np.zeros((5, 5, 5), bool)
    two[0, 0, :2] = two[3:, 3:, 3:] = True
    assert largest_component(two).sum() == 8
    assert not largest_component(np.zeros((2, 2, 2), bool)).any()


def test_a_volume_without_a_place_is_refused(stack, to_volume) -> None:
    place = stack([0, 1, 2])
    place.origins_mm[1] = np.nan
    with pytest.raises(RejectError, match="no_geometry"):
        require_place(to_volume(np.zeros((3, 4, 4)), place))
    with pytest.raises(RejectError, match="no_geometry"):
        require_place(to_volume(np.zeros((2, 4, 4)), stack([5, 5])))
