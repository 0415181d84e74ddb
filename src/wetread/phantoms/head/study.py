"""phantoms/head/study.py: one head CT study of known truth, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wetread.archive.types import BoolArray, Float32Array, Float64Array, FloatArray, Int64Array
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
from wetread.phantoms.head.brain import (
    SliceAnatomy,
    build_brain,
    paint_brain,
    paint_folds,
    paint_vessels,
)
from wetread.phantoms.head.injuries import TRAUMA, draw_bleeds, draw_scenario
from wetread.phantoms.head.mimics import (
    Mimic,
    draw_head_mimics,
    mimic_areas,
    paint_hardware,
    paint_lesions,
    paint_swelling,
    raise_scalp,
)
from wetread.phantoms.head.patient import Patient, draw_patient
from wetread.phantoms.head.scan import HeadScan, acquire, draw_head_scan, paint_table, slice_grid
from wetread.phantoms.head.skull import Skull, build_skull, paint_skull, skull_part
from wetread.phantoms.shapes.implicit import (
    Box,
    SliceGrid,
    blend,
    box_around,
    cover,
    enlarge,
    evaluate_waves,
    paint,
    plane_mean,
)

VISIBLE_MM2 = 12.0  # a slice shows a subtype from this lesion area on
INSIDE_SHARE = 0.5  # a pixel belongs to a lesion when at least this share of it is blood
# Nothing is painted within the dura but solids that are cut by its cavity, and those scaled by 0.4
# at least: `cover` looks at values below 2.5 pixels.
INSIDE_MARGIN = 2.5 / 0.4


@dataclass(frozen=True, eq=False)
class HeadStudy:
    """One study.

    hu:        (Z, Y, X) float32, Hounsfield units as measured; Z runs feet to head.
    masks:     (5, Z, Y, X) bool, lesions in the order of SUBTYPES, half a voxel or more.
    cavity:    (Z, Y, X) bool, within the dura, half a voxel or more: brain, fluid, blood; it goes
               on as the canal of the spine where the slices reach below the foramen magnum.
    areas_mm2: (Z, 5) float64, lesion area by slice.
    mimic_areas_mm2: (Z, 6) float64, of what is no bleeding, in the order of MIMICS.
    labels:    (Z, 6) int, SUBTYPES and then any: area >= VISIBLE_MM2.
    """

    hu: Float32Array
    masks: BoolArray
    cavity: BoolArray
    areas_mm2: Float64Array
    mimic_areas_mm2: Float64Array
    labels: Int64Array
    scan: HeadScan
    patient: Patient
    bleeds: tuple[Bleed, ...]
    mimics: tuple[Mimic, ...]


@dataclass(frozen=True, eq=False)
class HeadCase:
    """A person in the scanner, before anything is computed: all slices are made of it."""

    patient: Patient
    scan: HeadScan
    bleeds: tuple[Bleed, ...]
    mimics: tuple[Mimic, ...]


class _Part(NamedTuple):
    """The part of a slice that a box holds; planes: (H, W, S) HU there, a view."""

    grid: SliceGrid
    skull: Skull
    planes: FloatArray

    @classmethod
    def of(cls, grid: SliceGrid, skull: Skull, box: Box, planes: FloatArray) -> _Part:
        return cls(grid.part(box), skull_part(skull, box), planes[box.fine])


class HeadSlice(NamedTuple):
    """One slice: hu (H, W) float32 as measured; masks (5, H, W) and cavity (H, W) bool; mimic_areas
    (6,) float64, mm2."""

    hu: Float32Array
    masks: BoolArray
    cavity: BoolArray
    mimic_areas: Float64Array


def make_head_study(
    rng: np.random.Generator,
    *,
    patient: Patient | None = None,
    scenario: tuple[str, ...] | None = None,
    difficulty: float = 1.0,
    size: int = 256,
) -> HeadStudy:
    """Draw a study and compute it; patient and scenario are drawn too where not given.

    scenario: names of the bleeds, see head/injuries.py; difficulty: above 1 blood is smaller and
    fainter; size: edge of a slice in pixels. Raises ValueError for a size that is odd or below 64,
    or an unknown scenario.
    """
    if size % 2 or size < 64:
        raise ValueError(f"size: {size} pixels; give an even number of at least 64")
    case = _draw_case(rng, patient, scenario, difficulty, size)
    slices = [_make_slice(case, index, rng) for index in range(case.scan.slices)]
    hu = np.stack([one.hu for one in slices])
    masks = np.stack([one.masks for one in slices], axis=1)
    cavity = np.stack([one.cavity for one in slices])
    areas = masks.sum(axis=(2, 3)).T * case.scan.pixel_mm**2
    subtypes = (areas >= VISIBLE_MM2).astype(np.int64)
    labels = np.concatenate([subtypes, subtypes.max(axis=1, keepdims=True)], axis=1)
    return HeadStudy(
        hu,
        masks,
        cavity,
        areas,
        np.stack([one.mimic_areas for one in slices]),
        labels,
        case.scan,
        case.patient,
        case.bleeds,
        case.mimics,
    )


def _draw_case(
    rng: np.random.Generator,
    patient: Patient | None,
    scenario: tuple[str, ...] | None,
    difficulty: float,
    size: int,
) -> HeadCase:
    person = draw_patient(rng) if patient is None else patient
    names = draw_scenario(rng) if scenario is None else scenario
    scan = draw_head_scan(rng, size, person.scale_xyz[2])
    bleeds = draw_bleeds(rng, person, names, difficulty)
    struck = next((b.center for b in bleeds if isinstance(b, Epidural)), None)
    mimics = draw_head_mimics(rng, person, bool(TRAUMA & set(names)), struck, difficulty)
    return HeadCase(person, scan, bleeds, mimics)


def _make_slice(case: HeadCase, index: int, rng: np.random.Generator) -> HeadSlice:
    """Paint and measure one slice."""
    patient, scan, mimics = case.patient, case.scan, case.mimics
    grid, across = slice_grid(patient, scan, index)
    planes = np.full((scan.size, scan.size, grid.x.shape[2]), -1000.0, np.float32)
    paint_table(scan, grid, across, planes)
    skull = raise_scalp(mimics, grid, build_skull(patient, grid))
    head = _Part.of(grid, skull, box_around(skull.head, 2.5 * grid.pixel + 2), planes)
    paint_skull(patient, head.grid, head.skull, head.planes)
    paint_swelling(mimics, head.grid, head.skull, head.planes)
    cavity = np.zeros(planes.shape[:2], np.bool_)
    if (filled := cover(skull.inside, grid.pixel)) is not None:
        cavity[filled.rows, filled.columns] = plane_mean(filled.cover) >= INSIDE_SHARE
    masks = np.zeros((len(SUBTYPES), *cavity.shape), np.bool_)
    if float(skull.inside.min()) < 0:
        box = box_around(skull.inside, INSIDE_MARGIN * grid.pixel)
        within = _Part.of(grid, skull, box, planes)
        moved = displace_by_mass(grid, case.bleeds).part(box)
        brain = build_brain(patient, within.grid, within.skull, moved)
        anatomy = SliceAnatomy(within.grid, within.skull, brain)
        paint_brain(patient, anatomy, within.planes)
        paint_lesions(mimics, within.grid, within.skull, within.planes)
        _paint_edema(case.bleeds, anatomy, within.planes)
        paint_folds(patient, anatomy, within.planes)
        paint_vessels(patient, head.grid, head.planes)
        _paint_blood(case, anatomy, within.planes, masks[:, *box.fine])
    paint_hardware(mimics, head.grid, head.skull, head.planes)
    return HeadSlice(
        acquire(rng, scan, index, planes, grid=grid, inside=skull.inside),
        masks,
        cavity,
        mimic_areas(mimics, head.grid, head.skull),
    )


def _paint_edema(bleeds: tuple[Bleed, ...], anatomy: SliceAnatomy, planes: FloatArray) -> None:
    for bleed in bleeds:
        if isinstance(bleed, Intraparenchymal):
            solid = clot_solid(bleed, anatomy) - bleed.edema_mm
            solid = np.maximum(solid, anatomy.brain.tissue + 0.5)
            paint(planes, solid * 0.4, bleed.edema_hu, anatomy.grid.pixel)


def _bleed_solid(bleed: Bleed, case: HeadCase, anatomy: SliceAnatomy) -> FloatArray:
    match bleed:
        case Epidural():
            return epidural_solid(bleed, anatomy)
        case Subdural():
            return subdural_solid(bleed, anatomy)
        case FoldSubdural():
            return fold_solid(bleed, anatomy)
        case Subarachnoid():
            return subarachnoid_solid(bleed, anatomy)
        case Intraparenchymal():
            return clot_solid(bleed, anatomy)
        case Intraventricular():
            return ventricle_solid(bleed, anatomy, occipital_low(case.patient, case.scan))


def occipital_low(patient: Patient, scan: HeadScan) -> dict[int, float]:
    """Compute mm along gravity of the lowest part of the right (-1) and left (1) occipital horn."""
    low = {}
    for side in (-1, 1):
        point = np.array([side * 23.0, 62.0, 4.0]) * np.asarray(patient.scale_xyz)
        low[side] = float((scan.head @ point)[1])
    return low


def _paint_blood(
    case: HeadCase, anatomy: SliceAnatomy, planes: FloatArray, masks: BoolArray
) -> None:
    """Paint tissue first, then fluid spaces, then the dura; masks: (5, H, W), in place."""
    grid = anatomy.grid
    texture: FloatArray | None = None
    for bleed in sorted(case.bleeds, key=lambda b: isinstance(b, Epidural)):
        patch = cover(_bleed_solid(bleed, case, anatomy), grid.pixel)
        if patch is None:
            continue
        if texture is None:
            field = evaluate_waves(case.patient.cells, grid.x, grid.y, grid.z)
            texture = enlarge(field)
        mottle = bleed.mottle_hu if isinstance(bleed, Intraparenchymal) else 3.0
        value = mottle * texture + bleed.hu
        if isinstance(bleed, Subdural) and bleed.level_hu != bleed.hu:
            level = enlarge(np.clip((grid.down - bleed.center[1] - 4) * 0.15, 0, 1))
            value += level * (bleed.level_hu - bleed.hu)
        blend(planes, patch, value)
        row = masks[SUBTYPES.index(SUBTYPE_OF[type(bleed)])]
        row[patch.rows, patch.columns] |= plane_mean(patch.cover) >= INSIDE_SHARE
