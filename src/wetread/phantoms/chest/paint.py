"""phantoms/chest/paint.py: parts of a chest's plane become true HU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, FloatArray, UInt8Array
from wetread.phantoms.chest.chest import pleural_chord
from wetread.phantoms.chest.lesions import Consolidation
from wetread.phantoms.chest.parts import AxialPlane, ChestBody, ChestPart
from wetread.phantoms.chest.plane import PlanePoints
from wetread.phantoms.chest.skeleton import Skeleton
from wetread.phantoms.shapes.implicit import FAR, Waves, draw_waves, evaluate_waves
from wetread.phantoms.shapes.slab import occupied_slice

# Without contrast, after textbooks and real scans.
HU_OF: dict[ChestPart, float] = {
    ChestPart.ROOM: -1000.0,
    ChestPart.SKIN: 10.0,
    ChestPart.FAT: -105.0,
    ChestPart.MUSCLE: 55.0,
    ChestPart.GLAND: 25.0,
    ChestPart.MEDIASTINUM: -85.0,
    ChestPart.HEART: 42.0,
    ChestPart.VESSEL: 40.0,
    ChestPart.GULLET: 32.0,
    ChestPart.AIRWAY: -995.0,
    ChestPart.AIRWAY_WALL: 10.0,
    ChestPart.LUNG: -850.0,
    ChestPart.EFFUSION: 8.0,
    ChestPart.LIVER: 58.0,
    ChestPart.SPLEEN: 48.0,
    ChestPart.BOWEL: 20.0,
    ChestPart.GAS: -995.0,
    ChestPart.CORTEX: 620.0,
    ChestPart.MARROW: 170.0,
    ChestPart.DISC: 80.0,
    ChestPart.CORD: 38.0,
}
RIB_HU, RIB_MARROW_HU, CARTILAGE_HU = 560.0, 190.0, 105.0
BRONCHUS_HU = -940.0
PLEURA_HU, SEAM_MM = 0.0, 0.7
COUCH_HU, FOAM_HU = 120.0, -930.0


@dataclass(frozen=True, eq=False)
class TissueTexture:
    """How tissue looks.

    lung_hu:  of lung in the middle; gravity_hu: over 100 mm to the back.
    lobules, patches: fine and coarse unevenness of lung; grain: of everything else.
    fissures: (side, z over the middle, slope along y), of planes that part the lobes.
    couch_mm: y of the couch's upper face behind the body.
    """

    lung_hu: float
    gravity_hu: float
    lobules: Waves
    patches: Waves
    grain: Waves
    fissures: tuple[tuple[float, float, float], ...]
    couch_mm: float


def draw_texture(rng: np.random.Generator) -> TissueTexture:
    """Draw the look of a person's tissue; lungs are denser in the young and after breathing out."""
    return TissueTexture(
        lung_hu=float(rng.uniform(-880, -820)),
        gravity_hu=float(rng.uniform(25, 70)),
        lobules=draw_waves(rng, 12, 9),
        patches=draw_waves(rng, 6, 45),
        grain=draw_waves(rng, 8, 14),
        fissures=tuple(
            (side, float(rng.normal(z, 6)), float(rng.normal(slope, 0.08)))
            for side, z, slope in ((-1, 0.0, 1.0), (1, 4.0, 1.0), (-1, -4.0, -0.08))
        ),
        couch_mm=float(rng.uniform(6, 14)),
    )


def paint_plane(
    body: ChestBody,
    texture: TissueTexture,
    plane: AxialPlane,
    points: PlanePoints,
    bones: Skeleton,
) -> FloatArray:
    """Paint true HU (Y, X) of a plane at its points; bones: covers of this plane, (Y, X)."""
    table = np.array([HU_OF[part] for part in ChestPart], np.float32)
    hu = table[plane.part]
    outside = plane.part == ChestPart.ROOM
    own = occupied_slice(~outside.all(axis=1)), occupied_slice(~outside.all(axis=0))  # the person's
    part = plane.part[own]
    grain = evaluate_waves(
        texture.grain, points.x[None, own[1]], points.y[own[0], None], points.height[None]
    )
    tissue = (part != ChestPart.ROOM) & (part != ChestPart.AIRWAY) & (part != ChestPart.GAS)
    hu[own] += 5 * grain * tissue
    lung = plane.part == ChestPart.LUNG
    if lung.any():
        hu[lung] = _lung(body, texture, plane, points)
    _mix(hu, bones.cartilage * ~lung, CARTILAGE_HU)
    _mix(hu, bones.bone, RIB_HU * body.chest.bone)
    _mix(hu, bones.marrow, RIB_MARROW_HU)
    if len(part):
        _paint_couch(hu, outside, texture, points)
    return hu


def _mix(hu: FloatArray, cover: UInt8Array, value: float) -> None:
    """Mix a value into (Y, X) by a cover of 0-255, in place; most of a plane is not covered."""
    touched = cover > 0
    before = hu[touched]
    hu[touched] = before + (value - before) * (cover[touched] * np.float32(1 / 255))


