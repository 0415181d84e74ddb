"""phantoms/chest/parts.py: the part of a chest that each point of an axial plane belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.archive.types import BoolArray, FloatArray, UInt8Array
from wetread.phantoms.chest.chest import (
    Chest,
    below_diaphragm,
    body_chord,
    breast_chord,
    middle_chord,
    pleural_chord,
    spine_chord,
    spine_shift,
)
from wetread.phantoms.chest.lesions import Effusion, Lesions
from wetread.phantoms.chest.organs import Organs
from wetread.phantoms.chest.plane import (
    COAT_MM,
    WALL_MM,
    PlanePoints,
    RegionSolid,
    airway_regions,
    ellipsoid_region,
    vessel_regions,
)
from wetread.phantoms.chest.skeleton import spine_planes, sternum_plane
from wetread.phantoms.shapes.chords import Chord, ellipsoid_chord, inside_chord, signed_depth
from wetread.phantoms.shapes.implicit import FAR, Waves, evaluate_waves
from wetread.phantoms.shapes.slab import occupied_slice

MIDLINE_MM, MEETING_MM = 2.1, 16.0  # from the midline: a lung there is as deep as at this distance
SPINE_MM = (36.0, 28.0, 110.0)  # that holds a vertebra: half its width, y from and to
STERNUM_MM = 30.0  # half of it


class ChestPart(IntEnum):
    """The tissue or organ at a point; each has its HU in chest/paint.py."""

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
class AxialPlane:
    """One axial plane: part (Y, X) of Part; side (Y, X) int8, -1 right lung, 1 left, else 0."""

    part: UInt8Array
    side: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class ChestBody:
    """A person for a CT: the chest, and parts that a film does not separate.

    touching: whether the lungs meet in front of the heart.
    bellies:  the field that parts muscle from the fat between its bellies.
    """

    chest: Chest
    organs: Organs
    lesions: Lesions
    touching: bool
    bellies: Waves


def plane_at(body: ChestBody, points: PlanePoints) -> AxialPlane:
    """Label the points of one plane: (Y, X) parts and sides."""
    chest, x, down, height = body.chest, points.x, points.column, points.height
    part = np.zeros((len(points.y), len(x)), np.uint8)
    side = np.zeros(part.shape, np.int8)

    cavities, below = _cavities(body, x, height, down)
    cavity = cavities[0] | cavities[1]
    under = below & cavity
    heart, groove = _heart(body, x, height, down)
    heart = np.where(under, FAR, heart)
    spine = inside_chord(spine_chord(chest, x, height), down)
    between = heart < COAT_MM
    between |= inside_chord(middle_chord(chest, x, height), down)
    vessels, airway = vessel_regions(body.organs, points), airway_regions(points)
    for _, (own, tube) in vessels:
        between[own] |= tube < COAT_MM
    for own, lumen in airway:
        between[own] |= lumen < WALL_MM
    thorax = cavity | between | spine

    _paint_wall(part, body, thorax, points)
    part[thorax] = ChestPart.MEDIASTINUM
    part[spine & ~cavity] = ChestPart.MUSCLE
    _paint_belly(part, body, under, points)
    air = cavity & ~below & ~between & ~spine
    fluid = _fluid(body, x, height, down)
    for number, own_side in enumerate(cavities):
        space = air & own_side
        lung = space & ~fluid
        part[space & fluid] = ChestPart.EFFUSION
        part[lung] = ChestPart.LUNG
        side[lung] = 2 * number - 1
    part[(heart < 0) & (groove > 0)] = ChestPart.HEART
    part[(heart < 0) & (groove <= 0)] = ChestPart.MEDIASTINUM
    _paint_vessels(part, body.organs, vessels)
    for thick, kind in ((WALL_MM, ChestPart.AIRWAY_WALL), (0, ChestPart.AIRWAY)):
        for own, lumen in airway:
            part[own][lumen < thick] = kind
    _paint_bones(part, side, chest, points)
    return AxialPlane(part, side)


def _cavities(
    body: ChestBody, x: FloatArray, height: FloatArray, down: FloatArray
) -> tuple[list[BoolArray], BoolArray]:
    """Find the pleural spaces right and left, and the space below the diaphragm; (Y, X) each."""
    found: list[BoolArray] = []
    below = np.zeros((len(down), len(x)), bool)
    for pleura in body.chest.pleurae:
        # the chord is missed within 2 mm of the midline; lungs that touch meet in front as well
        reach, min_reach = x * pleura.side, MEETING_MM if body.touching else MIDLINE_MM
        moved = np.where((reach >= 0) & (reach < min_reach), np.float32(min_reach * pleura.side), x)
        chord = pleural_chord(pleura, moved.astype(np.float32), height, body.chest)
        own = inside_chord(chord, down)
        under = own & inside_chord(below_diaphragm(pleura, x, height), down)
        gap = 0.0 if body.touching else 2.0
        found.append(own & (under | (reach > gap)))
        below |= under
    return found, below


def _within(chord: Chord, down: FloatArray) -> FloatArray:
    """Turn a chord into an implicit function (Y, X), mm; FAR where lines along y miss it."""
    missed = chord.back <= chord.front
    found: FloatArray = np.where(missed, FAR, signed_depth(chord, down))
    return found


def _heart(
    body: ChestBody, x: FloatArray, height: FloatArray, down: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Evaluate (Y, X), mm: the whole heart, and the groove around it that holds fat."""
    heart = body.chest.heart
    chambers = _within(ellipsoid_chord(x, height, heart.center, heart.radii, heart.turn), down)
    atria = _within(ellipsoid_chord(x, height, heart.atrium, heart.atrium_radii), down)
    whole = np.minimum(chambers, atria)
    groove = np.abs(chambers - atria - 6) - 2.5
    groove = np.maximum(groove, -7 - whole)
    return whole, groove


