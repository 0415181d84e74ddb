"""tests/study/test_geometry.py: positions, tilts and affines agree with closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.study.geometry import (
    affine_lps,
    along_normal,
    commonest_orientation,
    is_regular,
    step_vector,
    tilt_degrees,
    unit_axes,
)

AXIAL = np.array([1.0, 0, 0, 0, 1, 0])
ANGLES = st.floats(-3, 3)


def turned(a: float, b: float, c: float) -> np.ndarray:
    """(3, 3) a rotation by the three angles."""
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(z @ y @ x)


@given(angles=st.tuples(ANGLES, ANGLES, ANGLES), distances=st.lists(st.floats(0.1, 9), min_size=1))
def test_distances_along_the_normal_do_not_depend_on_how_the_patient_lies(
    angles: tuple[float, float, float], distances: list[float]
) -> None:
    rotation = turned(*angles)
    depth = np.concatenate([[0], np.cumsum(distances)])
    positions = depth[:, None] * rotation[:, 2] + rotation[:, 0] * np.sin(depth)[:, None]
    orientation = np.concatenate([rotation[:, 0], rotation[:, 1]])
    np.testing.assert_allclose(along_normal(positions, orientation), depth, atol=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 0.5, 15.0, 18.5])
def test_a_tilt_is_recovered(degrees: float) -> None:
    angle = np.radians(degrees)
    orientation = np.array([1, 0, 0, 0, np.cos(angle), -np.sin(angle)])
    assert tilt_degrees(np.array([0, 0, 5.0]), orientation) == pytest.approx(degrees, abs=1e-6)
    assert tilt_degrees(np.array([0, 0, -5.0]), orientation) == pytest.approx(degrees, abs=1e-6)


@given(angles=st.tuples(ANGLES, ANGLES, ANGLES), shear=st.floats(-2, 2), count=st.integers(2, 30))
def test_an_affine_puts_every_slice_where_its_header_says(
    angles: tuple[float, float, float], shear: float, count: int
) -> None:
    rotation = turned(*angles)
    step = rotation[:, 2] * 5 + rotation[:, 1] * shear
    positions = np.array([3.0, -7, 11]) + np.arange(count)[:, None] * step
    orientation = np.concatenate([rotation[:, 0], rotation[:, 1]])
    affine = affine_lps(orientation, (0.5, 0.25), positions, 5.0)
    for z in range(count):
        np.testing.assert_allclose(affine @ [z, 0, 0, 1], [*positions[z], 1], atol=1e-9)
    corner = positions[0] + 2 * 0.5 * rotation[:, 1] + 3 * 0.25 * rotation[:, 0]
    np.testing.assert_allclose(affine @ [0, 2, 3, 1], [*corner, 1], atol=1e-9)


def test_one_slice_has_the_step_of_its_thickness() -> None:
    affine = affine_lps(AXIAL, (0.5, 0.25), np.zeros((1, 3)), 4.0)
    np.testing.assert_allclose(affine @ [1, 0, 0, 1], [0, 0, 4, 1])


def test_rounded_positions_are_regular_and_a_missing_slice_is_not() -> None:
    z = np.round(np.arange(9) * 1.25, 1)
    positions = np.stack([np.zeros(9), np.zeros(9), z], axis=1)
    assert is_regular(positions)
    assert not is_regular(np.delete(positions, 4, axis=0))
    np.testing.assert_allclose(step_vector(positions), [0, 0, 1.25])


@pytest.mark.parametrize("bad", [[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0], [1, 0, 0, 0.1, 1, 0]])
def test_directions_that_are_not_at_right_angles_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="0020,0037"):
        unit_axes(np.array(bad))


def test_the_orientation_that_most_slices_share_wins() -> None:
    sagittal = np.array([0.0, 1, 0, 0, 0, -1])
    assert commonest_orientation(np.stack([sagittal, AXIAL, AXIAL + 1e-4, AXIAL])) == 1
