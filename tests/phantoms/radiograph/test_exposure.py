"""tests/phantoms/radiograph/test_exposure.py: points and planes are projected alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.radiograph.exposure import (
    Beam,
    magnify,
    project,
    sight,
    splat,
)
from wetread.phantoms.shapes.clouds import Cloud

STRAIGHT = Beam("PA", False, 1e9, 0.0, 0.0, 0.0, (0.0, 0.0), 2.0, 160)


def test_splatting_loses_nothing_and_puts_points_where_they_are():
    rng = np.random.default_rng(0)
    row, column = rng.uniform(5, 55, (2, 500))
    weight = rng.random(500)
    picture = splat(row, column, weight, 64)
    assert picture.sum() == pytest.approx(weight.sum(), rel=1e-5)
    rows, columns = np.indices(picture.shape)
    assert (picture * rows).sum() / picture.sum() == pytest.approx(
        np.average(row, weights=weight), abs=0.05
    )
    assert (picture * columns).sum() / picture.sum() == pytest.approx(
        np.average(column, weights=weight), abs=0.05
    )


def test_what_lies_nearer_to_the_source_is_larger_and_solids_and_points_agree():
    ap = replace(STRAIGHT, view="AP", source_mm=1000.0)
    assert magnify(ap, -100.0) == pytest.approx(1000 / 900)
    assert magnify(replace(ap, view="PA"), -100.0) == pytest.approx(1000 / 1100)
    tilted = replace(ap, tilt=0.1, yaw=0.08, roll=0.1, center=(4.0, -9.0))
    for y in (-80.0, 0.0, 60.0):
        x, z = sight(tilted, y)
        at = (50, 101)
        point = np.array([[x[at], y, z[at]]], np.float32)
        collapsed = project(tilted, Cloud(point, np.ones(1, np.float32)))
        assert np.array_equal(np.unravel_index(int(collapsed.argmax()), collapsed.shape), at)
