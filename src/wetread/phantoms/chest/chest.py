"""phantoms/chest/chest.py: one person's chest in three dimensions: lungs, heart, outline.

Canonical chest coordinates, mm: x to the patient's left, y to the back, z to the head, origin in
the middle of the chest at the height of the hila. A side is -1 (right) or 1 (left).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.shapes.chords import (
    Chord,
    chord_about,
    ellipsoid_chord,
    hull_chord,
    length_outside,
    rod_chord,
)
from wetread.phantoms.shapes.implicit import Waves, draw_waves, evaluate_waves
from wetread.phantoms.types import Point

POWER = 2.5  # of the superellipse that is a chest's cross-section

# Trachea to the carina and the two main bronchi: (x, y, z, radius) at either end, mm
TRACHEA = ((0.0, 8.0, 190.0, 9.5), (1.0, 18.0, 34.0, 9.0))
RIGHT_BRONCHUS = ((-1.0, 18.0, 34.0, 7.0), (-30.0, 20.0, 4.0, 5.5))
LEFT_BRONCHUS = ((1.0, 18.0, 34.0, 6.5), (38.0, 20.0, 8.0, 5.0))


@dataclass(frozen=True)
class Hemithorax:
    """One side's pleural space, or the lung in it; x counts outwards here, on both sides.

    apex:     (x, z) of its highest point; base_z: of its lowest.
    lateral:  x of its widest; medial: x of its inner wall (below 0: the middle cuts it).
    depth:    half of it along y; tilt: how far the apex lies behind the base's middle.
    dome:     (x, y, z) of the diaphragm's highest point; fall: (along x, along y), 1 / mm.
    lag:      the lung's distance from the lateral wall: (mm, the share of the height where it is
              largest, the share over which it falls off); 0 mm for the pleural space itself.
    front:    the lung's distance from the anterior wall at the base, mm.
    """

    side: int
    apex: tuple[float, float]
    base_z: float
    lateral: float
    medial: float
    depth: float
    tilt: float
    dome: Point
    fall: tuple[float, float]
    lag: tuple[float, float, float] = (0.0, 0.0, 1.0)
    front: float = 0.0


@dataclass(frozen=True)
class Heart:
    """Ventricles (center, radii, radians of turn), atria, and the great vessels above them."""

    center: Point
    radii: Point
    turn: float
    atrium: Point
    atrium_radii: Point
    band: float  # half width of the upper mediastinum, mm
    knob: tuple[float, float]  # how far the aortic arch stands out to the left, its radius, mm


@dataclass(frozen=True, eq=False)
class Chest:
    """One person.

    pleurae:   the right and the left pleural space.
    scale:     the person's size over the canonical one (CT: mm; a film is fitted to the person).
    wall_mm:   soft tissue from rib cage to skin, at the sides; breast_mm: radius, 0 for none.
    bone:      density of bone over the usual; ribs: their half height, mm.
    wander:    slow random fields that keep contours from being regular; wander_mm: how much.
    """

    female: bool
    age: int
    scale: float
    pleurae: tuple[Hemithorax, Hemithorax]
    heart: Heart
    wall_mm: float
    breast_mm: float
    breast_low: float
    neck_mm: float
    shoulder_z: float
    bone: float
    rib_mm: float
    rib_drop: float
    curve_mm: float  # scoliosis: how far the spine stands out to the left
    lung_density: float
    stomach: float  # radius of the gastric bubble, mm, 0 for none
    wander: Waves
    wander_mm: float


def draw_chest(rng: np.random.Generator, female: bool, age: int) -> Chest:
    """Draw a person: an adult's inner chest is 270 mm wide, 250 mm high; children are smaller."""
    grown = float(np.clip((age + 6) / 24, 0.45, 1.0))
    size = (0.93 if female else 1.0) * grown * rng.normal(1, 0.03)
    slim = rng.normal(0, 1)
    top, low = rng.normal(118, 6), rng.normal(-88, 9)
    wide, deep = rng.normal(134, 5) - 2 * slim, rng.normal(86, 6) - 2 * slim
    sides = [_draw_side(rng, side, (top, low, wide, deep)) for side in (-1, 1)]
    big = float(np.clip(rng.normal(1.0, 0.1) + 0.002 * max(age - 50, 0), 0.8, 1.4))
    heart = Heart(
        center=(float(rng.normal(26, 4)), -24.0, low + 30 * big + rng.normal(0, 4)),
        radii=(float(62 * big), 56.0, float(44 * big)),
        turn=float(-rng.uniform(0.45, 0.85)),
        atrium=(float(rng.normal(4, 4)), -18.0, low + 44 + rng.normal(0, 4)),
        atrium_radii=(float(39 * big), 50.0, float(46 * big)),
        band=float(rng.uniform(20, 30)),
        knob=(float(rng.uniform(6, 15) * (0.5 + age / 100)), float(rng.uniform(13, 19))),
    )
    breast = float(rng.uniform(38, 66)) if female and age > 13 else 0.0
    return Chest(
        female=female,
        age=age,
        scale=float(size),
        pleurae=(sides[0], sides[1]),
        heart=heart,
        wall_mm=float(np.clip(rng.gamma(4.0, 7.0), 12, 60)),
        breast_mm=breast,
        breast_low=float(rng.uniform(-112, -60)),
        neck_mm=float(rng.uniform(52, 68)),
        shoulder_z=float(top + rng.uniform(-28, 6)),
        bone=float(np.clip(rng.normal(1.0, 0.12) - 0.003 * max(age - 50, 0), 0.6, 1.3)),
        rib_mm=float(rng.uniform(4.6, 5.9)),
        rib_drop=float(rng.uniform(0.8, 1.2)),
        curve_mm=float(rng.normal(0, 4)),
        lung_density=float(rng.uniform(0.18, 0.30)),
        stomach=float(rng.uniform(16, 42) * (rng.random() < 0.7)),
        wander=draw_waves(rng, 6, 120),
        wander_mm=float(rng.uniform(1.0, 3.0)),
    )


