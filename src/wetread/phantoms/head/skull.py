"""phantoms/head/skull.py: scalp, face, bone and air, and the cavity they leave for the brain."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.head.patient import Patient
from wetread.phantoms.shapes.implicit import (
    FAR,
    Box,
    SliceGrid,
    blend,
    capsule,
    cover,
    ellipsoid,
    enlarge,
    evaluate_waves,
    paint,
    sigmoid,
    slope,
    smooth_max,
    smooth_min,
)

PETROUS = ((13.0, 6.0, -35.0, 5.0), (56.0, 24.0, -33.0, 10.5))  # apex and base: x, y, z, radius

# Left of pairs: center, radii, mm
BASE_BONES = (
    ((0.0, -4.0, -48.0), (17.0, 18.0, 13.0)),  # clivus and body of the sphenoid
    ((34.0, -36.0, -46.0), (15.0, 7.0, 16.0)),  # greater wing and root of the pterygoid
    ((52.0, -10.0, -46.0), (14.0, 13.0, 6.0)),  # roof of the jaw's joint
    ((17.0, 22.0, -66.0), (8.0, 13.0, 8.0)),  # condyles
    ((21.0, 26.0, -82.0), (10.0, 9.0, 11.0)),  # lateral masses of the atlas
    ((0.0, 12.0, -84.0), (6.5, 6.0, 18.0)),  # dens
)
# Left of pairs under the base: center, radii, mm; HU as a share of muscle's
MUSCLES = (
    ((40.0, -24.0, -60.0), (17.0, 25.0, 27.0), 1.0),  # pterygoids
    ((66.0, -30.0, -68.0), (9.0, 25.0, 32.0), 1.0),  # masseter and temporalis tendon
    ((60.0, 10.0, -78.0), (10.0, 14.0, 24.0), 0.45),  # parotid
    ((13.0, 8.0, -84.0), (10.0, 9.0, 26.0), 1.0),  # prevertebral
    ((0.0, -14.0, -76.0), (24.0, 12.0, 22.0), 0.85),  # wall of the pharynx
    ((14.0, 62.0, -84.0), (12.0, 15.0, 36.0), 1.0),  # semispinalis
    ((36.0, 52.0, -84.0), (13.0, 18.0, 36.0), 1.0),  # splenius
    ((58.0, 34.0, -86.0), (9.0, 14.0, 34.0), 1.0),  # sternocleidomastoid
    ((30.0, -92.0, -60.0), (26.0, 7.0, 26.0), 0.8),  # face
)


@dataclass(frozen=True, eq=False)
class Skull:
    """Signed distances on a slice's coarse grid, (h, w, S), mm, negative inside.

    vault:  the inner table alone, unaware of the base.
    inside: the cavity within the dura.
    bone:   cranial bone; outer: the outer table; head: the skin.
    thickness: of the bone, mm; petrous: the ridges; above_floor: height over the base.
    patchy: slow random field of unit variance, for whatever should not be regular.
    """

    vault: FloatArray
    inside: FloatArray
    bone: FloatArray
    outer: FloatArray
    head: FloatArray
    thickness: FloatArray
    petrous: FloatArray
    above_floor: FloatArray
    patchy: FloatArray


def skull_part(skull: Skull, box: Box) -> Skull:
    """Give the distances within a box, as views."""
    return Skull(*(getattr(skull, field.name)[box] for field in fields(Skull)))


def vault_distance(patient: Patient, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """Evaluate the inner table of the vault at points of any shape, mm, as an implicit function.

    It is an egg, wider at the back, 140 x 170 mm at its widest.
    """
    power = np.float32(patient.vault_power)
    width = 70 * (1 + patient.egg * np.clip(y * (1 / 85), -1, 1))
    total = (np.abs(x) / width) ** power
    total += (np.abs(y) * (1 / 85)) ** power
    total += (np.abs(z) * np.where(z > 0, np.float32(1 / 74), np.float32(1 / 125))) ** power
    ratio = np.maximum(total, 0.02) ** np.float32(1 / power)
    distance: FloatArray = np.sqrt(x * x + y * y + z * z)
    distance *= 1 - 1 / ratio
    return distance


def _floor(x: FloatArray, y: FloatArray) -> FloatArray:
    """Compute the height of the skull base, (h, w, S) mm: fossae, orbital roofs, sella, clivus."""
    side = np.abs(x)
    orbital_roof = 8 * np.exp(-(((side - 30) / 12) ** 2 + ((y + 58) / 26) ** 2))
    orbital_roof -= 6 * np.exp(-((x / 7) ** 2))
    anterior = -22 + orbital_roof
    bowl = 0.010 * ((side - 40) ** 2 + 0.6 * (y + 12) ** 2)
    middle = -23 + (np.minimum(bowl, 10) - 25) * sigmoid((side - 18) * 0.5)
    posterior = -59 + 0.0105 * (side**2 + (y - 34) ** 2)
    wing = sigmoid((-24 - 0.35 * np.clip(side - 10, 0, 34) - y) * 0.5)
    ridge = sigmoid((y - 6 - 0.42 * side) * (0.20 + 0.3 * np.minimum(side * (1 / 25), 1)))
    floor: FloatArray = wing * anterior + (1 - wing) * (ridge * posterior + (1 - ridge) * middle)
    return floor


def _base_bones(grid: SliceGrid) -> FloatArray:
    """Compute what is massive under the base, (h, w, S) mm: BASE_BONES of both sides."""
    side = np.abs(grid.x)
    solid = np.full_like(grid.x, FAR)
    if grid.span.lowest < -20:
        for center, radii in BASE_BONES:
            solid = np.minimum(solid, ellipsoid(side, grid.y, grid.z, center, radii))
    return solid


def build_skull(patient: Patient, grid: SliceGrid) -> Skull:
    """Compute all of the head that is not brain, as distances."""
    x, y, z = grid.x, grid.y, grid.z
    side = np.abs(x)
    vault = vault_distance(patient, x, y, z)
    patchy = evaluate_waves(patient.patchy, x, y, z)
    thickness = patient.bone_mm * (1 + 0.13 * patchy + 0.25 * np.clip(np.abs(y) / 85 - 0.6, 0, 1))
    thickness -= 1.6 * np.exp(-(((side - 66) / 12) ** 2 + ((y + 5) / 30) ** 2))  # thin squama
    outer = vault - thickness

    floor = _floor(x, y)
    steep = np.sqrt(1 + np.minimum(slope(floor, grid.pixel), 3.0) ** 2)
    above = (floor - z) / steep
    petrous = capsule(side, y, z, *PETROUS)
    inside = smooth_max(vault, above, 4.0)
    inside = smooth_max(inside, -petrous, 3.0)
    canal = np.maximum(np.sqrt(x * x + (y - 32) ** 2) - 12.5, z + 56)
    inside = smooth_min(inside, canal, 3.0)

    base = 3.8 + 1.0 * patchy - 2.2 * sigmoid((-34 - y) * 0.4)
    bone = np.maximum(np.maximum(-inside, outer), above - base)
    bone = np.minimum(bone, np.maximum(petrous, outer + 1))
    ring = np.abs(np.sqrt(x * x + (y - 32) ** 2) - 17) - 3.5
    bone = np.minimum(bone, np.maximum(np.maximum(ring, z + 72), -inside))
    bone = np.minimum(bone, np.maximum(_base_bones(grid), np.maximum(outer + 4, -inside)))

    temple = np.exp(-(((y + 18) / 26) ** 2 + ((z + 22) / 30) ** 2)) * sigmoid((side - 40) * 0.2)
    scalp = patient.scalp_mm + patient.temporalis_mm * temple
    scalp += 9 * sigmoid((-35 - z) * 0.12) * sigmoid((y - 30) * 0.1)
    head = outer - scalp
    face = ellipsoid(x, y, z, (0, -58, -70), (63, 44, 62))
    head = smooth_min(head, face, 12.0)
    head = smooth_min(head, ellipsoid(x, y, z, (0, -104, -62), (12, 14, 26)), 8.0)
    head = np.minimum(head, ellipsoid(side, y, z, (76, 22, -46), (9, 15, 24)))
    return Skull(vault, inside, bone, outer, head, thickness, petrous, above, patchy)


def suture_distance(
    x: FloatArray, y: FloatArray, z: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute signed mm from the sutures at points of any shape.

    Coronal (positive behind it), lambdoid (positive in front of it), sagittal (positive left).
    """
    wiggle = 1.2 * np.sin(0.9 * (np.abs(x) + z))
    coronal = y + 22 - 0.28 * (z - 40) + wiggle
    lambdoid = 71 - 0.35 * np.abs(x) + 0.55 * (z - 10) - y + wiggle
    return coronal, lambdoid * 0.8, x + wiggle


