"""phantoms/angiogram/study.py: one CT pulmonary angiogram of known truth."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from wetread.archive.types import BoolArray, Float32Array, FloatArray, UInt8Array
from wetread.phantoms.angiogram.arteries import Branches, draw_arteries, draw_veins
from wetread.phantoms.angiogram.chambers import draw_chambers, widths_mm
from wetread.phantoms.angiogram.contrast import draw_contrast
from wetread.phantoms.angiogram.emboli import Clot, draw_clots, lumen_radii
from wetread.phantoms.angiogram.exam import ACUTE, CHRONIC, Exam, draw_ratio
from wetread.phantoms.angiogram.mimics import draw_angiogram_mimics, rays
from wetread.phantoms.angiogram.paint import (
    CENTRAL,
    LEFT,
    OLD,
    RIGHT,
    Circulation,
    clot_stretches,
    join_clot,
    paint_circulation,
)
from wetread.phantoms.angiogram.scan import (
    AngiogramScan,
    acquire_slice,
    add_ghost,
    add_heartbeat,
    average_planes,
    empty_slab,
    slab_ranges,
)
from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.chest.lesions import draw_lesions
from wetread.phantoms.chest.organs import draw_organs
from wetread.phantoms.chest.paint import TissueTexture, draw_texture, paint_plane
from wetread.phantoms.chest.parts import ChestBody, ChestPart, plane_at
from wetread.phantoms.chest.plane import PlanePoints
from wetread.phantoms.chest.skeleton import Bones, cover_bones, draw_bones
from wetread.phantoms.shapes.balls import Lattice
from wetread.phantoms.shapes.implicit import draw_waves
from wetread.phantoms.shapes.slab import Slab, occupied_slice

MAX_TRIES = 40  # to draw clots that are visible
CAVA_MM = (-16.0, 72.0, -25.5, -20.0)  # of the upper cava: z from and to, x, y
MOTION_MM = 4.5  # of an exam that is indeterminate for it
SPINE_MM = 25.0  # vessels that lie before this y give way to the heart
VISIBLE_MM2 = 6.0  # of clot in a slice, from here on a reader sees it


@dataclass(frozen=True, eq=False)
class Areas:
    """Areas of clot in each slice, (Z,) mm2: all of it, and by place and age."""

    clot: FloatArray
    left: FloatArray
    right: FloatArray
    central: FloatArray
    acute: FloatArray
    chronic: FloatArray


@dataclass(frozen=True, eq=False)
class AngiogramMasks:
    """Voxels that are filled by more than half, (Z, Y, X) bool; clots lie in arteries."""

    arteries: BoolArray
    clots: BoolArray
    left_ventricle: BoolArray
    right_ventricle: BoolArray


@dataclass(frozen=True, eq=False)
class AngiogramStudy:
    """One study: hu (Z, Y, X) float32, feet to head; ratio: width of right over left ventricle."""

    hu: Float32Array
    masks: AngiogramMasks
    areas: Areas
    ratio: float
    exam: Exam
    circulation: Circulation
    scan: AngiogramScan

    @property
    def visible(self) -> BoolArray:
        """Mark the slices with a visible embolus, (Z,)."""
        visible: BoolArray = self.areas.clot >= VISIBLE_MM2
        return visible

    def labels(self) -> dict[str, int]:
        """Derive the competition's labels of the exam from the areas and widths painted."""
        areas = self.areas
        visible = {name: bool((getattr(areas, name) >= VISIBLE_MM2).any()) for name in vars(areas)}
        positive, doubt = visible["clot"], self.exam.indeterminate
        wide = self.ratio >= 1
        return {
            "negative_exam_for_pe": int(not positive and not doubt),
            "qa_motion": int(self.exam.motion),
            "qa_contrast": int(self.exam.contrast),
            "flow_artifact": int(self.exam.flow),
            "rv_lv_ratio_gte_1": int(positive and wide),
            "rv_lv_ratio_lt_1": int(positive and not wide),
            "leftsided_pe": int(visible["left"]),
            "chronic_pe": int(visible["chronic"] and not visible["acute"]),
            "true_filling_defect_not_pe": int(self.exam.other),
            "rightsided_pe": int(visible["right"]),
            "acute_and_chronic_pe": int(visible["chronic"] and visible["acute"]),
            "central_pe": int(visible["central"]),
            "indeterminate": int(doubt),
        }


@dataclass(frozen=True, eq=False)
class AngiogramCase:
    """A person before the scan: the plain chest, how tissue looks, what is painted on it."""

    body: ChestBody
    texture: TissueTexture
    circulation: Circulation
    exam: Exam


