"""tests/phantoms/shapes/test_balls.py: balls cover their volume, within the lattice."""

import numpy as np
import pytest

from wetread.phantoms.shapes.balls import Lattice, cover_balls, empty_cover


def test_a_ball_covers_its_volume() -> None:
    lattice = Lattice((-10.0, -10.0, -10.0), (0.5, 0.5, 0.5), (41, 41, 41))
    cover = empty_cover(lattice)
    cover_balls(cover, lattice, np.zeros((1, 3), np.float32), np.array([6.0], np.float32))
    volume = cover.sum() / 255 * 0.5**3
    assert volume == pytest.approx(4 / 3 * np.pi * 6**3, rel=0.02)


def test_a_ball_beyond_the_lattice_covers_nothing() -> None:
    lattice = Lattice((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (8, 8, 8))
    cover = empty_cover(lattice)
    cover_balls(cover, lattice, np.full((1, 3), 40.0, np.float32), np.array([3.0], np.float32))
    assert not cover.any()
