"""phantoms/head/study.py: one head CT study of known truth, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, Float32Array, Float64Array, FloatArray, Int64Array
from wetread.phantoms.head import mimics as look_alikes
from wetread.phantoms.head.blood import (
    SUBTYPE_OF,
    SUBTYPES,
    Bleed,
    Epidural,
    FoldSubdural,
    Intraparenchymal,
    Intraventricular,
    Subarachnoid,
    Subdural,
    clot_solid,
    displace_by_mass,
    epidural_solid,
    fold_solid,
    subarachnoid_solid,
    subdural_solid,
    ventricle_solid,
)
from wetread.phantoms.head.brain import Brain, build_brain, paint_brain, paint_folds
from wetread.phantoms.head.injuries import TRAUMA, draw_bleeds, draw_scenario
from wetread.phantoms.head.mimics import Mimic, draw_head_mimics
from wetread.phantoms.head.patient import Patient, draw_patient
from wetread.phantoms.head.scan import HeadScan, acquire, draw_head_scan, paint_table, slice_grid
from wetread.phantoms.head.skull import Skull, build_skull, paint_skull
from wetread.phantoms.shapes.implicit import (
    CoarseGrid,
    blend,
    cover,
    enlarge,
    evaluate_waves,
    paint,
)

VISIBLE_MM2 = 12.0  # a slice shows a subtype from this lesion area on
INSIDE_SHARE = 0.5  # a pixel belongs to a lesion when at least this share of it is blood


@dataclass(frozen=True, eq=False)
class HeadStudy:
    """One study.

    hu:        (Z, Y, X) float32, Hounsfield units as measured; Z runs feet to head.
    masks:     (5, Z, Y, X) bool, lesions in the order of SUBTYPES, half a voxel or more.
    cavity:    (Z, Y, X) bool, within the dura, half a voxel or more: brain, fluid, blood; it goes
               on as the canal of the spine where the slices reach below the foramen magnum.
    areas_mm2: (Z, 5) float64, lesion area by slice.
    labels:    (Z, 6) int, SUBTYPES and then any: area >= VISIBLE_MM2.
    """

    hu: Float32Array
    masks: BoolArray
    cavity: BoolArray
    areas_mm2: Float64Array
    labels: Int64Array
    scan: HeadScan
    patient: Patient
    bleeds: tuple[Bleed, ...]
    mimics: tuple[Mimic, ...]


def make_head_study(
    rng: np.random.Generator,
    *,
    patient: Patient | None = None,
    scenario: tuple[str, ...] | None = None,
    difficulty: float = 1.0,
    size: int = 256,
) -> HeadStudy:
    """Draw a study and compute it; patient and scenario are drawn too where not given."""
    if size % 2 or size < 64:
        raise ValueError(f"size: {size} pixels; give an even number of at least 64")
    person = draw_patient(rng) if patient is None else patient
    names = draw_scenario(rng) if scenario is None else scenario
    scan = draw_head_scan(rng, size, person.scale_xyz[2])
    bleeds = draw_bleeds(rng, person, names, difficulty)
    struck = next((b.center for b in bleeds if isinstance(b, Epidural)), None)
    mimics = draw_head_mimics(rng, person, bool(TRAUMA & set(names)), struck, difficulty)
    hu = np.empty((scan.slices, size, size), np.float32)
    masks = np.zeros((len(SUBTYPES), scan.slices, size, size), np.bool_)
    cavity = np.zeros((scan.slices, size, size), np.bool_)
    for index in range(scan.slices):
        hu[index] = _slice(person, scan, bleeds, mimics, index, masks[:, index], cavity[index], rng)
    areas = masks.sum(axis=(2, 3)).T * scan.pixel_mm**2
    subtypes = (areas >= VISIBLE_MM2).astype(np.int64)
    labels = np.concatenate([subtypes, subtypes.max(axis=1, keepdims=True)], axis=1)
    return HeadStudy(hu, masks, cavity, areas, labels, scan, person, bleeds, mimics)


def _slice(
    patient: Patient,
    scan: HeadScan,
    bleeds: tuple[Bleed, ...],
    mimics: tuple[Mimic, ...],
    index: int,
    masks: BoolArray,
    cavity: BoolArray,
    rng: np.random.Generator,
) -> Float32Array:
    """One measured slice (H, W), HU; its lesions are written into masks (5, H, W), and what lies
    within the dura into cavity (H, W)."""
    grid, across = slice_grid(patient, scan, index)
    planes = np.full((scan.size, scan.size, grid.x.shape[2]), -1000.0, np.float32)
    paint_table(scan, grid, across, planes)
    skull = build_skull(patient, grid)
    skull = look_alikes.paint_scalp(mimics, grid, skull, planes)
    paint_skull(patient, grid, skull, planes)
    look_alikes.paint_swelling(mimics, grid, skull, planes)
    if (within := cover(skull.inside, grid.pixel)) is not None:
        cavity[within.rows, within.columns] = within.cover.mean(axis=2) >= INSIDE_SHARE
    if float(skull.inside.min()) < 0:
        moved = displace_by_mass(grid, bleeds)
        brain = build_brain(patient, grid, skull, moved)
        paint_brain(patient, grid, moved, skull, brain, planes)
        look_alikes.paint_lesions(mimics, grid, skull, brain, planes)
        _paint_edema(bleeds, grid, skull, brain, planes)
        paint_folds(patient, grid, skull, brain, planes)
        _paint_blood(patient, scan, bleeds, grid, skull, brain, planes, masks)
    look_alikes.paint_hardware(mimics, grid, skull, planes)
    return acquire(scan, index, grid, skull.inside, planes, rng)


def _paint_edema(
    bleeds: tuple[Bleed, ...], grid: CoarseGrid, skull: Skull, brain: Brain, planes: FloatArray
) -> None:
    for bleed in bleeds:
        if isinstance(bleed, Intraparenchymal):
            solid = clot_solid(bleed, grid, skull, brain) - bleed.edema_mm
            solid = np.maximum(solid, brain.tissue + 0.5)
            paint(planes, solid * 0.4, bleed.edema_hu, grid.pixel)


def _solid(
    bleed: Bleed, patient: Patient, scan: HeadScan, grid: CoarseGrid, skull: Skull, brain: Brain
) -> FloatArray:
    match bleed:
        case Epidural():
            return epidural_solid(bleed, grid, skull, brain)
        case Subdural():
            return subdural_solid(bleed, grid, skull, brain)
        case FoldSubdural():
            return fold_solid(bleed, grid, skull, brain)
        case Subarachnoid():
            return subarachnoid_solid(bleed, grid, skull, brain)
        case Intraparenchymal():
            return clot_solid(bleed, grid, skull, brain)
        case Intraventricular():
            return ventricle_solid(bleed, grid, skull, brain, occipital_low(patient, scan))


def occipital_low(patient: Patient, scan: HeadScan) -> dict[int, float]:
    """Millimetres along gravity of the right (-1) and left (1) occipital horn's lowest part."""
    low = {}
    for side in (-1, 1):
        point = np.array([side * 23.0, 62.0, 4.0]) * np.asarray(patient.scale_xyz)
        low[side] = float((scan.head @ point)[1])
    return low


def _paint_blood(
    patient: Patient,
    scan: HeadScan,
    bleeds: tuple[Bleed, ...],
    grid: CoarseGrid,
    skull: Skull,
    brain: Brain,
    planes: FloatArray,
    masks: BoolArray,
) -> None:
    """Tissue first, then fluid spaces, then what lies on the dura; masks get what was painted."""
    texture: FloatArray | None = None
    for bleed in sorted(bleeds, key=lambda b: isinstance(b, Epidural)):
        patch = cover(_solid(bleed, patient, scan, grid, skull, brain), grid.pixel)
        if patch is None:
            continue
        if texture is None:
            texture = enlarge(3.0 * evaluate_waves(patient.cells, grid.x, grid.y, grid.z))
        value = texture + bleed.hu
        if isinstance(bleed, Subdural) and bleed.level_hu != bleed.hu:
            level = enlarge(np.clip((grid.down - bleed.center[1] - 4) * 0.15, 0, 1))
            value += level * (bleed.level_hu - bleed.hu)
        blend(planes, patch, value)
        row = masks[SUBTYPES.index(SUBTYPE_OF[type(bleed)])]
        row[patch.rows, patch.columns] |= patch.cover.mean(axis=2) >= INSIDE_SHARE