def paint_skull(patient: Patient, grid: SliceGrid, skull: Skull, hu: FloatArray) -> None:
    """Paint skin, fat, muscle, face, bone with diploe and sutures, air cells into hu (H, W, S)."""
    tissue, pixel = patient.tissue, grid.pixel
    x, y, z = grid.x, grid.y, grid.z
    side = np.abs(x)
    paint(hu, skull.head, tissue.skin, pixel)
    paint(hu, skull.head + 1.8, tissue.fat, pixel)
    in_scalp = np.maximum(skull.head + 2.6, -skull.outer)
    temporalis = np.maximum(in_scalp, ellipsoid(side, y, z, (72, -20, -22), (20, 33, 42)))
    paint(hu, temporalis, tissue.muscle, pixel)
    low = grid.span.lowest
    if low < -18:
        _paint_face(patient, grid, skull, hu)
    galea = np.maximum(np.abs(skull.outer - 1.2) - 0.7, -40 - z)
    paint(hu, galea, tissue.muscle * 0.6, pixel)
    _paint_bone(patient, grid, skull, hu)
    if low < -5:
        _paint_air(patient, grid, skull, hu)


def _paint_face(patient: Patient, grid: SliceGrid, skull: Skull, hu: FloatArray) -> None:
    """Paint muscle between fat planes, orbits with globe, lens and nerve, zygoma, mandible."""
    tissue, pixel = patient.tissue, grid.pixel
    x, y, z = grid.x, grid.y, grid.z
    side = np.abs(x)
    outside = np.minimum(3 - skull.above_floor, 1 - skull.outer)
    below = np.maximum(np.maximum(skull.head + 3.5, outside), z + 18)
    ragged = 1.6 * evaluate_waves(patient.cells, side, y, z)
    planes = np.abs(evaluate_waves(patient.winding, side, y, z * 0.3))
    deep = (0.5 - 0.28 * sigmoid((y - 15) * 0.15) - planes) * 4.0
    paint(hu, np.maximum(deep, np.maximum(below, -58 - y)), tissue.muscle * 0.9, pixel)
    for center, radii, share in MUSCLES:
        belly = ellipsoid(side, y, z, center, radii) + ragged
        paint(hu, np.maximum(belly, below), tissue.muscle * share, pixel)
    rim = np.abs(ellipsoid(side, y, z, (32, -62, -36), (21, 28, 21))) - 1.6
    rim = np.maximum(rim, np.maximum(y + 28, -74 - y + 0.25 * (side - 20)))
    paint(hu, np.maximum(rim, skull.head + 3), 700.0, pixel)
    paint(hu, ellipsoid(side, y, z, (32, -62, -36), (19, 27, 19.5)), tissue.fat, pixel)
    globe = ellipsoid(side, y, z, (32, -74, -37), (12.3, 12.3, 12))
    paint(hu, globe - 0.6, 48.0, pixel)
    paint(hu, globe + 0.9, tissue.fluid + 6, pixel)
    paint(hu, ellipsoid(side, y, z, (32, -82, -37), (4.6, 2.2, 4.4)), 85.0, pixel)
    for dx, dz in ((11.0, 0.0), (-10.5, 0.0), (0.0, 10.5), (0.0, -10.0)):
        rectus = capsule(
            side, y, z, (32 + dx, -72, -37 + dz, 1.6), (20 + 0.2 * dx, -38, -35 + 0.2 * dz, 2.2)
        )
        paint(hu, rectus, 52.0, pixel)
    paint(hu, capsule(side, y, z, (31.5, -62, -37, 2.0), (17, -36, -33, 2.0)), 38.0, pixel)
    arch = capsule(side, y, z, (50, -68, -52, 4.2), (66, -38, -50, 2.2))
    arch = np.minimum(arch, capsule(side, y, z, (66, -38, -50, 2.2), (66, -2, -46, 3.0)))
    arch = np.minimum(arch, capsule(side, y, z, (54, -8, -52, 4.0), (52, -8, -90, 5.0)))
    paint(hu, np.maximum(arch, skull.head + 4), 950.0, pixel)