def _paint_wall(part: UInt8Array, body: ChestBody, thorax: BoolArray, points: PlanePoints) -> None:
    """Label skin, fat, muscle and breasts around the thorax; part, thorax: (Y, X)."""
    chest, pixel, x = body.chest, points.pixel, points.x
    height, down = points.height, points.column
    beyond = cv2.distanceTransform((~thorax).astype(np.uint8), cv2.DIST_L2, 5) * pixel
    trunk = inside_chord(body_chord(chest, x, height), down)
    trunk |= beyond < 14 + 0.45 * chest.wall_mm
    breasts = np.zeros(trunk.shape, bool)
    for side in (-1, 1):
        breasts |= inside_chord(breast_chord(chest, side, x, height), down)
    whole = trunk | breasts
    framed = cv2.copyMakeBorder(whole.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1] * pixel
    rows, columns = (occupied_slice(np.logical_or.reduce(whole, axis=axis)) for axis in (1, 0))
    own = rows, columns  # the rest is room
    part, trunk, breasts, whole = part[own], trunk[own], breasts[own], whole[own]
    beyond, depth, wide, down = beyond[own], depth[own], x[own[1]], down[own[0]]
    field = evaluate_waves(body.bellies, wide[None, :], down, height[None, :])
    shoulder = 60 * float(np.clip((points.z - 25) / 60, 0, 1))
    sides = 14 * np.clip(np.abs(wide) / 120, 0, 1) ** 2
    behind = 26 * np.clip((down - 40) / 40, 0, 1) * np.exp(-((wide / 60) ** 2))
    thick = 10 + sides + shoulder + behind + 6 * field
    part[whole] = ChestPart.FAT
    muscle = trunk & (beyond < thick) & (depth > 2 + 0.25 * chest.wall_mm)
    muscle &= (np.abs(field) > 0.12) | (beyond < 5)
    part[muscle] = ChestPart.MUSCLE
    part[breasts & ~trunk & (field > 0.2) & (depth > 8)] = ChestPart.GLAND
    part[whole & (depth < 2.0)] = ChestPart.SKIN


