"""phantoms/radiograph/limbs.py: what a film shows beyond the trunk: arms, and the head over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.shapes.chords import (
    Chord,
    ellipsoid_chord,
    intersect,
    rod_chord,
    thickness,
)
from wetread.phantoms.types import Point

UPPER_ARM_MM, FOREARM_MM = 285.0, 240.0
GROWN = 16  # years: younger ones are held with their arms up more often
HEAD_MM: Point = (70.0, 88.0, 106.0)  # half axes
SKULL_MM = 5.5


@dataclass(frozen=True)
class Arm:
    """One arm; joint, elbow, wrist: mm; radius: of its soft parts at shoulder, elbow, wrist, mm."""

    side: int
    joint: Point
    elbow: Point
    wrist: Point
    radius: tuple[float, float, float]


@dataclass(frozen=True)
class Limbs:
    """Both arms, and the head: (x, z) of the chin, mm; None where it is held out of the beam."""

    arms: tuple[Arm, Arm]
    chin: tuple[float, float] | None


def draw_limbs(rng: np.random.Generator, chest: Chest, ap: bool) -> Limbs:
    """Draw how arms and head are held: rolled forwards with hands on the hips (PA), at the sides
    (AP), in some lifted."""
    lifted = rng.random() < (0.08 if chest.age > GROWN else 0.3)
    usual = float(rng.uniform(50, 165) if lifted else rng.normal(15 if ap else 26, 8))
    arms = [_draw_arm(rng, chest, side, usual, ap) for side in (-1, 1)]
    chin = None
    if rng.random() < (0.5 if ap else 0.15):
        chin = (float(rng.normal(0, 10)), chest.shoulder_z + float(rng.uniform(28, 100)))
    return Limbs((arms[0], arms[1]), chin)


def _draw_arm(rng: np.random.Generator, chest: Chest, side: int, usual: float, ap: bool) -> Arm:
    angle = np.radians(np.clip(usual + rng.normal(0, 5), 5, 170))
    joint = (
        side * float(166 + (0 if ap else 8) + 0.3 * chest.wall_mm + rng.normal(0, 5)),
        26.0,
        chest.shoulder_z - float(rng.uniform(16, 26)),
    )
    way = np.array([side * np.sin(angle), 0.0, -np.cos(angle)])
    elbow = np.array(joint) + UPPER_ARM_MM * way
    bend = np.radians(float(rng.uniform(0, 25) if ap else rng.uniform(40, 100))) * side
    c, s = np.cos(bend), np.sin(bend)
    wrist = elbow + FOREARM_MM * np.array([c * way[0] + s * way[2], -0.3, c * way[2] - s * way[0]])
    thick = float(np.clip(rng.normal(36, 4) + 0.35 * chest.wall_mm, 32, 70))
    return Arm(
        side,
        joint,
        (float(elbow[0]), float(elbow[1]), float(elbow[2])),
        (float(wrist[0]), float(wrist[1]), float(wrist[2])),
        (1.2 * thick, 0.85 * thick, 0.6 * thick),
    )


def limb_chords(limbs: Limbs, x: FloatArray, z: FloatArray) -> list[Chord]:
    """Compute the soft parts of arms and head at x, z, (H, W) mm."""
    found = []
    for arm in limbs.arms:
        shoulder, elbow, wrist = arm.radius
        found.append(rod_chord(x, z, (*arm.joint, shoulder), (*arm.elbow, elbow)))
        found.append(rod_chord(x, z, (*arm.elbow, elbow), (*arm.wrist, wrist)))
    if limbs.chin is not None:
        found.append(ellipsoid_chord(x, z, _head(limbs.chin), HEAD_MM))
    return found


def add_limbs(trunk: Chord, limbs: Limbs, x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute the soft tissue of trunk and limbs at x, z, (H, W) mm; what overlaps counts once."""
    total = thickness(trunk)
    for chord in limb_chords(limbs, x, z):
        total = total + thickness(chord) - thickness(intersect(trunk, chord))
    return total


def limb_bone(limbs: Limbs, x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute bone of arms and head at x, z, (H, W) mm: spongy joints, hollow shafts, a skull."""
    total: FloatArray = np.zeros_like(x)
    for arm in limbs.arms:
        middle = (arm.joint[0], arm.joint[1], arm.joint[2])
        total += 0.22 * thickness(ellipsoid_chord(x, z, middle, (22.0, 22.0, 23.0)))
        total += _shaft(x, z, arm.joint, arm.elbow, (15.0, 10.5))
        total += _shaft(x, z, arm.elbow, arm.wrist, (13.0, 9.0))
    if limbs.chin is not None:
        inner = (HEAD_MM[0] - 10, HEAD_MM[1] - 10, HEAD_MM[2] - 10)
        outer = (inner[0] + SKULL_MM, inner[1] + SKULL_MM, inner[2] + SKULL_MM)
        whole, hollow = (ellipsoid_chord(x, z, _head(limbs.chin), r) for r in (outer, inner))
        total += thickness(whole) - thickness(hollow)
    return total


def _shaft(
    x: FloatArray, z: FloatArray, start: Point, end: Point, radii: tuple[float, float]
) -> FloatArray:
    outer = rod_chord(x, z, (*start, radii[0]), (*end, radii[1]))
    inner = rod_chord(x, z, (*start, 0.8 * radii[0]), (*end, 0.62 * radii[1]))
    hollow: FloatArray = 0.7 * (thickness(outer) - thickness(inner)) + 0.08 * thickness(inner)
    return hollow


def _head(chin: tuple[float, float]) -> Point:
    return (chin[0], 0.0, chin[1] + HEAD_MM[2])
