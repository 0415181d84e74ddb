"""tests/phantoms/shapes/test_chords.py: lengths along a line are those of geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.radiograph.exposure import (
    Beam,
    sight,
)
from wetread.phantoms.shapes.chords import (
    Chord,
    ellipsoid_chord,
    hull_chord,
    inside_chord,
    length_outside,
    rod_chord,
    signed_depth,
    thickness,
)

STRAIGHT = Beam("PA", False, 1e9, 0.0, 0.0, 0.0, (0.0, 0.0), 2.0, 160)


DEPTHS = np.arange(-150, 150, 0.5, dtype=np.float32)[:, None, None]


def coarse() -> tuple[np.ndarray, np.ndarray]:
    beam = replace(STRAIGHT, size=40, pixel_mm=8.0)
    return sight(beam, 0.0)


def test_a_chord_is_as_long_as_its_implicit_function_is_negative():
    x, z = coarse()
    for chord in (
        ellipsoid_chord(x, z, (10.0, -5.0, 4.0), (60.0, 40.0, 25.0), 0.5),
        rod_chord(x, z, (-60.0, 10.0, -40.0, 14.0), (50.0, 30.0, 60.0, 22.0)),
    ):
        counted = (signed_depth(chord, DEPTHS) < 0).sum(axis=0) * 0.5
        assert np.abs(counted - thickness(chord)).max() <= 0.75


def test_an_ellipsoid_has_the_volume_of_the_closed_form():
    x, z = sight(STRAIGHT, 0.0)
    radii = (60.0, 40.0, 25.0)
    volume = thickness(ellipsoid_chord(x, z, (0.0, 0.0, 0.0), radii, 0.7)).sum() * 2.0 * 2.0
    assert volume == pytest.approx(4 / 3 * np.pi * np.prod(radii), rel=0.005)


def test_length_without_two_solids_counts_their_overlap_once():
    rng = np.random.default_rng(0)
    draw = [Chord(*np.sort(rng.uniform(-100, 100, (2, 50, 1)), axis=0)) for _ in range(3)]
    inside = [signed_depth(c, DEPTHS) < 0 for c in draw]
    counted = (inside[0] & ~inside[1] & ~inside[2]).sum(axis=0) * 0.5
    assert np.abs(counted - length_outside(*draw)).max() <= 1.5


def test_the_hull_of_a_missed_solid_is_the_other():
    x, z = coarse()
    here = ellipsoid_chord(x, z, (0.0, 20.0, 0.0), (50.0, 30.0, 50.0))
    missed = ellipsoid_chord(x, z, (9e3, -90.0, 0.0), (5.0, 5.0, 5.0))
    assert np.array_equal(thickness(hull_chord(here, missed)), thickness(here))


def test_a_point_lies_inside_a_chord_where_its_implicit_function_is_negative():
    front = np.array([-3.0, 2, 5, 0], np.float32)
    chord = Chord(front, np.array([4.0, 2, 1, 9], np.float32))
    y = np.arange(-10, 12, 0.5, dtype=np.float32)[:, None]
    assert np.array_equal(inside_chord(chord, y), signed_depth(chord, y) < 0)
    assert not inside_chord(chord, y)[:, 1:3].any()  # lines that miss it
