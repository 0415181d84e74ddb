"""phantoms/chest/paint.py: parts of a chest's plane become true HU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.chest.chest import pleural_chord
from wetread.phantoms.chest.lesions import Consolidation
from wetread.phantoms.chest.parts import Body, Part, Plane
from wetread.phantoms.shapes.implicit import FAR, Array, Waves, draw_waves, evaluate_waves
from wetread.phantoms.shapes.slab import stretch
from wetread.phantoms.shapes.tubes import Cover

Bools = NDArray[np.bool_]

# Without contrast; the figures are those of textbooks and of scans looked at.
HU_OF: dict[Part, float] = {
    Part.ROOM: -1000.0,
    Part.SKIN: 10.0,
    Part.FAT: -105.0,
    Part.MUSCLE: 55.0,
    Part.GLAND: 25.0,
    Part.MEDIASTINUM: -85.0,
    Part.HEART: 42.0,
    Part.VESSEL: 40.0,
    Part.GULLET: 32.0,
    Part.AIRWAY: -995.0,
    Part.AIRWAY_WALL: 10.0,
    Part.LUNG: -850.0,
    Part.EFFUSION: 8.0,
    Part.LIVER: 58.0,
    Part.SPLEEN: 48.0,
    Part.BOWEL: 20.0,
    Part.GAS: -995.0,
    Part.CORTEX: 620.0,
    Part.MARROW: 170.0,
    Part.DISC: 80.0,
    Part.CORD: 38.0,
}
VESSEL_HU = 42.0
RIB_HU, RIB_MARROW_HU, CARTILAGE_HU = 560.0, 190.0, 105.0
BRONCHUS_HU = -940.0
PLEURA_HU, SEAM_MM = 0.0, 0.7
COUCH_HU, FOAM_HU = 120.0, -930.0


@dataclass(frozen=True, eq=False)
class Paint:
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


def draw_paint(rng: np.random.Generator) -> Paint:
    """Denser in the young and in those who breathed out."""
    return Paint(
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
    body: Body,
    paint: Paint,
    plane: Plane,
    vessels: Cover,
    bones: tuple[Cover, Cover, Cover],
    at: tuple[Array, Array, Array],
) -> Array:
    """True HU (Y, X) of a plane; vessels, bones (all, marrow, cartilage): covers (Y, X) of 0-255.

    at: x (X,), y (Y,), z () mm of its points.
    """
    x, y, z = at
    table = np.array([HU_OF[part] for part in Part], np.float32)
    hu = table[plane.part]
    outside = plane.part == Part.ROOM
    own = stretch(~outside.all(axis=1)), stretch(~outside.all(axis=0))  # the person's
    part = plane.part[own]
    grain = evaluate_waves(paint.grain, x[None, own[1]], y[own[0], None], z[None, None])
    tissue = (part != Part.ROOM) & (part != Part.AIRWAY) & (part != Part.GAS)
    hu[own] += 5 * grain * tissue
    lung = plane.part == Part.LUNG
    if lung.any():
        hu[lung] = _lung(body, paint, plane.side[lung], vessels[lung], lung, at)
    _mix(hu, bones[2] * ~lung, CARTILAGE_HU)
    _mix(hu, bones[0], RIB_HU * body.chest.bone)
    _mix(hu, bones[1], RIB_MARROW_HU)
    if len(part):
        _paint_couch(hu, outside, paint, x, y)
    return hu


def _mix(hu: Array, cover: Cover, value: float) -> None:
    """Mix a value into (Y, X) by a cover of 0-255, in place; most of a plane is not covered."""
    there = cover > 0
    held = hu[there]
    hu[there] = held + (value - held) * (cover[there] * np.float32(1 / 255))


def _lung(
    body: Body,
    paint: Paint,
    side: NDArray[np.int8],
    vessels: Cover,
    lung: Bools,
    at: tuple[Array, Array, Array],
) -> Array:
    """HU (N,) of a plane's points in a lung: parenchyma, then ground glass, vessels, nodules.

    lung: (Y, X), where these points are; side, vessels: (N,), as of the plane.
    """
    x, y, z = at
    wide = np.broadcast_to(x[None, :], lung.shape)[lung]
    high = np.broadcast_to(y[:, None], lung.shape)[lung]
    depth = np.full(1, z, np.float32)
    fine = evaluate_waves(paint.lobules, wide, high, depth)
    rough = evaluate_waves(paint.patches, wide, high, depth)
    hu = paint.lung_hu + paint.gravity_hu * (high - 10) * np.float32(0.01)
    hu += 16 * fine + 14 * rough
    if body.touching:
        seam = np.broadcast_to(_seam(x)[None, :], lung.shape)[lung]
        hu += (PLEURA_HU - hu) * seam
    for fissure in paint.fissures:
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
    hu += (VESSEL_HU - hu) * (vessels * np.float32(1 / 255))
    for nodule in body.lesions.nodules:
        away = np.sqrt(
            (wide - nodule.center[0]) ** 2
            + (high - nodule.center[1]) ** 2
            + (depth - nodule.center[2]) ** 2
        )
        cover = np.clip((nodule.radius_mm * (1 + 0.06 * fine) - away) / 1.0 + 0.5, 0, 1)
        hu += (nodule.hu - hu) * cover
    return hu


def _seam(x: Array) -> Array:
    """Share (X,) of each pixel that four layers of pleura take, where the lungs meet."""
    pixel = float(x[1] - x[0])
    share: Array = np.clip((0.5 * (pixel + SEAM_MM) - np.abs(x)) / pixel, 0, SEAM_MM / pixel)
    return np.minimum(share, 1)


def _fissure(fissure: tuple[float, float, float], wide: Array, high: Array, depth: Array) -> Array:
    """Distance (N,), mm, from the plane that parts two lobes; the flat one ends at the other."""
    side, level, slope = fissure
    away = (depth - level - slope * (high - 10)) / np.hypot(1, slope)
    bowed = away + 3 * np.sin(wide * np.float32(0.04))
    ends = (wide * side < 0) | ((slope < 0.4) & (high > 0))
    far: Array = np.where(ends, FAR, bowed)
    return far


def _back(body: Body, one: Consolidation, x: Array, depth: Array) -> Array:
    """y (X,) of the wall behind a consolidation, mm."""
    part = body.chest.pleurae[(one.side + 1) // 2]
    return pleural_chord(part, x, depth, body.chest).back


def _consolidated(one: Consolidation, back: Array, wide: Array, high: Array, depth: Array) -> Array:
    """Share (N,) in [0, 1] of lung that holds no air."""
    rise = 1 - ((float(depth[0]) - one.middle_z) / one.half_z) ** 2
    if rise <= 0:
        return np.zeros_like(wide)
    field = evaluate_waves(one.ragged, wide, high, depth)
    edge = high - (back - one.deep_mm * np.sqrt(rise) * (1 + 0.25 * field))
    share: Array = np.clip(edge / 2.5 + 0.5, 0, 1)
    return share


def _paint_couch(hu: Array, outside: Bools, paint: Paint, x: Array, y: Array) -> None:
    """A mattress of foam and the curved shell under it."""
    bowed = x * x * np.float32(1 / 1500)
    fall = y - (118.0 + paint.couch_mm)
    low = slice(int(np.searchsorted(fall, -bowed.max())), len(y))
    bowl = fall[low, None] + bowed[None, :]
    free, below = outside[low], hu[low]
    below[free & (bowl > 0) & (bowl < 22)] = FOAM_HU
    below[free & (np.abs(bowl - 23) < 1.4)] = COUCH_HU
    below[free & (np.abs(bowl - 55) < 1.2)] = COUCH_HU
