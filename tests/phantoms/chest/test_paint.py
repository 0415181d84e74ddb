"""tests/phantoms/chest/test_paint.py: parts get the HU of their tissue, and bones too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.chest.lesions import Consolidation, Lesions, Nodule
from wetread.phantoms.chest.organs import draw_organs
from wetread.phantoms.chest.paint import (
    HU_OF,
    RIB_HU,
    TissueTexture,
    draw_texture,
    paint_plane,
)
from wetread.phantoms.chest.parts import ChestBody, ChestPart, plane_at
from wetread.phantoms.chest.plane import PlanePoints
from wetread.phantoms.chest.skeleton import Skeleton
from wetread.phantoms.shapes.implicit import draw_waves

POINTS = PlanePoints(
    np.arange(-210, 211, 3, dtype=np.float32), np.arange(-140, 171, 3, dtype=np.float32), 10.0
)
SHAPE = (len(POINTS.y), len(POINTS.x))
NO_BONES = Skeleton(*(np.zeros(SHAPE, np.uint8) for _ in range(3)))


@pytest.fixture(scope="module")
def person() -> tuple[ChestBody, TissueTexture]:
    rng = np.random.default_rng(5)
    chest = draw_chest(rng, False, 50)
    body = ChestBody(chest, draw_organs(rng, chest), Lesions(), False, draw_waves(rng, 8, 60))
    return body, draw_texture(rng)


def test_every_part_has_a_value_and_tissue_keeps_near_it(person: tuple[ChestBody, TissueTexture]):
    body, texture = person
    assert set(HU_OF) == set(ChestPart)
    plane = plane_at(body, POINTS)
    hu = paint_plane(body, texture, plane, POINTS, NO_BONES)
    for part in (ChestPart.FAT, ChestPart.MUSCLE, ChestPart.MEDIASTINUM):
        assert np.median(hu[plane.part == part]) == pytest.approx(HU_OF[part], abs=8)
    lung = hu[plane.part == ChestPart.LUNG]
    assert -920 < np.median(lung) < -780
    assert hu.shape == SHAPE
    assert hu.dtype == np.float32


def test_covers_of_bone_are_mixed_in(person: tuple[ChestBody, TissueTexture]):
    body, texture = person
    plane = plane_at(body, POINTS)
    spot = np.zeros(SHAPE, np.uint8)
    spot[tuple(np.argwhere(plane.part == ChestPart.LUNG)[50])] = 255
    plain = paint_plane(body, texture, plane, POINTS, NO_BONES)
    rib = paint_plane(body, texture, plane, POINTS, replace(NO_BONES, bone=spot))
    assert rib[spot > 0] == pytest.approx(RIB_HU * body.chest.bone, abs=1)
    assert np.array_equal(rib[spot == 0], plain[spot == 0])


def test_nodules_and_consolidation_are_denser_than_lung_and_nothing_else_changes(
    person: tuple[ChestBody, TissueTexture],
):
    body, texture = person
    plane = plane_at(body, POINTS)
    plain = paint_plane(body, texture, plane, POINTS, NO_BONES)
    nodule = Nodule((-80.0, 0.0, 10.0), 9.0, 30.0)
    strip = Consolidation(1, 10.0, 30.0, 30.0, 35.0, texture.lobules, False)
    sick = replace(body, lesions=Lesions((nodule,), (strip,)))
    hu = paint_plane(sick, texture, plane, POINTS, NO_BONES)
    changed = hu != plain
    assert (plane.part[changed] == ChestPart.LUNG).all()
    assert set(plane.side[changed]) == {-1, 1}
    assert hu[changed].max() > 20
    row, column = np.abs(POINTS.y).argmin(), np.abs(POINTS.x + 80).argmin()
    assert hu[row, column] == pytest.approx(30, abs=2)


def test_lung_is_denser_towards_the_back(person: tuple[ChestBody, TissueTexture]):
    body, texture = person
    plane = plane_at(body, POINTS)
    hu = paint_plane(body, texture, plane, POINTS, NO_BONES)
    lung = plane.part == ChestPart.LUNG
    rows = np.broadcast_to(POINTS.y[:, None], SHAPE)
    assert hu[lung & (rows > 40)].mean() > hu[lung & (rows < -20)].mean() + 10
