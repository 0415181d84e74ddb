"""tests/phantoms/angiogram/test_paint.py: what is painted is covered, in place and by kind."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.angiogram.arteries import MAIN, Branches, draw_arteries
from wetread.phantoms.angiogram.emboli import FULL, Clot
from wetread.phantoms.angiogram.exam import ACUTE, CHRONIC
from wetread.phantoms.angiogram.paint import (
    CENTRAL,
    LEFT,
    OLD,
    RIGHT,
    ClotStretch,
    clot_stretches,
    join_clot,
)
from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.shapes.slab import RodFrame, Slab


@pytest.fixture(scope="module")
def tree() -> Branches:
    rng = np.random.default_rng(2)
    return draw_arteries(rng, draw_chest(rng, False, 60), 27.0)


@pytest.fixture(scope="module")
def slab() -> Slab:
    x, y, z = (
        np.arange(*reach, 3, dtype=np.float32) for reach in ((-120, 121), (-90, 91), (-80, 81))
    )
    return Slab(z, y, x, np.zeros((len(z), len(y), len(x)), np.float32))


def clot_in(branch: int, age: str = ACUTE) -> Clot:
    return Clot(FULL, age, 33.0, 1.0, 0.0, (1.0, 0.0, 0.0), 1.0, 0.0, ((branch, 0.0, 1.0),))


def first(tree: Branches, level: int, side: int) -> int:
    return int(np.flatnonzero((tree.level == level) & (tree.side == side))[0])


def test_bits_follow_side_level_and_age(tree: Branches, slab: Slab):
    for side, bit in ((-1, RIGHT), (1, LEFT)):
        main, lobar = first(tree, MAIN, side), first(tree, MAIN + 2, side)
        kinds = []
        for branch, age in ((main, ACUTE), (lobar, CHRONIC)):
            (stretch,) = clot_stretches(slab, tree, tree.radius, clot_in(branch, age))
            kinds.append(stretch.bits)
        assert kinds == [bit | CENTRAL, bit | OLD]


def test_a_full_clot_has_about_the_volume_of_its_branch(tree: Branches, slab: Slab):
    branch = first(tree, MAIN, -1)
    (stretch,) = clot_stretches(slab, tree, tree.radius, clot_in(branch))
    volume = stretch.share.sum() * 3.0**3
    radius = float(tree.radius[branch])
    assert stretch.length == pytest.approx(
        float(np.linalg.norm(tree.end[branch] - tree.start[branch]))
    )
    assert volume == pytest.approx(np.pi * radius**2 * stretch.length, rel=0.5)
    assert slab.hu[stretch.box].shape == stretch.share.shape


def test_a_clot_outside_the_slab_has_no_stretch(tree: Branches):
    far = np.arange(500, 530, 3, dtype=np.float32)
    slab = Slab(far, far, far, np.zeros((10, 10, 10), np.float32))
    assert not list(clot_stretches(slab, tree, tree.radius, clot_in(3)))


def test_a_voxel_belongs_to_the_clot_that_fills_it_most():
    shares, kinds = np.zeros((1, 1, 3), np.float32), np.zeros((1, 1, 3), np.uint8)
    box = (slice(0, 1), slice(0, 1), slice(0, 3))
    frame = RodFrame(shares, shares, (shares, shares, shares), np.array([0.0, 0, 1]))
    for share, bits in (([0.2, 0.9, 0.0], LEFT), ([0.5, 0.4, 0.0], LEFT | OLD)):
        part = np.array([[share]], np.float32)
        join_clot(shares, kinds, ClotStretch(box, part, bits, frame, 1.0))
    assert shares[0, 0].tolist() == pytest.approx([0.5, 0.9, 0.0])
    assert kinds[0, 0].tolist() == [LEFT | OLD, LEFT, 0]
