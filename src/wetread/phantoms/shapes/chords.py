"""phantoms/shapes/chords.py: solids as the stretch that a line along y spends in them, mm.

A chord is a solid of three dimensions: (x, y, z) lies in it where front(x, z) < y < back(x, z).
So its thickness in a radiograph is exact, and a CT samples it as an implicit function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.shapes.implicit import Array

Point = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Chord:
    """Where lines along y enter and leave a solid, mm, any shape; back <= front: missed."""

    front: Array
    back: Array


def thickness(chord: Chord) -> Array:
    """Length in the solid, mm, at least 0."""
    length: Array = np.maximum(chord.back - chord.front, 0)
    return length


def solid(chord: Chord, y: Array) -> Array:
    """Implicit function at y, mm: negative inside, the distance along y."""
    inside: Array = np.maximum(chord.front - y, y - chord.back)
    return inside


def inside(chord: Chord, y: Array) -> NDArray[np.bool_]:
    """Whether y, mm, lies within; nowhere where lines along y miss the solid."""
    found: NDArray[np.bool_] = (chord.front < y) & (y < chord.back)
    return found


def intersect(a: Chord, b: Chord) -> Chord:
    """What lies in both; exact."""
    return Chord(np.maximum(a.front, b.front), np.minimum(a.back, b.back))


def hull(a: Chord, b: Chord) -> Chord:
    """From the first entry to the last exit: both and what lies between them."""
    misses_a, misses_b = a.back <= a.front, b.back <= b.front
    front = np.minimum(np.where(misses_a, np.inf, a.front), np.where(misses_b, np.inf, b.front))
    back = np.maximum(np.where(misses_a, -np.inf, a.back), np.where(misses_b, -np.inf, b.back))
    missed = misses_a & misses_b
    return Chord(np.where(missed, 0, front), np.where(missed, 0, back))


def without(whole: Chord, first: Chord, second: Chord) -> Array:
    """Length in whole and in neither first nor second, mm; exact."""
    one, two = intersect(whole, first), intersect(whole, second)
    left: Array = (
        thickness(whole) - thickness(one) - thickness(two) + thickness(intersect(one, two))
    )
    return np.maximum(left, 0)


def around(middle: Array | float, square: Array) -> Chord:
    """middle - sqrt(square) to middle + sqrt(square); missed where square is negative."""
    half = np.sqrt(np.maximum(square, 0))
    return Chord(middle - half, middle + half)


def ellipsoid(x: Array, z: Array, center: Point, radii: Point, turn: float = 0.0) -> Chord:
    """Ellipsoid turned by `turn` radians about y (its x axis towards +z)."""
    dx, dz = x - center[0], z - center[2]
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u = (c * dx + s * dz) * (1 / radii[0])
    w = (c * dz - s * dx) * (1 / radii[2])
    return around(center[1], (1 - u * u - w * w) * radii[1] ** 2)


def rod(x: Array, z: Array, start: tuple[float, ...], end: tuple[float, ...]) -> Chord:
    """Rod with round ends from start to end, each (x, y, z, radius), seen across its length."""
    dx, dz = end[0] - start[0], end[2] - start[2]
    t = np.clip(((x - start[0]) * dx + (z - start[2]) * dz) * (1 / (dx * dx + dz * dz)), 0, 1)
    away = (x - start[0] - t * dx) ** 2 + (z - start[2] - t * dz) ** 2
    radius = start[3] + (end[3] - start[3]) * t
    return around(start[1] + (end[1] - start[1]) * t, radius * radius - away)