def _draw_side(
    rng: np.random.Generator, side: int, common: tuple[float, float, float, float]
) -> Hemithorax:
    top, low, wide, deep = common
    lower = 0.0 if side < 0 else rng.uniform(4, 16)  # the right dome stands higher
    dome_z = low + rng.normal(8, 3) - lower
    fall = float(rng.uniform(0.0075, 0.0125))
    sulcus = dome_z - fall * (wide - 62) ** 2
    return Hemithorax(
        side=side,
        apex=(float(rng.normal(47, 3)), float(top + rng.normal(0, 2.5))),
        base_z=float(sulcus - 6),
        lateral=float(wide + rng.normal(0, 2)),
        medial=-4.0,
        depth=float(deep),
        tilt=float(rng.uniform(14, 26)),
        dome=(float(rng.uniform(52, 70)), float(rng.uniform(-25, -5)), float(dome_z)),
        fall=(fall, float(rng.uniform(0.0045, 0.0075))),
    )


def walls(part: Hemithorax, z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Compute the walls at heights z of any shape, mm; each of the results has the same shape.

    Returns x of the medial and of the lateral wall, y of the middle, and half the depth.
    """
    height = part.apex[1] - part.base_z
    low = np.clip((part.apex[1] - z) * (1 / height), 0, 1.2)
    up = np.maximum(1 - low, 0)
    lateral = part.apex[0] + (part.lateral - part.apex[0]) * np.sqrt(1 - up**1.9)
    lateral = lateral - 7 * np.maximum(low - 0.75, 0) ** 2 * 16
    if part.lag[0]:
        lateral = lateral - part.lag[0] * np.exp(-(((low - part.lag[1]) / part.lag[2]) ** 2))
    medial = part.apex[0] - (part.apex[0] - part.medial) * np.sqrt(1 - up**4)
    depth = part.depth * np.sqrt(1 - up**2.8)
    middle = part.tilt * up - 4
    return medial, lateral, middle, depth


def pleural_chord(
    part: Hemithorax, x: FloatArray, z: FloatArray, chest: Chest | None = None
) -> Chord:
    """Compute the space within the ribs, above and below the diaphragm, at x, z of any shape, mm.

    Lines beyond the midline miss it. chest: whose contours wander, None for smooth ones.
    """
    outward = x * part.side
    medial, lateral, middle, depth = walls(part, z)
    if chest is not None:
        wander = evaluate_waves(chest.wander, x * 0 + part.side * 90, z * 0, z)
        lateral = lateral + chest.wander_mm * wander
    half = np.maximum(lateral - medial, 1) * 0.5
    share = np.abs(outward - medial - half) * (1 / half)
    rest = np.maximum(1 - share**POWER, 0) ** np.float32(1 / POWER)
    deep = np.where((outward > 2) & (z < part.apex[1]), depth * rest, 0)
    front = middle - deep
    if part.front:
        height = part.apex[1] - part.base_z
        front = front + part.front * np.clip(1.5 - (z - part.base_z) * (1.6 / height), 0, 1)
    return Chord(front, middle + deep)


def below_diaphragm(part: Hemithorax, x: FloatArray, z: FloatArray) -> Chord:
    """Compute the space under the dome at x, z of any shape, mm: liver, or spleen and stomach."""
    away = x * part.side - part.dome[0]
    drop = part.dome[2] - z - part.fall[0] * away * away
    return chord_about(part.dome[1], drop * (1 / part.fall[1]))


def heart_chord(chest: Chest, x: FloatArray, z: FloatArray) -> Chord:
    """Compute heart, great vessels and tissue behind them at x, z of any shape, mm."""
    heart = chest.heart
    ventricles = ellipsoid_chord(x, z, heart.center, heart.radii, heart.turn)
    atrium = ellipsoid_chord(x, z, heart.atrium, heart.atrium_radii)
    return hull_chord(hull_chord(ventricles, atrium), middle_chord(chest, x, z))


def middle_chord(chest: Chest, x: FloatArray, z: FloatArray) -> Chord:
    """Compute the mediastinum at x, z of any shape, mm: aortic arch, esophagus, aorta."""
    heart = chest.heart
    high = np.clip((z + 30) * (1 / 50), 0, 1)
    wide = 22 + (heart.band - 22) * high
    wide = wide * (1 + 0.1 * np.clip((z - 70) * (1 / 50), 0, 1))
    knob = heart.knob[0] * np.exp(-(((z - 56) * (1 / heart.knob[1])) ** 2))
    trunk = np.exp(-(((z - 12) * (1 / 22)) ** 2))
    wide = wide + np.where(x > 0, knob + 9 * trunk, 0.2 * knob + 4 * trunk)
    low = np.clip((chest.pleurae[0].dome[2] + 30 - z) * (1 / 30), 0, 1)
    wide = wide + 14 * low
    rest = 1 - np.minimum(np.abs(x - 3 * (1 - high)) / wide, 2) ** 2
    half = (28 + 26 * high + 40 * low) * np.maximum(rest, 0) ** (1 - 0.5 * high)  # fades out below
    return Chord(18 - 14 * high - half, 18 - 14 * high + half)


def spine_chord(chest: Chest, x: FloatArray, z: FloatArray) -> Chord:
    """Compute vertebrae and the tissue next to them at x, z of any shape, mm."""
    away = np.minimum(np.abs(x - spine_shift(chest, z)) * (1 / 29), 2)
    return chord_about(64.0, np.sign(1 - away * away) * (1 - away * away) ** 2 * 30.0**2)


def spine_shift(chest: Chest, z: FloatArray) -> FloatArray:
    """Compute the shift of the spine to the left at heights z of any shape, mm."""
    bend: FloatArray = chest.curve_mm * np.sin((z + 20) * (1 / 60))
    return bend


def air_length(
    chest: Chest, part: Hemithorax, x: FloatArray, z: FloatArray, chord: Chord
) -> FloatArray:
    """Compute the length in a chord outside diaphragm, heart and spine at x, z of any shape, mm.

    chord: of the pleural space or of the lung, same shape.
    """
    front = hull_chord(below_diaphragm(part, x, z), heart_chord(chest, x, z))
    return length_outside(chord, front, spine_chord(chest, x, z))


def trachea_chord(x: FloatArray, z: FloatArray) -> Chord:
    """Compute trachea and main bronchi at x, z of any shape, mm; the carina lies at z = 34."""
    return hull_chord(
        rod_chord(x, z, *TRACHEA),
        hull_chord(rod_chord(x, z, *RIGHT_BRONCHUS), rod_chord(x, z, *LEFT_BRONCHUS)),
    )


def body_chord(chest: Chest, x: FloatArray, z: FloatArray) -> Chord:
    """Compute trunk, shoulders and neck, without the arms, at x, z of any shape, mm."""
    right, left = chest.pleurae
    waist = np.clip((-70 - z) * (1 / 120), 0, 1)
    trunk = 0.5 * (right.lateral + left.lateral) + 9 + chest.wall_mm - 6 * waist
    rise = np.clip((z - chest.shoulder_z) * (1 / 70), -1, 1)
    flare = 0.5 + 0.5 * np.tanh((z - chest.shoulder_z + 55) * (1 / 18))
    slope = np.clip(1 - np.maximum(rise, 0), 0, 1)
    shoulder = 176 + 0.4 * chest.wall_mm
    wide = trunk + np.maximum(shoulder - trunk, 0) * flare
    neck = chest.neck_mm + 10 * slope
    wide = np.where(rise > 0, neck + (wide - neck) * slope**1.7, wide)
    deep = right.depth + 12 + 0.75 * chest.wall_mm
    deep = deep * (1 - 0.5 * np.clip((z - 30) * (1 / 110), 0, 1))
    share = np.minimum(np.abs(x) * (1 / wide), 1.0)
    rest = np.maximum(1 - share**2.6, 0) ** np.float32(1 / 2.2)
    middle = 8 + 6 * np.clip((z - 50) * (1 / 110), 0, 1)
    return Chord(middle - deep * rest, middle + deep * rest)


def breast_chord(chest: Chest, side: int, x: FloatArray, z: FloatArray) -> Chord:
    """Compute a breast at x, z of any shape, mm; missed everywhere where there is none."""
    radius = chest.breast_mm
    center = (side * 78.0, -chest.pleurae[0].depth - 12, chest.breast_low)
    if not radius:
        return chord_about(0.0, np.minimum(x * 0, 0) - 1)
    u, w = (x - center[0]) * (1 / radius), (z - center[2]) * (1 / radius)
    rise = np.clip(w, 0, 2) * 0.5  # thins out upwards, ends in a fold below
    rest = np.maximum(1 - u * u - np.where(w > 0, 0.25, 1.0) * w * w, 0)
    half = 0.55 * radius * rest ** (0.5 + 0.9 * rise)
    return Chord(center[1] - half, center[1] + half)


def deepen(part: Hemithorax, mm: float) -> Hemithorax:
    """Draw the lateral sulcus of a side down by mm."""
    reach = (part.lateral - part.dome[0]) ** 2
    return replace(part, base_z=part.base_z - mm, fall=(part.fall[0] + mm / reach, part.fall[1]))


def inside_pleura(part: Hemithorax, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """Evaluate the pleural space above the diaphragm at points of any shape, mm along y."""
    chord, below = pleural_chord(part, x, z), below_diaphragm(part, x, z)
    within = np.maximum(chord.front - y, y - chord.back)
    outside: FloatArray = np.maximum(within, np.minimum(y - below.front, below.back - y))
    return outside
