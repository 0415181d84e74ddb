"""tests/phantoms/shapes/test_rods.py: many rods at once fill what each of them fills, in their
order."""

from __future__ import annotations

import numpy as np

from wetread.phantoms.shapes import rods as rods_module
from wetread.phantoms.shapes.rods import Rods, blend_covered, cover_rods, paint_rods
from wetread.phantoms.shapes.slab import Slab, paint_rod


def empty() -> Slab:
    x, y, z = (
        np.arange(-reach, reach, step, dtype=np.float32)
        for reach, step in ((40, 1.5), (30, 1.5), (25, 4))
    )
    return Slab(z, y, x, np.full((len(z), len(y), len(x)), -850, np.float32))


def drawn(count: int) -> tuple[Rods, np.ndarray]:
    """Some cross, some leave the slab, some lie outside, some lie in a plane or across it."""
    rng = np.random.default_rng(5)
    start = rng.uniform(-50, 50, (count, 3)).astype(np.float32)
    end = start + rng.normal(0, 12, (count, 3)).astype(np.float32)
    end[::7, 2], end[::5, :2] = start[::7, 2], start[::5, :2]
    end[::35] += 1
    radius = rng.uniform(0.3, 5, count).astype(np.float32)
    return Rods(start, end, radius), rng.uniform(-900, 600, count)


def test_many_rods_at_once_are_those_painted_one_after_another():
    once, singly = empty(), empty()
    rods, hu = drawn(140)
    paint_rods(once, rods, hu)
    for start, end, radius, value in zip(*rods, hu, strict=True):
        paint_rod(singly, start, end, (float(radius),) * 2, float(value))
    assert (singly.hu != -850).mean() > 0.1
    np.testing.assert_allclose(once.hu, singly.hu, atol=0.01)


def test_where_rods_cross_the_last_one_lies_on_top():
    slab = empty()
    ends = np.array([[-20.0, 0, 0], [0, -20, 0]], np.float32)
    rods = Rods(ends, -ends, np.array([4.0, 3.0], np.float32))
    paint_rods(slab, rods, np.array([100.0, 300.0]))
    middle = len(slab.z) // 2, len(slab.y) // 2, len(slab.x) // 2
    assert slab.hu[middle] == 300
    assert slab.hu[middle[0], middle[1], middle[2] - 6] == 100


def test_what_rods_touch_does_not_depend_on_how_many_voxels_are_asked_in_one_go(monkeypatch):
    slab, (rods, _) = empty(), drawn(60)
    whole = cover_rods(slab, rods)
    monkeypatch.setattr(rods_module, "VOXELS_AT_ONCE", 50)
    pieces = cover_rods(slab, rods)
    for one, other in zip(whole, pieces, strict=True):
        assert np.array_equal(one, other)
    assert len(np.unique(whole.rod)) > 20


def test_no_rod_and_rods_beside_the_slab_touch_nothing():
    slab = empty()
    before = slab.hu.copy()
    for rods in (
        Rods(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0)),
        Rods(np.full((2, 3), 200.0), np.full((2, 3), 220.0), np.ones(2)),
    ):
        touched = cover_rods(slab, rods)
        assert not len(touched.voxel)
        blend_covered(slab, touched, np.zeros(0, np.float32))
        paint_rods(slab, rods, np.zeros(len(rods.radius)))
    assert np.array_equal(slab.hu, before)