def _paint_belly(part: UInt8Array, body: ChestBody, under: BoolArray, points: PlanePoints) -> None:
    """Label liver, spleen, fat, stomach and colon below the diaphragm; part, under: (Y, X)."""
    if not under.any():
        return
    row, down, left = points.x[None, :], points.column, body.chest.pleurae[1]
    part[under] = ChestPart.FAT
    liver = (row < 22 - 0.35 * (down + 40)) & (down < 74 - ((row + 85) * (1 / 16)) ** 2)
    part[under & liver] = ChestPart.LIVER
    own, spleen = ellipsoid_region(points, (92.0, 48.0, left.dome[2] - 52), (34.0, 40.0, 46.0))
    part[own][under[own] & (spleen < 0)] = ChestPart.SPLEEN
    for pocket in body.organs.pockets:
        own, shape = ellipsoid_region(points, pocket.center, pocket.radii)
        pouch = under[own] & (shape < 0)
        part[own][pouch] = ChestPart.BOWEL
        part[own][pouch & (shape < -2.5) & (down[own[0]] < pocket.gas_y)] = ChestPart.GAS


def _fluid(body: ChestBody, x: FloatArray, height: FloatArray, down: FloatArray) -> BoolArray:
    """Find effusion behind the lungs, (Y, X)."""
    found = np.zeros((len(down), len(x)), bool)
    for effusion in body.lesions.effusions:
        pleura = body.chest.pleurae[(effusion.side + 1) // 2]
        chord = pleural_chord(pleura, x, height, body.chest)
        level = _fluid_level(effusion, chord, x, float(height[0]))
        found |= (down > level) & ((x * effusion.side) > 0)
    return found


def _fluid_level(effusion: Effusion, chord: Chord, row: FloatArray, z: float) -> FloatArray:
    """Compute y, (X,), behind which fluid lies: a crescent that thins out upwards and outwards."""
    share = float(np.clip((effusion.top_z - z) / 50, 0, 1)) ** 0.7
    out = np.clip(np.abs(row) / 130, 0, 1)
    level: FloatArray = chord.back - effusion.deep_mm * share * (1 - 0.45 * out)
    return np.where(share > 0, level, np.inf)


def _paint_vessels(
    part: UInt8Array, organs: Organs, vessels: list[tuple[str, RegionSolid]]
) -> None:
    for name, (own, tube) in vessels:
        part[own][tube < 0] = ChestPart.GULLET if name == "gullet" else ChestPart.VESSEL
        if name == "gullet" and organs.gullet_air_mm:
            part[own][tube < organs.gullet_air_mm - 7] = ChestPart.GAS  # swallowed air


def _paint_bones(
    part: UInt8Array, side: NDArray[np.int8], chest: Chest, points: PlanePoints
) -> None:
    """Label spine and sternum, cortex around marrow; part, side: (Y, X)."""
    x, y, z = points.x, points.y, points.z
    middle = float(spine_shift(chest, np.array(z)))
    spine = points.region((middle - SPINE_MM[0], SPINE_MM[1]), (middle + SPINE_MM[0], SPINE_MM[2]))
    breast = points.region((-STERNUM_MM, -np.inf), (STERNUM_MM, 0.0))
    bone, canal, disc = spine_planes(chest, *np.meshgrid(x[spine[1]], y[spine[0]]), z)
    plate = sternum_plane(chest, *np.meshgrid(x[breast[1]], y[breast[0]]), z)
    part[spine][disc < 0] = ChestPart.DISC
    for own, shape in ((spine, bone), (breast, plate)):
        part[own][shape < 0] = ChestPart.CORTEX
        part[own][shape < -1.7] = ChestPart.MARROW
    part[spine][canal < 0] = ChestPart.FAT
    part[spine][canal < -2.5] = ChestPart.CORD
    side[spine][(disc < 0) | (bone < 0) | (canal < 0)] = 0
    side[breast][plate < 0] = 0
