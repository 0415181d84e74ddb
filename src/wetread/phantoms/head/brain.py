"""phantoms/head/brain.py: gray and white matter, ventricles, cisterns, sulci, dural folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.head.patient import Patient
from wetread.phantoms.head.skull import Skull
from wetread.phantoms.shapes.implicit import (
    FAR,
    Patch,
    SliceGrid,
    Span,
    blend,
    capsule,
    ellipsoid,
    enlarge,
    evaluate_waves,
    paint,
    plane_mean,
    slope,
    smooth_min,
)

# x, y, z, radius of the left lateral ventricle's axis (mirrored for the right), mm
LATERAL = (
    ((13.5, -36.0, 7.0, 3.0), (7.5, -21.0, 13.0, 5.0)),
    ((7.5, -21.0, 13.0, 5.0), (6.5, -4.0, 19.0, 4.2)),
    ((6.5, -4.0, 19.0, 4.2), (16.0, 26.0, 21.0, 5.6)),
    ((16.0, 26.0, 21.0, 5.6), (23.0, 40.0, 8.0, 6.6)),
    ((23.0, 40.0, 8.0, 6.6), (23.0, 62.0, 4.0, 2.4)),
    ((23.0, 40.0, 8.0, 5.0), (31.0, 16.0, -15.0, 2.2)),
    ((31.0, 16.0, -15.0, 2.2), (31.0, -10.0, -22.0, 1.6)),
)


@dataclass(frozen=True, eq=False)
class Brain:
    """Signed distances on a slice's coarse grid, (h, w, S), mm, negative inside.

    moved:      where each sample came from before blood pushed it, as coordinates.
    surface:    the smooth hull of the brain, sulci not cut out.
    sulcus:     distance from the middle of the nearest sulcus, mm, never negative.
    depth:      below the hull, mm, positive inside; sulcus_width: mm at this depth.
    ventricles: all four; lateral: the two lateral ones.
    cisterns:   basal cisterns and Sylvian fissures; fissure: between the hemispheres.
    tissue:     what is neither fluid nor fold; below_tentorium: the posterior fossa.
    falx, tentorium: the folds' midplanes, distance with their edges;
    tentorium_reach: its edges alone.
    """

    moved: SliceGrid
    surface: FloatArray
    sulcus: FloatArray
    depth: FloatArray
    sulcus_width: FloatArray
    ventricles: FloatArray
    lateral: FloatArray
    cisterns: FloatArray
    fissure: FloatArray
    tissue: FloatArray
    below_tentorium: FloatArray
    falx: FloatArray
    tentorium: FloatArray
    tentorium_reach: FloatArray


@dataclass(frozen=True, eq=False)
class SliceAnatomy:
    """One slice of a head that cuts the brain: where its samples lie, its skull and its brain."""

    grid: SliceGrid
    skull: Skull
    brain: Brain


def _ventricles(
    patient: Patient, x: FloatArray, y: FloatArray, z: FloatArray, span: Span
) -> tuple[FloatArray, FloatArray]:
    """Compute the lateral ventricles, 10-30 mL in all, and all four; (h, w, S) mm each."""
    side = np.abs(x)
    right, left = (np.float32(side * patient.ventricle) for side in patient.sides)
    grow = np.where(x > 0, left, right)
    low, high = span[:2]
    lateral = np.full_like(x, FAR)
    if high > -32 and low < 42:
        for start, end in LATERAL:
            widen = max(start[3], end[3]) * (grow - 1)
            rod = capsule(side, y, z, start, end, span) - widen
            lateral = smooth_min(lateral, rod, 2.0)
        lateral = np.maximum(lateral, 0.7 - side)
    wide = 2.0 * patient.ventricle
    third = ellipsoid(x, y, z, (0, -1, 0), (wide + 0.6, 15, 11), span)
    fourth = ellipsoid(x, y, z, (0, 30, -36), (6 * patient.ventricle + 3, 6, 12), span)
    fourth = np.maximum(fourth, y - 34 + side * 0.35)
    return lateral, np.minimum(np.minimum(lateral, third), fourth)


def tentorium_height(x: FloatArray, y: FloatArray) -> FloatArray:
    """Compute the height of the tentorium at x, y of any shape, mm.

    High at the midline, low at the skull, falling to the back.
    """
    side = np.abs(x)
    height: FloatArray = -27 + 27 * np.exp(-side * (1 / 19)) - 0.10 * np.maximum(y - 25, 0)
    return height


def _cisterns(
    patient: Patient, x: FloatArray, y: FloatArray, z: FloatArray, span: Span
) -> FloatArray:
    """Compute the basal cisterns and the Sylvian fissure with its insula, (h, w, S) mm."""
    side = np.abs(x)
    wide = 0.35 + 1.0 * patient.atrophy
    result = np.full_like(x, FAR)
    low, high = span[:2]
    if high > -50 and low < 14:
        arms = capsule(side, y, z, (0, -14, -18, 5.0), (15, -19, -17, 1.2), span)
        arms = np.minimum(arms, capsule(side, y, z, (0, -14, -18, 5.0), (0, -31, -17, 1.2), span))
        arms = np.minimum(arms, capsule(side, y, z, (0, -10, -18, 5.0), (13, 1, -16, 1.0), span))
        ring = np.abs(ellipsoid(x, y, z, (0, 10, -16), (18, 15, 60), span)) - (0.6 + 1.1 * wide)
        ring = np.maximum(ring, np.maximum(np.abs(z + 14) - 13, 3 - y))
        quad = ellipsoid(x, y, z, (0, 26, -8), (11, 3.2 + wide, 10), span)
        pons = np.maximum(ellipsoid(x, y, z, (0, -2, -34), (15, 3.0, 14), span), -z - 52)
        angle = capsule(side, y, z, (14, 6, -38, 2.5), (24, 14, -40, 2.0), span)
        magna = ellipsoid(x, y, z, (0, 62, -47), (1.2 * patient.cistern_mm, 11, 12), span)
        for part in (arms, ring, quad, pons, angle, magna):
            result = np.minimum(result, part - 0.6 * (wide - 0.8))
    if high > -22 and low < 34:
        leaf = np.maximum(np.abs(z - 6) - 15, -40)
        low_span = Span(*(0.25 * height for height in span))
        front = capsule(side, y, z * 0.25, (37, -20, 1.5, 1.1), (64, -31, 1.5, 2.2), low_span)
        back = capsule(side, y, z * 0.25, (41, 4, 1.5, 1.0), (68, 12, 1.5, 1.6), low_span)
        insula = np.abs(ellipsoid(side, y, z * 0.25, (21, -4, 1.5), (20, 26, 30), low_span)) - 0.9
        insula = np.maximum(insula, np.maximum(31 - side, np.abs(y + 5) - 19))
        stem = capsule(side, y, z, (14, -19, -17, 1.5), (38, -20, -8, 1.2), span)
        sylvian = np.maximum(np.minimum(np.minimum(front, back), insula), leaf)
        result = np.minimum(result, np.minimum(sylvian, stem) - 0.9 * (wide - 0.75))
    return result


def build_brain(patient: Patient, grid: SliceGrid, skull: Skull, moved: SliceGrid) -> Brain:
    """Compute everything within the dura; moved: coordinates after mass effect."""
    x, y, z = moved.x, moved.y, moved.z
    side = np.abs(x)
    surface = skull.inside + patient.gap_mm
    depth = np.maximum(-skull.vault - patient.gap_mm, -surface)

    # Sulci run inward, so their field hardly changes along a radius.
    radius = np.sqrt(x * x + y * y + (z + 15) ** 2) + 1
    pull = 36 / radius + 0.46
    bend = 1.8 * skull.patchy
    wind = 2.6 * evaluate_waves(patient.winding, x, y, z)
    field = evaluate_waves(patient.sulci, x * pull + wind, y * pull - wind, (z + 15) * pull + bend)
    steep = slope(field, grid.pixel)
    sulcus = np.minimum(np.abs(field) / (steep + 0.03), 15).astype(np.float32)
    fade = 1 - np.maximum(depth, 0) * (1 / patient.sulcus_depth_mm)
    width = np.where(fade > 0, patient.sulcus_mm * (0.35 + 0.65 * fade), -6 * (1 - fade) - 0.3)

    lateral, ventricles = _ventricles(patient, x, y, z, moved.span)
    cisterns = _cisterns(patient, x + bend, y - bend, z, moved.span)

    callosum = ellipsoid(x, y, z, (0, -3, 6), (60, 42, 24), moved.span)
    fissure = np.maximum(side - 0.7 - 0.9 * patient.atrophy, -callosum)
    tent = tentorium_height(grid.x, grid.y)
    level = (grid.z - tent) * 0.75
    notch = np.sqrt(side**2 + ((y - 10) * 0.62) ** 2) - 17
    behind = grid.y - 4 - 0.42 * np.abs(grid.x)
    below = np.maximum(np.maximum(level, -behind * 0.9), -FAR)
    fissure = np.maximum(fissure, -level if float(behind.max()) > 0 else fissure)

    edge = ellipsoid(grid.x, grid.y, grid.z, (0, 2, -6), (400, 52, 46), grid.span) * 0.25
    falx = np.maximum(np.abs(x * 0.5 + grid.x * 0.5), -edge)
    falx = np.maximum(falx, np.maximum(-level, -24 - grid.z))
    tentorium_reach = np.maximum(-notch, -behind)
    tentorium = np.maximum(np.abs(level), tentorium_reach)

    cleft = np.where(below < 0, FAR, sulcus - width * 0.5)
    fluid = np.minimum(np.minimum(ventricles, cisterns), np.minimum(cleft, fissure))
    tissue = np.maximum(surface, -fluid)
    return Brain(
        moved, surface, sulcus, depth, width.astype(np.float32), ventricles, lateral, cisterns,
        fissure, tissue, below, falx, tentorium, tentorium_reach,
    )  # fmt: skip


def _deep_gray(grid: SliceGrid) -> FloatArray:
    """Compute caudate, lentiform nucleus and thalamus of both sides, (h, w, S) mm."""
    x, y, z, span = grid.x, grid.y, grid.z, grid.span
    side = np.abs(x)
    caudate = capsule(side, y, z, (13.5, -22, 9, 4.6), (16.5, -2, 21, 2.6), span)
    lean = side + 0.35 * y
    lentiform = ellipsoid(lean, y, z, (25.5, -4, 4), (6.5, 17, 11), span)
    thalamus = ellipsoid(side - 0.25 * y, y, z, (8.0, 11, 6), (8, 13, 10), span)
    return np.minimum(np.minimum(caudate, lentiform), thalamus)


def paint_brain(patient: Patient, anatomy: SliceAnatomy, hu: FloatArray) -> None:
    """Paint fluid, cortex, white and deep gray matter, brain stem, cerebellum; hu (H, W, S)."""
    grid, skull, brain = anatomy.grid, anatomy.skull, anatomy.brain
    tissue, pixel, moved = patient.tissue, grid.pixel, brain.moved
    x, y, z = moved.x, moved.y, moved.z
    paint(hu, skull.inside, tissue.fluid + 3, pixel)
    paint(hu, brain.tissue, tissue.gray, pixel)
    low, high = grid.span[:2]
    shallow = brain.depth < patient.sulcus_depth_mm + 3
    bank = np.where(shallow, 3.0 + np.maximum(brain.sulcus_width, 0) * 0.5 - brain.sulcus, -FAR)
    white = np.maximum(brain.surface + 4.2, bank)
    off_deep_gray = 1.5 - _deep_gray(moved) if low < 34 else None
    if off_deep_gray is not None and high > -22:
        white = np.maximum(white, 3.4 - brain.cisterns)
        white = np.maximum(white, off_deep_gray)
    white = np.maximum(white, 2.6 - brain.fissure)
    white = np.maximum(white, 1.2 - brain.ventricles)
    white = np.maximum(white, 2.0 - brain.below_tentorium)
    paint(hu, white * 0.6, tissue.white, pixel)
    reach = 2.2 + patient.leukoaraiosis_mm * np.clip(0.6 + 0.8 * skull.patchy, 0.1, 2)
    rim = np.maximum(brain.lateral - reach, -brain.lateral)
    rim = rim if off_deep_gray is None else np.maximum(rim, off_deep_gray)
    rim = np.maximum(rim, brain.tissue)
    paint(hu, rim * 0.5, tissue.white - 3 * patient.atrophy - 0.5 * patient.leukoaraiosis_mm, pixel)
    if low < 30:
        hind = np.maximum(brain.below_tentorium, brain.tissue)
        paint(hu, hind, tissue.cerebellum, pixel)
        folia = np.abs(np.sin(0.75 * (y - 0.3 * np.abs(x)) + 0.4 * z)) - 0.12
        folia = np.maximum(
            np.maximum(folia, hind),
            ellipsoid(x, y, z, (0, 44, -26), (14 + 40 * patient.atrophy, 32, 24), moved.span),
        )
        paint(hu, folia, 0.7 * tissue.cerebellum + 0.3 * tissue.fluid, pixel)
        stem = ellipsoid(x, y, z, (0, 12, -34), (14, 13, 40), moved.span)
        paint(hu, np.maximum(stem, brain.tissue), tissue.white + 3, pixel)


def _paint_tentorium(patient: Patient, anatomy: SliceAnatomy, hu: FloatArray) -> None:
    """Paint a thin sheet that the slice cuts at a slant: its share of 5 mm, not its full HU."""
    grid, skull, brain = anatomy.grid, anatomy.skull, anatomy.brain
    height = tentorium_height(grid.x, grid.y)
    upright = patient.fold_mm * 1.1 * np.sqrt(1 + np.minimum(slope(height, grid.pixel), 4.0) ** 2)
    away = np.abs(plane_mean(grid.z - height)[..., None])
    upright = plane_mean(upright)[..., None]
    share = np.clip(2.5 + 0.5 * upright - away, 0, np.minimum(upright, 5)) * (1 / 5)
    reach = plane_mean(np.maximum(brain.tentorium_reach, skull.inside + 0.3))
    share *= np.clip(0.5 - reach * 0.4, 0, 1)[..., None]
    if float(share.max()) > 0:
        rows, columns = (slice(0, edge) for edge in hu.shape[:2])
        blend(hu, Patch(rows, columns, enlarge(share.astype(np.float32))), patient.tissue.fold)


def paint_folds(patient: Patient, anatomy: SliceAnatomy, hu: FloatArray) -> None:
    """Paint dura, falx, tentorium and venous sinuses into hu (H, W, S)."""
    grid, skull, brain = anatomy.grid, anatomy.skull, anatomy.brain
    tissue, pixel, half = patient.tissue, grid.pixel, patient.fold_mm * 0.5
    x, y, z = grid.x, grid.y, grid.z
    side = np.abs(x)
    within = skull.inside + 0.3
    paint(hu, np.maximum(skull.inside, -0.9 - skull.inside), tissue.fold, pixel)  # dura
    paint(hu, np.maximum(brain.falx - half, within), tissue.fold, pixel)
    _paint_tentorium(patient, anatomy, hu)
    size = patient.sinus_mm
    roof = np.sqrt(x * x + (skull.inside + 2.5) ** 2) - size
    roof = np.maximum(roof, np.where((y < -60) & (z < 20), FAR, -25 - z))
    groove = np.sqrt((skull.inside + 3) ** 2 + (z - tentorium_height(x, y) + 1) ** 2) - size
    groove = np.maximum(groove, 14 + 0.42 * side - y)
    straight = capsule(x, y, z, (0, 30, 4, 1.3), (0, 74, -16, 1.9), grid.span)
    sigmoid_sinus = capsule(
        side, y, z, (57, 36, -32, size * 0.9), (44, 30, -62, size * 0.9), grid.span
    )
    for solid in (roof, groove, straight, sigmoid_sinus):
        paint(hu, np.maximum(solid, within), tissue.sinus, pixel)


def paint_vessels(patient: Patient, grid: SliceGrid, hu: FloatArray) -> None:
    """Paint basal arteries and calcium into hu (H, W, S); the dura does not bound them."""
    x, y, z, pixel = grid.x, grid.y, grid.z, grid.pixel
    if grid.span.lowest < 0 and grid.span.highest > -55:
        artery = capsule(np.abs(x), y, z, (11, -19, -17, 1.3), (36, -21, -9, 1.0), grid.span)
        basilar = capsule(x, y, z, (0, -3, -20, 1.6), (0, -1, -50, 1.7), grid.span)
        paint(hu, np.minimum(artery, basilar), patient.vessel_hu, pixel)
    for stone in patient.calcium:
        paint(hu, ellipsoid(x, y, z, stone.center, stone.radii, grid.span), stone.hu, pixel)
