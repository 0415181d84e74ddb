"""phantoms/chest_paint.py: parts of a chest's plane become true HU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.chest import pleural_chord
from wetread.phantoms.chest_lesions import Consolidation
from wetread.phantoms.chest_parts import Body, Part, Plane
from wetread.phantoms.fields import FAR, Array, Waves, draw_waves, evaluate_waves
from wetread.phantoms.tubes import Cover

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
    wide, high = np.meshgrid(x, y)
    depth = np.full_like(wide, z)
    table = np.array([HU_OF[part] for part in Part], np.float32)
    hu = table[plane.part]
    grain = evaluate_waves(paint.grain, wide, high, depth)
    tissue = (plane.part != Part.ROOM) & (plane.part != Part.AIRWAY) & (plane.part != Part.GAS)
    hu += np.where(tissue, 5 * grain, 0)
    lung = plane.part == Part.LUNG
    if lung.any():
        _paint_lung(hu, body, paint, plane, vessels, (wide, high, depth))
    share = bones[2] * np.float32(1 / 255) * ~lung
    hu += (CARTILAGE_HU - hu) * share
    whole, marrow = (cover * np.float32(1 / 255) for cover in bones[:2])
    hu += (RIB_HU * body.chest.bone - hu) * whole
    hu += (RIB_MARROW_HU - hu) * marrow
    outside = plane.part == Part.ROOM
    if outside.any():
        _paint_couch(hu, outside, paint, wide, high, y)
    return hu


def _paint_lung(
    hu: Array,
    body: Body,
    paint: Paint,
    plane: Plane,
    vessels: Cover,
    at: tuple[Array, Array, Array],
) -> None:
    """Parenchyma, then what lies in it: ground glass, consolidation, vessels, nodules."""
    wide, high, depth = at
    lung = plane.part == Part.LUNG
    fine = evaluate_waves(paint.lobules, wide, high, depth)
    rough = evaluate_waves(paint.patches, wide, high, depth)
    base = paint.lung_hu + paint.gravity_hu * (high - 10) * np.float32(0.01)
    base += 16 * fine + 14 * rough
    hu[lung] = base[lung]
    if body.touching:
        hu += (PLEURA_HU - hu) * _seam(wide) * lung
    for fissure in paint.fissures:
        hu += 130 * np.exp(-((_fissure(fissure, wide, high, depth) / 0.8) ** 2)) * lung
    solid = np.zeros(lung.shape, np.float32)
    for one in body.lesions.consolidations:
        share = _consolidated(body, one, wide, high, depth) * (plane.side == one.side)
        hu += (one.hu + 25 * fine * (one.hu < 0) - hu) * share
        if one.bronchi:
            solid = np.maximum(solid, share)
            holes = (fine > 1.75) & (solid > 0.9)
            hu[holes] = -600
    hu += (VESSEL_HU - hu) * (vessels * np.float32(1 / 255)) * lung
    for nodule in body.lesions.nodules:
        away = np.sqrt(
            (wide - nodule.center[0]) ** 2
            + (high - nodule.center[1]) ** 2
            + (depth - nodule.center[2]) ** 2
        )
        cover = np.clip((nodule.radius_mm * (1 + 0.06 * fine) - away) / 1.0 + 0.5, 0, 1)
        hu += (nodule.hu - hu) * cover * lung


def _seam(wide: Array) -> Array:
    """Share (Y, X) of each pixel that four layers of pleura take, where the lungs meet."""
    pixel = float(wide[0, 1] - wide[0, 0])
    share: Array = np.clip((0.5 * (pixel + SEAM_MM) - np.abs(wide)) / pixel, 0, SEAM_MM / pixel)
    return np.minimum(share, 1)


def _fissure(fissure: tuple[float, float, float], wide: Array, high: Array, depth: Array) -> Array:
    """Distance (Y, X), mm, from the plane that parts two lobes; the flat one ends at the other."""
    side, level, slope = fissure
    away = (depth - level - slope * (high - 10)) / np.hypot(1, slope)
    bowed = away + 3 * np.sin(wide * np.float32(0.04))
    ends = (wide * side < 0) | ((slope < 0.4) & (high > 0))
    far: Array = np.where(ends, FAR, bowed)
    return far


def _consolidated(body: Body, one: Consolidation, wide: Array, high: Array, depth: Array) -> Array:
    """Share (Y, X) in [0, 1] of lung that holds no air."""
    part = body.chest.pleurae[(one.side + 1) // 2]
    z = float(depth[0, 0])
    rise = 1 - ((z - one.middle_z) / one.half_z) ** 2
    if rise <= 0:
        return np.zeros_like(wide)
    chord = pleural_chord(part, wide[0], depth[0], body.chest)
    field = evaluate_waves(one.ragged, wide, high, depth)
    edge = high - (chord.back - one.deep_mm * np.sqrt(rise) * (1 + 0.25 * field))
    share: Array = np.clip(edge / 2.5 + 0.5, 0, 1)
    return share


def _paint_couch(
    hu: Array, outside: Bools, paint: Paint, wide: Array, high: Array, y: Array
) -> None:
    """A mattress of foam and the curved shell under it."""
    tissue = np.flatnonzero(~outside.all(axis=1))
    if not len(tissue):
        return
    back = 118.0 + paint.couch_mm
    bowl = high - back + (wide * wide) * np.float32(1 / 1500)
    hu[outside & (bowl > 0) & (bowl < 22)] = FOAM_HU
    hu[outside & (np.abs(bowl - 23) < 1.4)] = COUCH_HU
    hu[outside & (np.abs(bowl - 55) < 1.2)] = COUCH_HU