def make_angiogram(
    rng: np.random.Generator,
    *,
    chest: Chest,
    exam: Exam,
    scan: AngiogramScan,
    difficulty: float = 1.0,
) -> AngiogramStudy:
    """Scan a person with this chest, showing the findings of the exam.

    difficulty: how many look-alikes and how much motion there are, 1 for the usual; the scan's
    noise is drawn with it as well.
    """
    body, texture = _draw_body(rng, chest), draw_texture(rng)
    trunk_mm = float(np.clip(rng.normal(27.2, 3.0) + 2.2 * exam.strained, 20, 38)) / chest.scale
    tree = draw_arteries(rng, chest, trunk_mm)
    ratio = draw_ratio(rng, exam.strained)
    contrast = draw_contrast(rng, exam)
    circulation = Circulation(
        arteries=tree,
        veins=draw_veins(rng, chest, 0.95 * trunk_mm),
        clots=draw_visible_clots(rng, tree, exam, scan, chest),
        chambers=draw_chambers(rng, chest, ratio),
        contrast=contrast,
        mimics=draw_angiogram_mimics(rng, tree, exam, contrast.cava, difficulty),
    )
    return _scan_case(rng, AngiogramCase(body, texture, circulation, exam), scan)


def draw_visible_clots(
    rng: np.random.Generator, tree: Branches, exam: Exam, scan: AngiogramScan, chest: Chest
) -> tuple[Clot, ...]:
    """Draw clots, anew up to MAX_TRIES times, until the findings of the exam are visible."""
    slab = empty_slab(scan, chest, 0, scan.slices)
    clots: tuple[Clot, ...] = ()
    for _ in range(MAX_TRIES if exam.positive else 0):
        clots = draw_clots(rng, tree, exam)
        largest = clot_areas(slab, tree, clots, scan).max(axis=1)
        if np.array_equal(largest >= VISIBLE_MM2, _wanted_areas(exam)):
            break
    return clots


def clot_areas(
    slab: Slab, tree: Branches, clots: tuple[Clot, ...], scan: AngiogramScan
) -> FloatArray:
    """Compute areas (6, Z), mm2, as they will be painted; only voxels near clots are computed."""
    shares, kinds = np.zeros(slab.hu.shape, np.float32), np.zeros(slab.hu.shape, np.uint8)
    lumen, boxes = lumen_radii(tree, clots), []
    for clot in clots:
        for stretch in clot_stretches(slab, tree, lumen, clot):
            join_clot(shares, kinds, stretch)
            boxes.append(stretch.box)
    if not boxes:
        return np.zeros((6, scan.slices), np.float32)
    rows, columns = (
        slice(min(box[k].start for box in boxes), max(box[k].stop for box in boxes)) for k in (1, 2)
    )
    return _areas(shares[:, rows, columns], kinds[:, rows, columns], scan)


def _wanted_areas(exam: Exam) -> BoolArray:
    """Give which of Areas an exam is to show, (6,)."""
    old = (exam.age != CHRONIC, exam.age != ACUTE)
    return np.array([True, exam.left, exam.right, exam.central, *old])


def _area_flags(bits: int) -> BoolArray:
    """Give to which of Areas a clot of such bits counts, (6,)."""
    old = bool(bits & OLD)
    return np.array([True, *(bool(bits & bit) for bit in (LEFT, RIGHT, CENTRAL)), not old, old])


def _draw_body(rng: np.random.Generator, chest: Chest) -> ChestBody:
    """Draw the plain chest, with effusion or consolidation in some, clot or no clot."""
    lesions = draw_lesions(
        rng,
        chest,
        nodules=int(rng.poisson(0.4)),
        consolidations=int(rng.random() < 0.25),
        effusions=int(rng.random() < 0.35) * int(rng.integers(1, 3)),
    )
    drawn = draw_organs(rng, chest)
    kept = tuple(rod for rod in drawn.vessels if "pulmonary" not in rod.name)  # the tree has them
    organs = replace(drawn, vessels=kept)
    return ChestBody(chest, organs, lesions, False, draw_waves(rng, 8, 60))