def _lung(
    body: ChestBody, texture: TissueTexture, plane: AxialPlane, points: PlanePoints
) -> FloatArray:
    """Compute HU (N,) of the plane's points in a lung: parenchyma, then what lies in it."""
    x, y, depth = points.x, points.y, points.height
    lung = plane.part == ChestPart.LUNG
    side = plane.side[lung]
    wide = np.broadcast_to(x[None, :], lung.shape)[lung]
    high = np.broadcast_to(y[:, None], lung.shape)[lung]
    fine = evaluate_waves(texture.lobules, wide, high, depth)
    rough = evaluate_waves(texture.patches, wide, high, depth)
    hu: FloatArray = texture.lung_hu + texture.gravity_hu * (high - 10) * np.float32(0.01)
    hu += 16 * fine + 14 * rough
    if body.touching:
        seam = np.broadcast_to(_seam(x)[None, :], lung.shape)[lung]
        hu += (PLEURA_HU - hu) * seam
    for fissure in texture.fissures:
        hu += 130 * np.exp(-((_fissure(fissure, wide, high, depth) / 0.8) ** 2))
    solid = np.zeros(hu.shape, np.float32)
    for one in body.lesions.consolidations:
        back = np.broadcast_to(_back(body, one, x, depth)[None, :], lung.shape)[lung]
        share = _consolidated(one, back, wide, high, depth) * (side == one.side)
        hu += (one.hu + 25 * fine * (one.hu < 0) - hu) * share
        if one.bronchi:
            solid = np.maximum(solid, share)
            holes = (fine > 1.75) & (solid > 0.9)
            hu[holes] = -600
    for nodule in body.lesions.nodules:
        away = np.sqrt(
            (wide - nodule.center[0]) ** 2
            + (high - nodule.center[1]) ** 2
            + (depth - nodule.center[2]) ** 2
        )
        cover = np.clip((nodule.radius_mm * (1 + 0.06 * fine) - away) / 1.0 + 0.5, 0, 1)
        hu += (nodule.hu - hu) * cover
    return hu


def _seam(x: FloatArray) -> FloatArray:
    """Compute the share (X,) of each pixel that four layers of pleura take, where lungs meet."""
    pixel = float(x[1] - x[0])
    share: FloatArray = np.clip((0.5 * (pixel + SEAM_MM) - np.abs(x)) / pixel, 0, SEAM_MM / pixel)
    return np.minimum(share, 1)


def _fissure(
    fissure: tuple[float, float, float], wide: FloatArray, high: FloatArray, depth: FloatArray
) -> FloatArray:
    """Compute the distance (N,), mm, from a fissure; the flat one ends at the other one."""
    side, level, slope = fissure
    away = (depth - level - slope * (high - 10)) / np.hypot(1, slope)
    bowed = away + 3 * np.sin(wide * np.float32(0.04))
    ends = (wide * side < 0) | ((slope < 0.4) & (high > 0))
    far: FloatArray = np.where(ends, FAR, bowed)
    return far


def _back(body: ChestBody, one: Consolidation, x: FloatArray, depth: FloatArray) -> FloatArray:
    """Compute y (X,) of the wall behind a consolidation, mm."""
    part = body.chest.pleurae[(one.side + 1) // 2]
    return pleural_chord(part, x, depth, body.chest).back


def _consolidated(
    one: Consolidation, back: FloatArray, wide: FloatArray, high: FloatArray, depth: FloatArray
) -> FloatArray:
    """Compute the share (N,) in [0, 1] of lung without air."""
    rise = 1 - ((float(depth[0]) - one.middle_z) / one.half_z) ** 2
    if rise <= 0:
        return np.zeros_like(wide)
    field = evaluate_waves(one.ragged, wide, high, depth)
    edge = high - (back - one.deep_mm * np.sqrt(rise) * (1 + 0.25 * field))
    share: FloatArray = np.clip(edge / 2.5 + 0.5, 0, 1)
    return share


def _paint_couch(
    hu: FloatArray, outside: BoolArray, texture: TissueTexture, points: PlanePoints
) -> None:
    """Paint a mattress of foam and the curved shell under it into hu (Y, X)."""
    x, y = points.x, points.y
    bowed = x * x * np.float32(1 / 1500)
    fall = y - (118.0 + texture.couch_mm)
    low = slice(int(np.searchsorted(fall, -bowed.max())), len(y))
    bowl = fall[low, None] + bowed[None, :]
    free, below = outside[low], hu[low]
    below[free & (bowl > 0) & (bowl < 22)] = FOAM_HU
    below[free & (np.abs(bowl - 23) < 1.4)] = COUCH_HU
    below[free & (np.abs(bowl - 55) < 1.2)] = COUCH_HU
