"""phantoms/angiogram/chambers.py: a heart of four chambers, its ventricles of a given ratio.

The ventricles stand in a frame of their own: a runs from base to apex, n across the septum from
the left ventricle to the right, both within the axial plane; b runs to the head. Each is the
stretch between two heights along n over every (a, b), so its inner width is what a reader measures
on an axial slice: at right angles to the septum, from wall to wall.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.shapes.implicit import FAR
from wetread.phantoms.types import Point

WANDER_MM = 2.0  # how far the walls wander
GRID_MM = 1.0  # of the search for the widest place


class VentricleSpans(NamedTuple):
    """Heights along n at which the ventricles begin and end, mm; end <= begin: none there."""

    left_low: FloatArray
    left_high: FloatArray
    right_low: FloatArray
    right_high: FloatArray


@dataclass(frozen=True)
class Ventricles:
    """Both ventricles of a heart, mm.

    center:  (x, y, z) in the chest, where the left one's middle stands.
    turn:    radians from the patient's left towards the front: the direction of a.
    lean:    how far a slice's heart moves along a for each mm towards the feet.
    left:    half axes of the left one's inside along a, n, b; flat: the share of its half axis
             along n that the septum takes off it; bow: how far the septum's middle bulges into it.
    right:   half axes of the right one's; along_a: its middle's place on a.
    septum_mm, wall_mm, free_mm: thickness of the septum, of the left one's and the right one's
             free wall.
    """

    center: Point
    turn: float
    lean: float
    left: tuple[float, float, float]
    flat: float
    bow: float
    right: tuple[float, float, float]
    along_a: float
    septum_mm: float
    wall_mm: float
    free_mm: float


@dataclass(frozen=True)
class Chambers:
    """Ventricles, and atria as ellipsoids: (center, half axes) in chest coordinates, mm."""

    ventricles: Ventricles
    left_atrium: tuple[Point, Point]
    right_atrium: tuple[Point, Point]


def draw_chambers(rng: np.random.Generator, chest: Chest, ratio: float) -> Chambers:
    """Draw a heart within the chest's; ratio: the right ventricle's width over the left one's."""
    heart = chest.heart
    big = heart.radii[0] / 62
    x, _, z = heart.center
    width = float(rng.uniform(33, 45) * (0.9 if chest.female else 1.0) * big)
    strained = float(np.clip((ratio - 0.85) / 0.5, 0, 1))
    if strained:
        width *= 1 - 0.22 * strained * rng.uniform(0.6, 1.2)
    flat = float(np.clip(rng.uniform(0.0, 0.25) + 0.6 * strained * rng.uniform(0.6, 1.2), 0, 0.75))
    half = width / (2 - flat)
    length = float(rng.uniform(33, 39) * big)
    drawn = Ventricles(
        center=(x + float(rng.normal(0, 3)), -14.0 + float(rng.normal(0, 3)), z - 2),
        turn=float(np.radians(rng.normal(42, 6))),
        lean=float(rng.uniform(0.15, 0.45)),
        left=(length, half, 0.95 * length),
        flat=flat,
        bow=float(strained * rng.uniform(-1, 4)),
        right=(float(rng.uniform(33, 39) * big), 0.0, float(rng.uniform(33, 39) * big)),
        along_a=float(rng.uniform(-12, -2)),
        septum_mm=float(rng.uniform(8, 11)),
        wall_mm=float(rng.uniform(8, 11.5)),
        free_mm=float(rng.uniform(2.5, 4.5) + 2 * strained),
    )
    atrium = (heart.atrium[0], 16.0, min(z + 26, -22.0))
    return Chambers(
        ventricles=_widen(drawn, ratio),
        left_atrium=(atrium, (31 * big, 19 * big, 22 * big)),
        right_atrium=(
            (-20.0 + float(rng.normal(0, 2)), -10.0, min(z + 14, -30.0)),
            (21 * big * (1 + 0.2 * strained), 27 * big, 31 * big),
        ),
    )


def _widen(drawn: Ventricles, ratio: float) -> Ventricles:
    """Set the right ventricle's half axis along n to give the ratio, to 0.1 %."""
    low, high = 1.0, 200.0
    for _ in range(24):
        middle = 0.5 * (low + high)
        candidate = replace(drawn, right=(drawn.right[0], middle, drawn.right[2]))
        left, right = widths_mm(candidate)
        low, high = (middle, high) if right < ratio * left else (low, middle)
    return replace(drawn, right=(drawn.right[0], high, drawn.right[2]))


