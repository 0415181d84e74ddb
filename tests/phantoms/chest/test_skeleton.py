"""tests/phantoms/chest/test_skeleton.py: marrow lies in bone, the canal behind the body."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.bones import VERTEBRA_MM
from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.chest.skeleton import cover_bones, draw_bones, spine_planes, sternum_plane
from wetread.phantoms.shapes.balls import Lattice

LATTICE = Lattice((-60.0, -130.0, -170.0), (12.0, 2.6, 2.6), (10, 100, 130))


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def test_marrow_lies_in_bone_and_cartilage_in_front(chest: Chest):
    skeleton = cover_bones(draw_bones(chest, 1.0), LATTICE)
    assert (skeleton.bone[skeleton.marrow > 200] > 200).all()
    assert 0 < (skeleton.marrow > 127).sum() < (skeleton.bone > 127).sum()
    y = LATTICE.along(1)
    rows = np.nonzero(skeleton.cartilage > 127)[1]
    assert y[rows].mean() < -20
    plane = skeleton.plane(4)
    assert np.array_equal(plane.bone, skeleton.bone[4])


def test_ribs_are_cut_in_pairs_on_both_sides(chest: Chest):
    skeleton = cover_bones(draw_bones(chest, 1.0), LATTICE)
    columns = np.nonzero(skeleton.bone > 127)[2]
    x = LATTICE.along(2)[columns]
    assert np.mean(x < 0) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7])
def test_the_canal_is_free_of_bone_and_lies_behind_the_body(chest: Chest, share: float):
    z = VERTEBRA_MM * (1 + share)
    x, y = np.meshgrid(np.arange(-40, 41, 0.5), np.arange(25, 111, 0.5))
    bone, canal, disc = spine_planes(chest, x, y, z)
    assert not ((bone < 0) & (canal < 0)).any()
    assert y[canal < 0].mean() > y[disc < 0].mean() + 10
    assert (canal < 0).sum() * 0.25 == pytest.approx(np.pi * 8**2, rel=0.6)


def test_a_disc_takes_the_bodys_place_between_vertebrae(chest: Chest):
    x, y = np.meshgrid(np.arange(-20, 21, 1.0), np.arange(35, 60, 1.0))
    bodies = []
    for share in (0.02, 0.5):
        bone, _, disc = spine_planes(chest, x, y, VERTEBRA_MM * (2 + share) - 400 % VERTEBRA_MM)
        bodies.append((bone < 0)[disc < 0].mean())
    assert bodies[0] < 0.2 < bodies[1]


def test_the_sternum_ends_below_the_neck_and_above_the_belly(chest: Chest):
    x, y = np.meshgrid(np.arange(-40, 41, 1.0), np.arange(-140, 0, 1.0))
    areas = {z: (sternum_plane(chest, x, y, z) < 0).sum() for z in (-90.0, 0.0, 80.0, 110.0)}
    assert areas[-90.0] == areas[110.0] == 0
    assert 0 < areas[0.0] < areas[80.0]  # the manubrium is wider
