"""phantoms/chest_parts.py: which part of a chest each point of one axial plane belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.chest import (
    LEFT_BRONCHUS,
    RIGHT_BRONCHUS,
    TRACHEA,
    Chest,
    below_diaphragm,
    body_chord,
    breast_chord,
    middle_chord,
    pleural_chord,
    spine_chord,
)
from wetread.phantoms.chest_lesions import Effusion, Lesions
from wetread.phantoms.chest_organs import Organs
from wetread.phantoms.chest_skeleton import spine_planes, sternum_plane
from wetread.phantoms.chords import Chord, ellipsoid, solid
from wetread.phantoms.fields import FAR, Array, Waves, capsule, evaluate_waves
from wetread.phantoms.fields import ellipsoid as ellipsoid_at

Bools = NDArray[np.bool_]
Labels = NDArray[np.uint8]

WALL_MM = 1.6  # of the airways
MIDLINE_MM, MEETING_MM = 2.1, 16.0  # from the midline: a lung there is as deep as at this distance
COAT_MM = 2.2  # of fat and pericardium between a vessel or the heart and a lung


class Part(IntEnum):
    """What a point of the plane is made of; each has its HU in chest_paint.py."""

    ROOM = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    GLAND = 4
    MEDIASTINUM = 5
    HEART = 6
    VESSEL = 7
    GULLET = 8
    AIRWAY = 9
    AIRWAY_WALL = 10
    LUNG = 11
    EFFUSION = 12
    LIVER = 13
    SPLEEN = 14
    BOWEL = 15
    GAS = 16
    CORTEX = 17
    MARROW = 18
    DISC = 19
    CORD = 20


@dataclass(frozen=True, eq=False)
class Plane:
    """One axial plane: part (Y, X) of Part; side (Y, X) int8, -1 right lung, 1 left, else 0."""

    part: Labels
    side: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Body:
    """A person for a CT: the chest and what a film does not tell apart.

    touching: whether the lungs meet in front of the heart; arms_down: beside the body.
    bellies:  the field that parts muscle from the fat between its bellies.
    """

    chest: Chest
    organs: Organs
    lesions: Lesions
    touching: bool
    arms_down: bool
    bellies: Waves


def plane_at(body: Body, x: Array, y: Array, z: float) -> Plane:
    """The plane z, mm, at points x (X,) and y (Y,), mm, evenly spaced."""
    chest, pixel = body.chest, float(x[1] - x[0])
    wide, high = np.meshgrid(x, y)
    row, height, down = x, np.full_like(x, z), high
    part = np.zeros(wide.shape, np.uint8)
    side = np.zeros(wide.shape, np.int8)

    cavities, below = _cavities(body, row, height, down)
    cavity = cavities[0] | cavities[1]
    under = below & cavity
    heart, groove = _heart(body, row, height, down)
    heart = np.where(under, FAR, heart)
    middle = _within(middle_chord(chest, row, height), down)
    spine = _within(spine_chord(chest, row, height), down) < 0
    tubes = _tubes(body.organs, wide, high, z)
    vessels = np.minimum.reduce([tube for _, tube in tubes]) if tubes else np.full_like(heart, FAR)
    airway = _airway(wide, high, z)
    between = (heart < COAT_MM) | (middle < 0) | (vessels < COAT_MM) | (airway < WALL_MM)
    thorax = cavity | between | spine

    _paint_wall(part, body, thorax, wide, high, z, pixel)
    part[thorax] = Part.MEDIASTINUM
    part[spine & ~cavity] = Part.MUSCLE
    _paint_belly(part, body, under, wide, high, z)
    air = cavity & ~below & ~between & ~spine
    fluid = _fluid(body, row, height, down)
    for number, own in enumerate(cavities):
        lung = air & own & ~fluid
        part[air & own & fluid] = Part.EFFUSION
        part[lung] = Part.LUNG
        side[lung] = 2 * number - 1
    part[(heart < 0) & (groove > 0)] = Part.HEART
    part[(heart < 0) & (groove <= 0)] = Part.MEDIASTINUM
    _paint_tubes(part, body.organs, tubes)
    part[airway < WALL_MM] = Part.AIRWAY_WALL
    part[airway < 0] = Part.AIRWAY
    _paint_bones(part, side, chest, wide, high, z, spine)
    return Plane(part, side)


def _cavities(body: Body, row: Array, height: Array, down: Array) -> tuple[list[Bools], Bools]:
    """Pleural spaces right and left, and what lies below the diaphragm; (Y, X) each."""
    found: list[Bools] = []
    below = np.zeros(down.shape, bool)
    for pleura in body.chest.pleurae:
        # the chord is missed within 2 mm of the midline; lungs that touch meet in front as well
        reach, least = row * pleura.side, MEETING_MM if body.touching else MIDLINE_MM
        moved = np.where((reach >= 0) & (reach < least), np.float32(least * pleura.side), row)
        chord = pleural_chord(pleura, moved.astype(np.float32), height, body.chest)
        own = _within(chord, down) < 0
        under = own & (_within(below_diaphragm(pleura, row, height), down) < 0)
        gap = 0.0 if body.touching else 2.0
        found.append(own & (under | (reach > gap)))
        below |= under
    return found, below


def _within(chord: Chord, down: Array) -> Array:
    """The chord as an implicit function (Y, X), mm; far away where lines along y miss it."""
    missed = chord.back <= chord.front
    found: Array = np.where(missed, FAR, solid(chord, down))
    return found


def _heart(body: Body, row: Array, height: Array, down: Array) -> tuple[Array, Array]:
    """Implicit functions (Y, X), mm: the whole heart, and the groove round it that holds fat."""
    heart = body.chest.heart
    chambers = _within(ellipsoid(row, height, heart.center, heart.radii, heart.turn), down)
    atria = _within(ellipsoid(row, height, heart.atrium, heart.atrium_radii), down)
    whole = np.minimum(chambers, atria)
    groove = np.abs(chambers - atria - 6) - 2.5
    groove = np.maximum(groove, -7 - whole)
    return whole, groove


def _tubes(organs: Organs, wide: Array, high: Array, z: float) -> list[tuple[str, Array]]:
    """Implicit functions of the vessels and the gullet that this plane meets."""
    found: list[tuple[str, Array]] = []
    for rod in (*organs.vessels, *organs.gullet):
        thick = max(rod.start[3], rod.end[3]) + 4
        if min(rod.start[2], rod.end[2]) - thick < z < max(rod.start[2], rod.end[2]) + thick:
            found.append((rod.name, _capsule(wide, high, z, rod.start, rod.end)))
    return found


def _capsule(
    wide: Array, high: Array, z: float, start: tuple[float, ...], end: tuple[float, ...]
) -> Array:
    depth = np.full((*wide.shape, 1), z, np.float32)
    found: Array = capsule(wide[..., None], high[..., None], depth, start, end)[..., 0]
    return found


def _airway(wide: Array, high: Array, z: float) -> Array:
    """Implicit function of the lumen of trachea and main bronchi."""
    found = [_capsule(wide, high, z, *r) for r in (TRACHEA, RIGHT_BRONCHUS, LEFT_BRONCHUS)]
    lumen: Array = np.minimum.reduce(found)
    return lumen


def _paint_wall(
    part: Labels, body: Body, thorax: Bools, wide: Array, high: Array, z: float, pixel: float
) -> None:
    """Skin, fat, muscle and breasts round the thorax, and the arms."""
    chest = body.chest
    row, height = wide[0], np.full_like(wide[0], z)
    beyond = cv2.distanceTransform((~thorax).astype(np.uint8), cv2.DIST_L2, 5) * pixel
    trunk = _within(body_chord(chest, row, height), high) < 0
    trunk |= beyond < 14 + 0.45 * chest.wall_mm
    breasts = np.zeros(trunk.shape, bool)
    for side in (-1, 1):
        breasts |= _within(breast_chord(chest, side, row, height), high) < 0
    whole = trunk | breasts
    framed = np.pad(whole, 1, mode="edge").astype(np.uint8)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1] * pixel
    field = evaluate_waves(body.bellies, wide, high, np.full_like(wide, z))
    shoulder = 60 * float(np.clip((z - 25) / 60, 0, 1))
    sides = 14 * np.clip(np.abs(wide) / 120, 0, 1) ** 2
    behind = 26 * np.clip((high - 40) / 40, 0, 1) * np.exp(-((wide / 60) ** 2))
    thick = 10 + sides + shoulder + behind + 6 * field
    part[whole] = Part.FAT
    muscle = trunk & (beyond < thick) & (depth > 2 + 0.25 * chest.wall_mm)
    muscle &= (np.abs(field) > 0.12) | (beyond < 5)
    part[muscle] = Part.MUSCLE
    part[breasts & ~trunk & (field > 0.2) & (depth > 8)] = Part.GLAND
    part[whole & (depth < 2.0)] = Part.SKIN
    if body.arms_down:
        _paint_arms(part, chest, wide, high, z)


def _paint_arms(part: Labels, chest: Chest, wide: Array, high: Array, z: float) -> None:
    """Upper arms beside the body, below the shoulders; each with its bone."""
    if z > chest.shoulder_z - 26:
        return
    away = 182 + 0.75 * chest.wall_mm + 0.14 * (chest.shoulder_z - z)
    limb = np.hypot(np.abs(wide) - away, high - 24)
    free = part == Part.ROOM
    part[free & (limb < 40)] = Part.SKIN
    part[free & (limb < 38)] = Part.FAT
    part[free & (limb < 33)] = Part.MUSCLE
    part[free & (limb < 11.5)] = Part.CORTEX
    part[free & (limb < 7)] = Part.MARROW


def _paint_belly(
    part: Labels, body: Body, under: Bools, wide: Array, high: Array, z: float
) -> None:
    """Liver on the right and across the middle, spleen, fat, stomach and colon on the left."""
    if not under.any():
        return
    chest, depth = body.chest, np.full((*wide.shape, 1), z, np.float32)
    left = chest.pleurae[1]
    part[under] = Part.FAT
    liver = (wide < 22 - 0.35 * (high + 40)) & (high < 74 - ((wide + 85) * (1 / 16)) ** 2)
    part[under & liver] = Part.LIVER
    spleen = ellipsoid_at(
        wide[..., None], high[..., None], depth, (92.0, 48.0, left.dome[2] - 52), (34.0, 40.0, 46.0)
    )[..., 0]
    part[under & (spleen < 0)] = Part.SPLEEN
    for pocket in body.organs.pockets:
        shape = ellipsoid_at(wide[..., None], high[..., None], depth, pocket.center, pocket.radii)[
            ..., 0
        ]
        inside = under & (shape < 0)
        part[inside] = Part.BOWEL
        part[inside & (shape < -2.5) & (high < pocket.gas_y)] = Part.GAS


def _fluid(body: Body, row: Array, height: Array, down: Array) -> Bools:
    """Effusion behind the lungs, (Y, X)."""
    found = np.zeros(down.shape, bool)
    for effusion in body.lesions.effusions:
        pleura = body.chest.pleurae[(effusion.side + 1) // 2]
        chord = pleural_chord(pleura, row, height, body.chest)
        level = _fluid_level(effusion, chord, row, float(height[0]))
        found |= (down > level) & ((row * effusion.side) > 0)[None]
    return found


def _fluid_level(effusion: Effusion, chord: Chord, row: Array, z: float) -> Array:
    """y, (X,), behind which there is fluid: a crescent that thins out upwards and outwards."""
    share = float(np.clip((effusion.top_z - z) / 50, 0, 1)) ** 0.7
    out = np.clip(np.abs(row) / 130, 0, 1)
    level: Array = chord.back - effusion.deep_mm * share * (1 - 0.45 * out)
    return np.where(share > 0, level, np.inf)


def _paint_tubes(part: Labels, organs: Organs, tubes: list[tuple[str, Array]]) -> None:
    for name, tube in tubes:
        part[tube < 0] = Part.GULLET if name == "gullet" else Part.VESSEL
        if name == "gullet" and organs.gullet_air_mm:
            part[tube < organs.gullet_air_mm - 7] = Part.GAS  # a little air is swallowed


def _paint_bones(
    part: Labels,
    side: NDArray[np.int8],
    chest: Chest,
    wide: Array,
    high: Array,
    z: float,
    spine: Bools,
) -> None:
    """Spine and sternum: cortex round marrow."""
    bone, canal, disc = spine_planes(chest, wide, high, z)
    plate = sternum_plane(chest, wide, high, z)
    part[disc < 0] = Part.DISC
    for shape in (bone, plate):
        part[shape < 0] = Part.CORTEX
        part[shape < -1.7] = Part.MARROW
    part[canal < 0] = Part.FAT
    part[canal < -2.5] = Part.CORD
    side[(disc < 0) | (bone < 0) | (plate < 0) | (canal < 0)] = 0