def ventricle_spans(ventricles: Ventricles, a: FloatArray, b: FloatArray) -> VentricleSpans:
    """Compute where lines along n through a, b of any shape, mm, enter and leave the ventricles."""
    la, ln, lb = ventricles.left
    along, up = (a / la) ** 2, (b / lb) ** 2
    rest = np.sqrt(np.maximum(1 - along - up, 0))
    bulge = ventricles.bow * (1 - np.minimum(along + up, 1))
    septum = ln * (1 - ventricles.flat) - bulge
    left_low, left_high = -ln * rest, np.minimum(ln * rest, septum)
    thick = ventricles.wall_mm
    outer = np.maximum(1 - (a / (la + thick)) ** 2 - (b / (lb + thick)) ** 2, 0)
    skin = np.minimum((ln + thick) * np.sqrt(outer), septum + ventricles.septum_mm)
    ra, rn, rb = ventricles.right
    share = np.maximum(1 - ((a - ventricles.along_a) / ra) ** 2 - (b / rb) ** 2, 0)
    across = rn * np.sqrt(share)
    base = ln * (1 - ventricles.flat) + ventricles.septum_mm - 0.35 * rn
    right_low = np.maximum(skin, base - across)
    return VentricleSpans(
        left_low, left_high, right_low, np.where(share > 0, base + across, right_low)
    )


def widths_mm(ventricles: Ventricles) -> tuple[float, float]:
    """Compute the widest inner diameters of the left and right ventricle across the septum, mm."""
    reach = max(ventricles.left[0], ventricles.right[0]) + abs(ventricles.along_a) + 2
    along = np.arange(-reach, reach, GRID_MM)
    found = ventricle_spans(ventricles, along[:, None], along[None, :])
    left, right = found.left_high - found.left_low, found.right_high - found.right_low
    return float(left.max()), float(right.max())


def own_frame(
    ventricles: Ventricles, x: FloatArray, y: FloatArray, z: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Convert chest coordinates of any shape, mm, to a, n, b."""
    c, s = np.float32(np.cos(ventricles.turn)), np.float32(np.sin(ventricles.turn))
    px, py, b = x - ventricles.center[0], y - ventricles.center[1], z - ventricles.center[2]
    a = c * px - s * py + ventricles.lean * b
    return a, -s * px - c * py, b


def outflow_of(ventricles: Ventricles) -> Point:
    """Give the point (x, y, z) of the right ventricle from where the pulmonary trunk rises, mm."""
    ln, high = ventricles.left[1], 0.55 * ventricles.right[2]
    n = ln * (1 - ventricles.flat) + ventricles.septum_mm + 0.25 * ventricles.right[1]
    a = 0.0 - ventricles.lean * high
    c, s = float(np.cos(ventricles.turn)), float(np.sin(ventricles.turn))
    x, y, z = ventricles.center
    return x + c * a - s * n, y - s * a - c * n, z + high


def ventricle_solids(
    ventricles: Ventricles, x: FloatArray, y: FloatArray, z: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Evaluate the ventricles at points of any shape, mm: left and right inside, and with walls."""
    a, n, b = own_frame(ventricles, x, y, z)
    # slices and lines across the septum are shifted whole, so no width changes
    a = a + np.float32(WANDER_MM) * np.sin(b * np.float32(0.17))
    n = n + np.float32(WANDER_MM) * np.sin(b * np.float32(0.09) + a * np.float32(0.13))
    found = ventricle_spans(ventricles, a, b)
    left = _between(found.left_low, found.left_high, n)
    right = _between(found.right_low, found.right_high, n)
    la, ln, lb = ventricles.left
    thick = ventricles.wall_mm
    shell = _ellipsoid(a, n, b, (la + thick, ln + thick, lb + thick))
    ra, rn, rb = ventricles.right
    free = ventricles.free_mm
    base = ln * (1 - ventricles.flat) + ventricles.septum_mm - 0.35 * rn
    around = _ellipsoid(
        a - ventricles.along_a, n - base, b, (ra + free, max(rn + free, 4.0), rb + free)
    )
    return left, right, np.minimum(shell, np.maximum(around, -n))


def _between(low: FloatArray, high: FloatArray, n: FloatArray) -> FloatArray:
    """Make an implicit function of the space between low and high; FAR on lines that miss it."""
    inside: FloatArray = np.where(high > low, np.maximum(low - n, n - high), np.float32(FAR))
    return inside


def _ellipsoid(
    u: FloatArray, v: FloatArray, w: FloatArray, radii: tuple[float, float, float]
) -> FloatArray:
    length = np.sqrt((u / radii[0]) ** 2 + (v / radii[1]) ** 2 + (w / radii[2]) ** 2)
    solid: FloatArray = (length - 1) * np.float32(np.prod(radii) ** (1 / 3))
    return solid
