"""phantoms/shapes/chords.py: solids as the stretch that a line along y spends in them, mm.

A chord is a solid of three dimensions: (x, y, z) lies in it where front(x, z) < y < back(x, z).
So its thickness in a radiograph is exact, and a CT samples it as an implicit function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, FloatArray
from wetread.phantoms.types import Knot, Point


@dataclass(frozen=True, eq=False)
class Chord:
    """Where lines along y enter and leave a solid, mm, any shape; back <= front: missed."""

    front: FloatArray
    back: FloatArray


def thickness(chord: Chord) -> FloatArray:
    """Compute the length in the solid, same shape, mm, at least 0."""
    length: FloatArray = np.maximum(chord.back - chord.front, 0)
    return length


def signed_depth(chord: Chord, y: FloatArray) -> FloatArray:
    """Evaluate the implicit function at y, mm, any shape that broadcasts: distance along y."""
    inside: FloatArray = np.maximum(chord.front - y, y - chord.back)
    return inside


def inside_chord(chord: Chord, y: FloatArray) -> BoolArray:
    """Test whether y, mm, any shape that broadcasts, lies within; False on lines that miss."""
    found: BoolArray = (chord.front < y) & (y < chord.back)
    return found


def intersect(a: Chord, b: Chord) -> Chord:
    """Intersect two solids, exactly."""
    return Chord(np.maximum(a.front, b.front), np.minimum(a.back, b.back))


def hull_chord(a: Chord, b: Chord) -> Chord:
    """Span the first entry to the last exit: both solids and the space between them."""
    misses_a, misses_b = a.back <= a.front, b.back <= b.front
    front = np.minimum(np.where(misses_a, np.inf, a.front), np.where(misses_b, np.inf, b.front))
    back = np.maximum(np.where(misses_a, -np.inf, a.back), np.where(misses_b, -np.inf, b.back))
    missed = misses_a & misses_b
    return Chord(np.where(missed, 0, front), np.where(missed, 0, back))


def length_outside(whole: Chord, first: Chord, second: Chord) -> FloatArray:
    """Compute the length in whole and in neither first nor second, same shape, mm, exactly."""
    one, two = intersect(whole, first), intersect(whole, second)
    left: FloatArray = (
        thickness(whole) - thickness(one) - thickness(two) + thickness(intersect(one, two))
    )
    return np.maximum(left, 0)


def chord_about(middle: FloatArray | float, square: FloatArray) -> Chord:
    """Span middle - sqrt(square) to middle + sqrt(square), any shape; missed where square < 0."""
    half = np.sqrt(np.maximum(square, 0))
    return Chord(middle - half, middle + half)


def ellipsoid_chord(
    x: FloatArray, z: FloatArray, center: Point, radii: Point, turn: float = 0.0
) -> Chord:
    """Make an ellipsoid's chord at x, z, any shape, mm.

    center, radii: (x, y, z) mm; turn: radians about y, its x axis towards +z.
    """
    dx, dz = x - center[0], z - center[2]
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u = (c * dx + s * dz) * (1 / radii[0])
    w = (c * dz - s * dx) * (1 / radii[2])
    return chord_about(center[1], (1 - u * u - w * w) * radii[1] ** 2)


def rod_chord(x: FloatArray, z: FloatArray, start: Knot, end: Knot) -> Chord:
    """Make the chord of a rod with round ends at x, z, any shape, mm, across its length.

    start, end: (x, y, z, radius), mm.
    """
    dx, dz = end[0] - start[0], end[2] - start[2]
    t = np.clip(((x - start[0]) * dx + (z - start[2]) * dz) * (1 / (dx * dx + dz * dz)), 0, 1)
    away = (x - start[0] - t * dx) ** 2 + (z - start[2] - t * dz) ** 2
    radius = start[3] + (end[3] - start[3]) * t
    return chord_about(start[1] + (end[1] - start[1]) * t, radius * radius - away)
