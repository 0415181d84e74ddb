"""tests/study/test_placement.py: a place tells where every voxel of a stack lies, and has an affine
only where one holds."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from wetread.study.geometry import (
    affine_ijk_lps,
    affine_ijk_ras,
    are_orientations,
    off_line_mm,
    plane_numbers,
    tilt_parts,
    unit_axes,
)
from wetread.study.placement import series_placement, stack_placement

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]
AXIAL = np.array([1.0, 0, 0, 0, 1, 0])


def test_voxels_of_an_uneven_stack_have_their_own_places(
    write_series: WriteSeries, stack: Stack
) -> None:
    place = stack_placement(write_series(stack(4)[[0, 1, 3]]).sort("SOPInstanceUID"))
    index = np.array([[0, 0, 0], [1, 2, 4], [2, 5, 7]])
    expected = np.array([[-10, -20, 30], [-9, -19, 35], [-8.25, -17.5, 45]])
    np.testing.assert_allclose(place.position_of(index), expected)
    assert np.isnan(place.affine).all()


def test_images_are_placed_in_the_order_asked_for_and_strangers_nowhere(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = write_series(stack(4))
    ids = rows.sort("SOPInstanceUID")["SOPInstanceUID"].to_list()
    whole = stack_placement(rows.sort("SOPInstanceUID"))
    place = series_placement([ids[2], "9.9", ids[0]], rows)
    np.testing.assert_array_equal(place.origins_mm[[0, 2]], whole.origins_mm[[2, 0]])
    assert np.isnan(place.origins_mm[1]).all()


def test_an_affine_holds_for_positions_rounded_to_a_tenth(write_series: WriteSeries) -> None:
    z = np.round(np.arange(9) * 1.25, 1)
    place = stack_placement(
        write_series(np.stack([np.zeros(9), np.zeros(9), z], axis=1)).sort("SOPInstanceUID")
    )
    index = np.array([[k, 0, 0] for k in range(9)])
    by_affine = index @ place.affine[:3, :3].T + place.affine[:3, 3]
    np.testing.assert_allclose(by_affine, place.position_of(index), atol=0.1)


@pytest.mark.parametrize(("thickness", "step"), [(4, 4.0), (None, 1.0), (0, 1.0)])
def test_a_lone_slice_steps_by_its_thickness(
    write_series: WriteSeries, stack: Stack, thickness: int | None, step: float
) -> None:
    place = stack_placement(write_series(stack(1), {"SliceThickness": thickness}))
    np.testing.assert_allclose(place.affine[:3, 0], [0, 0, step])


def test_the_forms_of_an_affine_put_one_voxel_at_one_place() -> None:
    rng = np.random.default_rng(1)
    affine = np.vstack([rng.normal(size=(3, 4)), [0, 0, 0, 1]])
    place = affine @ [4, 7, 9, 1]  # z, y, x
    np.testing.assert_allclose(affine_ijk_lps(affine) @ [9, 7, 4, 1], place)
    np.testing.assert_allclose(affine_ijk_ras(affine) @ [9, 7, 4, 1], place * [-1, -1, 1, 1])


@pytest.mark.parametrize(("down", "across"), [(15.0, 0.0), (-7.5, 0.0), (0.0, 3.0), (4.0, -2.0)])
def test_the_signed_parts_of_a_tilt_are_recovered(down: float, across: float) -> None:
    leans = np.sin(np.radians([across, down]))
    step = 5 * np.array([*leans, np.sqrt(1 - (leans**2).sum())])
    np.testing.assert_allclose(tilt_parts(step, AXIAL), (down, across), atol=1e-9)


def test_only_what_leaves_the_line_is_beside_it() -> None:
    along = np.array([0, 4, 9, 10, 17.0])
    line = along[:, None] * np.array([0.1, -0.3, 1.0])
    np.testing.assert_allclose(off_line_mm(line, AXIAL), 0, atol=1e-9)
    line[2] += [3, 4, 0]
    np.testing.assert_allclose(off_line_mm(line, AXIAL), [0, 0, 5, 0, 0], atol=1e-9)


def test_directions_are_judged_alike_one_by_one_and_together() -> None:
    rng = np.random.default_rng(4)
    turns = rng.normal(size=(200, 6))
    turns[::2, 3:] = np.cross(turns[::2, :3], turns[::2, 3:])
    turns[::5, 3] += 2e-3
    turns[7] = 0
    turns[9, 2] = np.nan
    turns[11, 0] = np.inf

    def usable(turn: np.ndarray) -> bool:
        try:
            unit_axes(turn)
        except ValueError:
            return False
        return True

    with np.errstate(invalid="ignore"):
        expected = [usable(turn) for turn in turns]
    assert are_orientations(turns).tolist() == expected
    assert 0 < sum(expected) < 200


def test_planes_are_numbered_from_the_commonest() -> None:
    sagittal = np.array([0.0, 1, 0, 0, 0, -1])
    assert plane_numbers(np.stack([sagittal, AXIAL, AXIAL + 1e-4, sagittal, AXIAL])).tolist() == [
        1,
        0,
        0,
        1,
        0,
    ]