def _paint_bone(patient: Patient, grid: SliceGrid, skull: Skull, hu: FloatArray) -> None:
    """Paint two tables with spongy diploe between them; sutures as thin gaps in part."""
    tissue = patient.tissue
    patch = cover(skull.bone, grid.pixel)
    if patch is None:
        return
    level = skull.vault / skull.thickness - 0.5
    spongy = np.clip(1.55 - 3.6 * np.abs(level), 0, 1)
    spongy *= np.clip(0.85 + 0.25 * skull.vault / 4, 0.3, 1)
    value = tissue.cortical + (tissue.diploe - tissue.cortical) * spongy
    value -= 380 * (skull.above_floor > -1) * (skull.petrous > 3)
    fill = enlarge(value.astype(np.float32))
    coronal, lambdoid, sagittal = suture_distance(grid.x, grid.y, grid.z)
    sagittal = np.where((coronal > 0) & (lambdoid > 0) & (grid.z > 0), np.abs(sagittal), 9.0)
    seam = np.minimum(np.minimum(np.abs(coronal), np.abs(lambdoid)), sagittal)
    seam = np.where(grid.z > -15, seam, 9.0).astype(np.float32)
    open_seam = np.clip(1.1 - enlarge(seam), 0, 0.65)
    fill -= open_seam * (fill - 150)
    blend(hu, patch, fill)