def _scan_case(
    rng: np.random.Generator, case: AngiogramCase, scan: AngiogramScan
) -> AngiogramStudy:
    """Paint and measure a study, some slices at a time, so that memory does not grow with it."""
    body, circulation = case.body, case.circulation
    hu = np.empty((scan.slices, scan.size, scan.size), np.float32)
    masks = [np.empty(hu.shape, bool) for _ in range(4)]
    areas, bones = np.empty((6, scan.slices), np.float32), draw_bones(body.chest, 1.0)
    for first, last in slab_ranges(scan):
        slab = empty_slab(scan, body.chest, first, last)
        heart, lung = _paint_chest(slab, body, bones, case.texture, scan)
        coverage = paint_circulation(slab, circulation, body.organs, heart, lung)
        part = slice(first, last)
        areas[:, part] = _areas(coverage.clots, coverage.clot_bits, scan)
        for mask, field in zip(masks, fields(AngiogramMasks), strict=True):
            mask[part] = _mostly(scan, getattr(coverage, field.name))
        middles = slab.z.reshape(-1, scan.planes).mean(axis=1)
        for at, picture in enumerate(average_planes(scan, slab.hu)):
            hu[first + at] = _acquire(
                rng, picture, z=float(middles[at]), slab=slab, case=case, scan=scan
            )
    left, right = widths_mm(circulation.chambers.ventricles)
    return AngiogramStudy(
        hu, AngiogramMasks(*masks), Areas(*areas), right / left, case.exam, circulation, scan
    )


def _paint_chest(
    slab: Slab, body: ChestBody, bones: Bones, texture: TissueTexture, scan: AngiogramScan
) -> tuple[BoolArray, BoolArray]:
    """Paint the plain chest, a plane a slice; returns (P, H, W) of its heart and of its lungs."""
    heart, lung = np.zeros(slab.hu.shape, bool), np.zeros(slab.hu.shape, bool)
    middles = slab.z.reshape(-1, scan.planes).mean(axis=1)
    first = (float(middles[0]), float(slab.y[0]), float(slab.x[0]))
    step = (scan.step_mm / body.chest.scale, slab.pixel, slab.pixel)
    lattice = Lattice(first, step, (len(middles), *slab.hu.shape[1:]))
    skeleton = cover_bones(bones, lattice)
    for number, z in enumerate(middles):
        points = PlanePoints(slab.x, slab.y, float(z))
        plane = plane_at(body, points)
        painted = paint_plane(body, texture, plane, points, skeleton.plane(number))
        own = slice(number * scan.planes, (number + 1) * scan.planes)
        slab.hu[own] = painted
        before = (plane.part == ChestPart.VESSEL) & (slab.y < SPINE_MM)[:, None]
        heart[own] = (plane.part == ChestPart.HEART) | before
        lung[own] = plane.part == ChestPart.LUNG
    return heart, lung


def _mostly(scan: AngiogramScan, shares: FloatArray) -> BoolArray:
    """Mark voxels (S, H, W) of slices that are filled by more than half; shares: (P, H, W)."""
    filled = np.zeros((len(shares) // scan.planes, *shares.shape[1:]), bool)
    for at in np.flatnonzero(shares.any(axis=(1, 2)).reshape(-1, scan.planes).any(axis=1)):
        own = slice(at * scan.planes, (at + 1) * scan.planes)
        filled[at] = average_planes(scan, shares[own])[0] > 0.5
    return filled


def _areas(shares: FloatArray, bits: UInt8Array, scan: AngiogramScan) -> FloatArray:
    """Compute (6, S) mm2 of clot in each slice, in the order of Areas; shares, bits: (P, H, W)."""
    flags = np.stack([_area_flags(bits) for bits in range(16)])  # (16, 6)
    found = np.zeros((flags.shape[1], len(shares) // scan.planes), np.float32)
    slices = shares.reshape(-1, scan.planes, *shares.shape[1:])
    kinds = bits.reshape(slices.shape)
    for at in np.flatnonzero(shares.any(axis=(1, 2)).reshape(-1, scan.planes).any(axis=1)):
        picture = np.zeros(shares.shape[1:], np.float32)
        rows, columns = (occupied_slice(slices[at].any(axis=axes)) for axes in ((0, 2), (0, 1)))
        own = (slice(None), rows, columns)
        for kind, counts in enumerate(flags.T):
            share = slices[at][own] * counts[kinds[at][own]]
            picture[rows, columns] = share.mean(axis=0)
            found[kind, at] = picture.sum() * scan.pixel_mm**2
    return found


def _acquire(
    rng: np.random.Generator,
    picture: FloatArray,
    *,
    z: float,
    slab: Slab,
    case: AngiogramCase,
    scan: AngiogramScan,
) -> Float32Array:
    """Measure the slice (H, W) at z, chest mm: rays around the cava, motion, blur, noise."""
    mimics = case.circulation.mimics
    if mimics.streak_hu > 5 and CAVA_MM[0] < z < CAVA_MM[1]:
        picture = picture + rays(rng, slab.x, slab.y, CAVA_MM[2:], mimics.streak_hu)
    if case.exam.motion:
        picture = add_ghost(picture, rng, MOTION_MM / scan.pixel_mm)
    picture = add_heartbeat(picture, rng, slab, mimics.beat_mm)
    return acquire_slice(scan, picture, rng)
