"""tests/phantoms/shapes/test_clouds.py: clouds hold the volume of what they are made of."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.shapes.clouds import shell_cloud, tube_cloud


def test_clouds_keep_the_volume_of_tubes():
    curve = np.stack([np.linspace(-50, 50, 200), np.zeros(200), np.zeros(200)], axis=1)
    radius = np.full((1, 200), 4.0)
    assert tube_cloud(curve[None], radius, 9).mass.sum() == pytest.approx(
        np.pi * 16 * 100, rel=0.01
    )
    outward = np.broadcast_to([0.0, 1.0, 0.0], curve.shape)
    halves = (np.full(200, 6.0), np.full(200, 6.0))
    wall = shell_cloud(curve, outward, halves, np.full(200, 0.5), 24)
    assert wall.mass.sum() == pytest.approx(2 * np.pi * 6 * 0.5 * 100, rel=0.01)
