"""tests/anatomy/test_mask.py: a mask knows its millilitres and where it lies on any slices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.anatomy.mask import Mask, slabs_mm, volume_ml
from wetread.study.placement import SlicePlacement

CENTER = np.array([40.0, 35.0, 30.0])
FINE = np.arange(0, 75, 1.0)
UNEVEN = np.cumsum([0, *[1.3] * 12, 0.4, *[2.6] * 25])


def ellipsoid(place: SlicePlacement, radii_mm: tuple[float, float, float], size: int) -> np.ndarray:
    """(Z, size, size) bool: voxels whose center lies within, about CENTER."""
    index = np.stack(list(np.indices((len(place.origins_mm), size, size))), axis=-1)
    off = (place.position_of(index) - CENTER) / radii_mm
    return np.asarray((off**2).sum(axis=-1) <= 1)


@pytest.mark.parametrize("tilt", [0.0, 18.5])
@pytest.mark.parametrize("along", [FINE, UNEVEN], ids=["even", "uneven"])
def test_an_ellipsoid_holds_its_closed_form_in_ml(stack, along, tilt) -> None:
    place = stack(along, tilt, (0.5, 0.5), (0, 0, 10 * (tilt > 0)))
    radii = (25.0, 20.0, 22.0)
    found = Mask("ball", ellipsoid(place, radii, 170), place).volume_ml
    assert found == pytest.approx(4 / 3 * np.pi * np.prod(radii) / 1000, rel=0.01)


def test_slices_count_half_way_to_their_neighbors(stack) -> None:
    assert slabs_mm(stack([0, 4, 8, 9, 16])).tolist() == [4, 4, 2.5, 4, 7]


def test_a_lone_slice_counts_its_thickness(stack) -> None:
    one = Mask("one", np.ones((1, 10, 20), bool), stack([7], 0, (2.0, 1.0)))
    assert one.volume_ml == pytest.approx(10 * 2.0 * 20 * 1.0 * 5.0 / 1000)


@given(st.integers(0, 4), st.integers(0, 6), st.integers(0, 5), st.integers(1, 3))
def test_the_box_ends_after_the_last_voxel(z: int, row: int, column: int, size: int) -> None:
    inside = np.zeros((8, 10, 9), bool)
    inside[z : z + size, row : row + size, column : column + size] = True
    place = SlicePlacement(np.zeros((8, 3)), np.array([1, 0, 0, 0, 1, 0.0]), (1, 1), np.ones(8))
    box = (z, z + size, row, row + size, column, column + size)
    assert Mask("cube", inside, place).box == box


def test_the_box_in_mm_holds_every_voxel_of_a_sheared_stack(stack) -> None:
    place = stack(UNEVEN, 15.0, (0.5, 0.8), (-3, 4, 5))
    mask = Mask("ball", ellipsoid(place, (12, 14, 13), 110), place)
    z0, z1, row0, row1, column0, column1 = mask.box
    index = np.stack(list(np.indices(mask.inside.shape)), axis=-1)[
        z0:z1, row0:row1, column0:column1
    ]
    every = place.position_of(index).reshape(-1, 3)
    assert mask.box_mm == pytest.approx(np.stack([every.min(axis=0), every.max(axis=0)]))


def test_an_empty_mask_has_no_volume_and_no_box(stack) -> None:
    empty = Mask("none", np.zeros((3, 4, 5), bool), stack([0, 1, 2]))
    assert (empty.volume_ml, empty.box, empty.box_mm) == (0.0, (0,) * 6, None)


def test_pixels_of_uneven_slices_are_millilitres_by_hand(stack) -> None:
    place = stack([0, 4, 8, 9, 16], 0, (0.5, 0.25))
    by_hand = (3 * 4 + 5 * 4 + 2 * 2.5 + 0 + 1 * 7) * 0.5 * 0.25 / 1000
    assert volume_ml([3, 5, 2, 0, 1], place) == pytest.approx(by_hand)
