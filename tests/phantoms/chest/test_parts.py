"""tests/phantoms/chest/test_parts.py: every point of a plane has one part, on its own side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.chest.lesions import Effusion, Lesions
from wetread.phantoms.chest.organs import draw_organs
from wetread.phantoms.chest.parts import AxialPlane, ChestBody, ChestPart, plane_at
from wetread.phantoms.chest.plane import PlanePoints
from wetread.phantoms.shapes.implicit import draw_waves

X = np.arange(-220, 221, 3, dtype=np.float32)
Y = np.arange(-150, 151, 3, dtype=np.float32)


@pytest.fixture(scope="module")
def body() -> ChestBody:
    rng = np.random.default_rng(5)
    chest = draw_chest(rng, False, 50)
    return ChestBody(chest, draw_organs(rng, chest), Lesions(), False, draw_waves(rng, 8, 60))


def plane(body: ChestBody, z: float) -> AxialPlane:
    return plane_at(body, PlanePoints(X, Y, z))


@pytest.mark.parametrize("z", [-60.0, 0.0, 40.0, 90.0])
def test_lungs_lie_on_their_side_and_nothing_else_has_a_side(body: ChestBody, z: float):
    found = plane(body, z)
    lung = found.part == ChestPart.LUNG
    assert np.array_equal(found.side != 0, lung)
    columns = np.broadcast_to(X, lung.shape)
    assert columns[found.side == -1].max() < 15
    assert columns[found.side == 1].min() > -15
    assert (lung[:, X < 0].any(), lung[:, X > 0].any()) == (True, True)


def test_the_room_surrounds_skin_and_skin_surrounds_the_rest(body: ChestBody):
    x, y = (np.arange(-reach, reach, 1.5, dtype=np.float32) for reach in (220, 160))
    fine = PlanePoints(x, y, 0.0)
    part = plane_at(body, fine).part
    edges = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    assert (edges == ChestPart.ROOM).all()
    for row in part[::10]:
        own = np.flatnonzero(row != ChestPart.ROOM)
        if len(own):
            assert row[own[0]] == row[own[-1]] == ChestPart.SKIN


def test_organs_lie_at_their_heights(body: ChestBody):
    by_height = {z: set(np.unique(plane(body, z).part)) for z in (-100.0, 0.0, 80.0)}
    assert ChestPart.LIVER in by_height[-100.0]
    assert ChestPart.LIVER not in by_height[80.0]
    assert {ChestPart.HEART, ChestPart.VESSEL, ChestPart.AIRWAY} <= by_height[0.0] | by_height[80.0]
    assert ChestPart.AIRWAY in by_height[80.0]
    assert all({ChestPart.CORTEX, ChestPart.CORD} <= parts for parts in by_height.values())


def test_fluid_takes_the_back_of_its_lung(body: ChestBody):
    wet = replace(body, lesions=Lesions(effusions=(Effusion(-1, 20.0, 60.0, 8.0),)))
    dry, found = plane(body, 0.0), plane(wet, 0.0)
    fluid = found.part == ChestPart.EFFUSION
    assert fluid.any()
    assert (dry.part[fluid] == ChestPart.LUNG).all()
    assert (dry.side[fluid] == -1).all()
    rows = np.broadcast_to(Y[:, None], fluid.shape)
    assert rows[fluid].mean() > rows[found.side == -1].mean() + 20
