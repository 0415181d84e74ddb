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
    spine_shift,
)
from wetread.phantoms.chest_lesions import Effusion, Lesions
from wetread.phantoms.chest_organs import Organs
from wetread.phantoms.chest_skeleton import spine_planes, sternum_plane
from wetread.phantoms.chords import Chord, ellipsoid, solid
from wetread.phantoms.fields import FAR, Array, Waves, capsule, evaluate_waves
from wetread.phantoms.fields import ellipsoid as ellipsoid_at

Bools = NDArray[np.bool_]
Labels = NDArray[np.uint8]
Window = tuple[slice, slice]  # rows and columns of a plane

WALL_MM = 1.6  # of the airways
MIDLINE_MM, MEETING_MM = 2.1, 16.0  # from the midline: a lung there is as deep as at this distance
COAT_MM = 2.2  # of fat and pericardium between a vessel or the heart and a lung
SPINE_MM = (36.0, 28.0, 110.0)  # that holds a vertebra: half its width, y from and to
STERNUM_MM = 30.0  # half of it


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
    chest, down, height = body.chest, y[:, None], np.full(1, z, np.float32)
    part = np.zeros((len(y), len(x)), np.uint8)
    side = np.zeros(part.shape, np.int8)

    cavities, below = _cavities(body, x, height, down)
    cavity = cavities[0] | cavities[1]
    under = below & cavity
    heart, groove = _heart(body, x, height, down)
    heart = np.where(under, FAR, heart)
    spine = _inside(spine_chord(chest, x, height), down)
    between = heart < COAT_MM
    between |= _inside(middle_chord(chest, x, height), down)
    tubes, airway = _tubes(body.organs, x, y, z), _airway(x, y, z)
    for _, own, tube in tubes:
        between[own] |= tube < COAT_MM
    for own, lumen in airway:
        between[own] |= lumen < WALL_MM
    thorax = cavity | between | spine

    _paint_wall(part, body, thorax, x, y, z)
    part[thorax] = Part.MEDIASTINUM
    part[spine & ~cavity] = Part.MUSCLE
    _paint_belly(part, body, under, x, y, z)
    air = cavity & ~below & ~between & ~spine
    fluid = _fluid(body, x, height, down)
    for number, own_side in enumerate(cavities):
        space = air & own_side
        lung = space & ~fluid
        part[space & fluid] = Part.EFFUSION
        part[lung] = Part.LUNG
        side[lung] = 2 * number - 1
    part[(heart < 0) & (groove > 0)] = Part.HEART
    part[(heart < 0) & (groove <= 0)] = Part.MEDIASTINUM
    _paint_tubes(part, body.organs, tubes)
    for thick, kind in ((WALL_MM, Part.AIRWAY_WALL), (0, Part.AIRWAY)):
        for own, lumen in airway:
            part[own][lumen < thick] = kind
    _paint_bones(part, side, chest, x, y, z)
    return Plane(part, side)


def _near(x: Array, y: Array, low: tuple[float, float], high: tuple[float, float]) -> Window:
    """Rows and columns of the points between two corners (x, y), mm; at least one of each."""
    cut = []
    for axis, k in ((y, 1), (x, 0)):
        first = min(int(np.searchsorted(axis, low[k])), len(axis) - 1)
        cut.append(slice(first, max(int(np.searchsorted(axis, high[k])), first + 1)))
    return cut[0], cut[1]


def _points(x: Array, y: Array, z: float, own: Window) -> tuple[Array, Array, Array]:
    """x, y, z (h, w, 1) of a window of a plane, as solids ask for them."""
    wide, high = np.meshgrid(x[own[1]], y[own[0]])
    return wide[..., None], high[..., None], np.full((*wide.shape, 1), z, np.float32)


def _cavities(body: Body, x: Array, height: Array, down: Array) -> tuple[list[Bools], Bools]:
    """Pleural spaces right and left, and what lies below the diaphragm; (Y, X) each."""
    found: list[Bools] = []
    below = np.zeros((len(down), len(x)), bool)
    for pleura in body.chest.pleurae:
        # the chord is missed within 2 mm of the midline; lungs that touch meet in front as well
        reach, least = x * pleura.side, MEETING_MM if body.touching else MIDLINE_MM
        moved = np.where((reach >= 0) & (reach < least), np.float32(least * pleura.side), x)
        chord = pleural_chord(pleura, moved.astype(np.float32), height, body.chest)
        own = _inside(chord, down)
        under = own & _inside(below_diaphragm(pleura, x, height), down)
        gap = 0.0 if body.touching else 2.0
        found.append(own & (under | (reach > gap)))
        below |= under
    return found, below