def _paint_air(patient: Patient, grid: SliceGrid, skull: Skull, hu: FloatArray) -> None:
    """Paint frontal, ethmoid, sphenoid and maxillary sinuses, nose with septum, mastoid cells."""
    x, y, z, pixel = grid.x, grid.y, grid.z, grid.pixel
    side = np.abs(x)
    cells = evaluate_waves(patient.cells, x * 1.6, y * 1.6, z * 1.6)
    size = patient.frontal_sinus
    frontal = ellipsoid(x, y, z, (2, -89, -14), (20 * size + 6, 4.5, 14 * size + 4))
    frontal = np.maximum(frontal, 0.9 - np.abs(x - 1))
    frontal = np.maximum(frontal, np.maximum(skull.outer + 1.2, 1.2 - skull.vault))
    solids = [(frontal, patient.clouded[0])]
    if grid.span.lowest < -20:
        ethmoid = np.maximum(side - 12, np.maximum(np.maximum(-80 - y, y + 40), z + 25))
        ethmoid = np.maximum(ethmoid, np.maximum(-58 - z, (np.abs(cells) - 1.1) * 3))
        ethmoid = np.maximum(ethmoid, 1.0 - side)
        sphenoid = ellipsoid(x, y, z, (2, -22, -36), (14, 11, 8))
        sphenoid = np.maximum(sphenoid, 0.8 - np.abs(x + 2))
        maxillary = ellipsoid(side, y, z, (29, -66, -76), (14, 15, 17))
        nose = np.maximum(capsule(side, y, z, (5, -96, -60, 4), (6, -42, -66, 5.5)), 1.1 - side)
        pharynx = ellipsoid(x, y, z, (0, -20, -82), (13, 10, 24))
        mastoid = ellipsoid(side, y, z, (57, 27, -42), (11, 14, 17))
        mastoid = np.maximum(mastoid, (cells - patient.mastoid_air) * 3.0)
        canal = capsule(side, y, z, (52, 14, -38, 2.5), (80, 16, -40, 3.5))
        antrum = np.maximum(skull.petrous + 3.5, (np.abs(cells) - 0.3) * 4)
        wall = (
            np.minimum(np.abs(maxillary + 0.5), np.abs(np.maximum(side - 12, -82 - y) + 0.5)) - 0.6
        )
        wall = np.maximum(wall, np.maximum(np.maximum(y + 36, z + 24), skull.head + 4))
        paint(hu, np.maximum(wall, np.minimum(maxillary - 2, side - 14)), 600.0, pixel)
        solids += [(one, patient.clouded[1]) for one in (ethmoid, sphenoid)]
        solids += [(maxillary, patient.clouded[2])]
        solids += [(one, False) for one in (nose, pharynx, mastoid, canal, antrum)]
    for solid, clouded in solids:
        within = np.maximum(solid, 1.5 - skull.inside)
        paint(hu, within, 32.0 if clouded else -950.0, pixel)