def _inside(chord: Chord, down: Array) -> Bools:
    """(Y, X): the points within a chord; none where lines along y miss it."""
    found: Bools = (chord.front < down) & (down < chord.back)
    return found


def _within(chord: Chord, down: Array) -> Array:
    """The chord as an implicit function (Y, X), mm; far away where lines along y miss it."""
    missed = chord.back <= chord.front
    found: Array = np.where(missed, FAR, solid(chord, down))
    return found


def _heart(body: Body, x: Array, height: Array, down: Array) -> tuple[Array, Array]:
    """Implicit functions (Y, X), mm: the whole heart, and the groove round it that holds fat."""
    heart = body.chest.heart
    chambers = _within(ellipsoid(x, height, heart.center, heart.radii, heart.turn), down)
    atria = _within(ellipsoid(x, height, heart.atrium, heart.atrium_radii), down)
    whole = np.minimum(chambers, atria)
    groove = np.abs(chambers - atria - 6) - 2.5
    groove = np.maximum(groove, -7 - whole)
    return whole, groove


def _tubes(organs: Organs, x: Array, y: Array, z: float) -> list[tuple[str, Window, Array]]:
    """Implicit functions of the vessels and the gullet that this plane meets, each round itself."""
    found: list[tuple[str, Window, Array]] = []
    for rod in (*organs.vessels, *organs.gullet):
        thick = max(rod.start[3], rod.end[3]) + 4
        if min(rod.start[2], rod.end[2]) - thick < z < max(rod.start[2], rod.end[2]) + thick:
            found.append((rod.name, *_capsule(x, y, z, rod.start, rod.end)))
    return found


def _capsule(
    x: Array, y: Array, z: float, start: tuple[float, ...], end: tuple[float, ...]
) -> tuple[Window, Array]:
    """Where a rod with its coat lies in a plane, and its implicit function there."""
    reach = max(start[3], end[3]) + COAT_MM
    low, high = ([pick(pair) for pair in zip(start, end, strict=True)] for pick in (min, max))
    own = _near(x, y, (low[0] - reach, low[1] - reach), (high[0] + reach, high[1] + reach))
    return own, capsule(*_points(x, y, z, own), start, end)[..., 0]


def _airway(x: Array, y: Array, z: float) -> list[tuple[Window, Array]]:
    """Implicit functions of the lumen of trachea and main bronchi, where this plane meets them."""
    found = []
    for start, end in (TRACHEA, RIGHT_BRONCHUS, LEFT_BRONCHUS):
        thick = max(start[3], end[3]) + WALL_MM
        if min(start[2], end[2]) - thick < z < max(start[2], end[2]) + thick:
            found.append(_capsule(x, y, z, start, end))
    return found


def _paint_wall(part: Labels, body: Body, thorax: Bools, x: Array, y: Array, z: float) -> None:
    """Skin, fat, muscle and breasts round the thorax, and the arms."""
    chest, pixel = body.chest, float(x[1] - x[0])
    height, down = np.full(1, z, np.float32), y[:, None]
    beyond = cv2.distanceTransform((~thorax).astype(np.uint8), cv2.DIST_L2, 5) * pixel
    trunk = _inside(body_chord(chest, x, height), down)
    trunk |= beyond < 14 + 0.45 * chest.wall_mm
    breasts = np.zeros(trunk.shape, bool)
    for side in (-1, 1):
        breasts |= _inside(breast_chord(chest, side, x, height), down)
    whole = trunk | breasts
    framed = cv2.copyMakeBorder(whole.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1] * pixel
    field = evaluate_waves(body.bellies, x[None, :], down, height[None, :])
    shoulder = 60 * float(np.clip((z - 25) / 60, 0, 1))
    sides = 14 * np.clip(np.abs(x) / 120, 0, 1) ** 2
    behind = 26 * np.clip((down - 40) / 40, 0, 1) * np.exp(-((x / 60) ** 2))
    thick = 10 + sides + shoulder + behind + 6 * field
    part[whole] = Part.FAT
    muscle = trunk & (beyond < thick) & (depth > 2 + 0.25 * chest.wall_mm)
    muscle &= (np.abs(field) > 0.12) | (beyond < 5)
    part[muscle] = Part.MUSCLE
    part[breasts & ~trunk & (field > 0.2) & (depth > 8)] = Part.GLAND
    part[whole & (depth < 2.0)] = Part.SKIN
    if body.arms_down:
        _paint_arms(part, chest, x[None, :], down, z)


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


def _paint_belly(part: Labels, body: Body, under: Bools, x: Array, y: Array, z: float) -> None:
    """Liver on the right and across the middle, spleen, fat, stomach and colon on the left."""
    if not under.any():
        return
    row, down, left = x[None, :], y[:, None], body.chest.pleurae[1]
    part[under] = Part.FAT
    liver = (row < 22 - 0.35 * (down + 40)) & (down < 74 - ((row + 85) * (1 / 16)) ** 2)
    part[under & liver] = Part.LIVER
    own, spleen = _ellipsoid(x, y, z, (92.0, 48.0, left.dome[2] - 52), (34.0, 40.0, 46.0))
    part[own][under[own] & (spleen < 0)] = Part.SPLEEN
    for pocket in body.organs.pockets:
        own, shape = _ellipsoid(x, y, z, pocket.center, pocket.radii)
        inside = under[own] & (shape < 0)
        part[own][inside] = Part.BOWEL
        part[own][inside & (shape < -2.5) & (down[own[0]] < pocket.gas_y)] = Part.GAS


def _ellipsoid(
    x: Array, y: Array, z: float, center: tuple[float, ...], radii: tuple[float, ...]
) -> tuple[Window, Array]:
    """Where an ellipsoid lies in a plane, and its implicit function there."""
    (left, front), (right, back) = (
        (center[0] + way * radii[0], center[1] + way * radii[1]) for way in (-1, 1)
    )
    own = _near(x, y, (left, front), (right, back))
    return own, ellipsoid_at(*_points(x, y, z, own), center, radii)[..., 0]


def _fluid(body: Body, x: Array, height: Array, down: Array) -> Bools:
    """Effusion behind the lungs, (Y, X)."""
    found = np.zeros((len(down), len(x)), bool)
    for effusion in body.lesions.effusions:
        pleura = body.chest.pleurae[(effusion.side + 1) // 2]
        chord = pleural_chord(pleura, x, height, body.chest)
        level = _fluid_level(effusion, chord, x, float(height[0]))
        found |= (down > level) & ((x * effusion.side) > 0)
    return found


def _fluid_level(effusion: Effusion, chord: Chord, row: Array, z: float) -> Array:
    """y, (X,), behind which there is fluid: a crescent that thins out upwards and outwards."""
    share = float(np.clip((effusion.top_z - z) / 50, 0, 1)) ** 0.7
    out = np.clip(np.abs(row) / 130, 0, 1)
    level: Array = chord.back - effusion.deep_mm * share * (1 - 0.45 * out)
    return np.where(share > 0, level, np.inf)


def _paint_tubes(part: Labels, organs: Organs, tubes: list[tuple[str, Window, Array]]) -> None:
    for name, own, tube in tubes:
        part[own][tube < 0] = Part.GULLET if name == "gullet" else Part.VESSEL
        if name == "gullet" and organs.gullet_air_mm:
            part[own][tube < organs.gullet_air_mm - 7] = Part.GAS  # a little air is swallowed


def _paint_bones(
    part: Labels, side: NDArray[np.int8], chest: Chest, x: Array, y: Array, z: float
) -> None:
    """Spine and sternum: cortex round marrow."""
    middle = float(spine_shift(chest, np.array(z)))
    spine = _near(x, y, (middle - SPINE_MM[0], SPINE_MM[1]), (middle + SPINE_MM[0], SPINE_MM[2]))
    breast = _near(x, y, (-STERNUM_MM, -np.inf), (STERNUM_MM, 0.0))
    bone, canal, disc = spine_planes(chest, *np.meshgrid(x[spine[1]], y[spine[0]]), z)
    plate = sternum_plane(chest, *np.meshgrid(x[breast[1]], y[breast[0]]), z)
    part[spine][disc < 0] = Part.DISC
    for own, shape in ((spine, bone), (breast, plate)):
        part[own][shape < 0] = Part.CORTEX
        part[own][shape < -1.7] = Part.MARROW
    part[spine][canal < 0] = Part.FAT
    part[spine][canal < -2.5] = Part.CORD
    side[spine][(disc < 0) | (bone < 0) | (canal < 0)] = 0
    side[breast][plate < 0] = 0
