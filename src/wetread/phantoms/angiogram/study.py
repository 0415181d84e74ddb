"""phantoms/angiogram/study.py: one CT pulmonary angiogram of known truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.angiogram.arteries import Branches, draw_arteries, draw_veins
from wetread.phantoms.angiogram.chambers import draw_chambers, widths_mm
from wetread.phantoms.angiogram.contrast import draw_contrast
from wetread.phantoms.angiogram.emboli import Clot, calibres, draw_clots
from wetread.phantoms.angiogram.exam import ACUTE, CHRONIC, Exam, draw_ratio
from wetread.phantoms.angiogram.mimics import draw_mimics, rays
from wetread.phantoms.angiogram.paint import (
    CENTRAL,
    LEFT,
    OLD,
    RIGHT,
    Inside,
    clot_stretches,
    hold_clot,
    paint_inside,
)
from wetread.phantoms.angiogram.scan import (
    CtpaScan,
    averaged,
    beaten,
    doubled,
    empty_slab,
    measure,
    slabs,
)
from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.chest.lesions import draw_lesions
from wetread.phantoms.chest.organs import draw_organs
from wetread.phantoms.chest.paint import Paint, draw_paint, paint_plane
from wetread.phantoms.chest.parts import Body, Part, plane_at
from wetread.phantoms.chest.skeleton import Bones, cover_bones, draw_bones
from wetread.phantoms.shapes.implicit import Array, draw_waves
from wetread.phantoms.shapes.slab import Slab, stretch
from wetread.phantoms.shapes.tubes import Lattice

Bools = NDArray[np.bool_]

TRIES = 40  # to draw clots that show
CAVA_MM = (-16.0, 72.0, -25.5, -20.0)  # of the upper cava: z from and to, x, y
MOTION_MM = 4.5  # of an exam that is indeterminate for it
SPINE_MM = 25.0  # vessels that lie before this y give way to the heart
VISIBLE_MM2 = 6.0  # of clot in a slice, from here on a reader sees it


@dataclass(frozen=True, eq=False)
class Areas:
    """Of clot in each slice, (Z,) mm2: all of it, and by where and how old it is."""

    clot: Array
    left: Array
    right: Array
    central: Array
    acute: Array
    chronic: Array


@dataclass(frozen=True, eq=False)
class Truth:
    """What the voxels are, (Z, Y, X) bool; clots lie within the arteries."""

    arteries: Bools
    clots: Bools
    left_ventricle: Bools
    right_ventricle: Bools


@dataclass(frozen=True, eq=False)
class CtpaStudy:
    """hu: (Z, Y, X) float32, feet to head. ratio: the widths of right over left ventricle."""

    hu: NDArray[np.float32]
    truth: Truth
    areas: Areas
    ratio: float
    exam: Exam
    inside: Inside
    scan: CtpaScan

    @property
    def visible(self) -> Bools:
        """(Z,): slices with an embolus that shows."""
        seen: Bools = self.areas.clot >= VISIBLE_MM2
        return seen

    def labels(self) -> dict[str, int]:
        """The competition's labels of the exam, from what is painted."""
        areas = self.areas
        seen = {name: bool((getattr(areas, name) >= VISIBLE_MM2).any()) for name in vars(areas)}
        positive, doubt = seen["clot"], self.exam.indeterminate
        wide = self.ratio >= 1
        return {
            "negative_exam_for_pe": int(not positive and not doubt),
            "qa_motion": int(self.exam.motion),
            "qa_contrast": int(self.exam.contrast),
            "flow_artifact": int(self.exam.flow),
            "rv_lv_ratio_gte_1": int(positive and wide),
            "rv_lv_ratio_lt_1": int(positive and not wide),
            "leftsided_pe": int(seen["left"]),
            "chronic_pe": int(seen["chronic"] and not seen["acute"]),
            "true_filling_defect_not_pe": int(self.exam.other),
            "rightsided_pe": int(seen["right"]),
            "acute_and_chronic_pe": int(seen["chronic"] and seen["acute"]),
            "central_pe": int(seen["central"]),
            "indeterminate": int(doubt),
        }


def make_ctpa_study(
    rng: np.random.Generator,
    *,
    chest: Chest,
    exam: Exam,
    scan: CtpaScan,
    difficulty: float = 1.0,
) -> CtpaStudy:
    """A person with this chest in the machine, showing what the exam says.

    difficulty: how many look-alikes and how much motion there are, 1 for the usual; the scan's
    noise is drawn with it as well.
    """
    body, paint = _draw_body(rng, chest), draw_paint(rng)
    trunk_mm = float(np.clip(rng.normal(27.2, 3.0) + 2.2 * exam.strained, 20, 38)) / chest.scale
    tree = draw_arteries(rng, chest, trunk_mm)
    ratio = draw_ratio(rng, exam.strained)
    contrast = draw_contrast(rng, exam)
    inside = Inside(
        arteries=tree,
        veins=draw_veins(rng, chest, 0.95 * trunk_mm),
        clots=draw_seen(rng, tree, exam, scan, chest),
        chambers=draw_chambers(rng, chest, ratio),
        contrast=contrast,
        mimics=draw_mimics(rng, tree, exam, contrast.cava, difficulty),
    )
    return _scanned(rng, body, paint, inside, exam, scan)


def draw_seen(
    rng: np.random.Generator, tree: Branches, exam: Exam, scan: CtpaScan, chest: Chest
) -> tuple[Clot, ...]:
    """Clots that show what the exam is to show: drawn anew, TRIES times at most, until they do."""
    slab = empty_slab(scan, chest, 0, scan.slices)
    clots: tuple[Clot, ...] = ()
    for _ in range(TRIES if exam.positive else 0):
        clots = draw_clots(rng, tree, exam)
        most = clot_areas(slab, tree, clots, scan).max(axis=1)
        if np.array_equal(most >= VISIBLE_MM2, _kinds(exam)):
            break
    return clots


def clot_areas(slab: Slab, tree: Branches, clots: tuple[Clot, ...], scan: CtpaScan) -> Array:
    """(6, Z) mm2 as they will be painted; only what clots touch is computed."""
    shares, held = np.zeros(slab.hu.shape, np.float32), np.zeros(slab.hu.shape, np.uint8)
    lumen, boxes = calibres(tree, clots), []
    for clot in clots:
        for box, share, bits, _, _ in clot_stretches(slab, tree, lumen, clot):
            hold_clot(shares, held, box, share, bits)
            boxes.append(box)
    if not boxes:
        return np.zeros((6, scan.slices), np.float32)
    rows, columns = (
        slice(min(box[k].start for box in boxes), max(box[k].stop for box in boxes)) for k in (1, 2)
    )
    return _areas(shares[:, rows, columns], held[:, rows, columns], scan)


def _kinds(exam: Exam) -> Bools:
    """(6,): which of Areas an exam is to show."""
    old = (exam.age != CHRONIC, exam.age != ACUTE)
    return np.array([True, exam.left, exam.right, exam.central, *old])


def _held(bits: int) -> Bools:
    """(6,): to which of Areas a clot of such bits counts."""
    old = bool(bits & OLD)
    return np.array([True, *(bool(bits & bit) for bit in (LEFT, RIGHT, CENTRAL)), not old, old])


def _draw_body(rng: np.random.Generator, chest: Chest) -> Body:
    """The plain chest, with effusion or consolidation in some, clot or no clot."""
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
    return Body(chest, organs, lesions, False, False, draw_waves(rng, 8, 60))


def _scanned(
    rng: np.random.Generator, body: Body, paint: Paint, inside: Inside, exam: Exam, scan: CtpaScan
) -> CtpaStudy:
    hu = np.empty((scan.slices, scan.size, scan.size), np.float32)
    masks = [np.empty(hu.shape, bool) for _ in range(4)]
    areas, bones = np.empty((6, scan.slices), np.float32), draw_bones(body.chest, 1.0)
    for first, last in slabs(scan):
        slab = empty_slab(scan, body.chest, first, last)
        heart, lung = _paint_chest(slab, body, bones, paint, scan)
        covers = paint_inside(slab, inside, body.organs, heart, lung)
        part = slice(first, last)
        areas[:, part] = _areas(covers.clots, covers.clot_bits, scan)
        for mask, name in zip(masks, Truth.__dataclass_fields__, strict=True):
            mask[part] = _mostly(scan, getattr(covers, name))
        middles = slab.z.reshape(-1, scan.planes).mean(axis=1)
        for at, picture in enumerate(averaged(scan, slab.hu)):
            z = float(middles[at])
            hu[first + at] = _taken(rng, picture, slab, z, inside, exam, scan)
    left, right = widths_mm(inside.chambers.ventricles)
    return CtpaStudy(hu, Truth(*masks), Areas(*areas), right / left, exam, inside, scan)


def _paint_chest(
    slab: Slab, body: Body, bones: Bones, paint: Paint, scan: CtpaScan
) -> tuple[Bools, Bools]:
    """The plain chest into the slab, a plane a slice; (P, H, W) where its heart and lungs are."""
    heart, lung = np.zeros(slab.hu.shape, bool), np.zeros(slab.hu.shape, bool)
    middles = slab.z.reshape(-1, scan.planes).mean(axis=1)
    first = (float(middles[0]), float(slab.y[0]), float(slab.x[0]))
    step = (scan.step_mm / body.chest.scale, slab.pixel, slab.pixel)
    lattice = Lattice(first, step, (len(middles), *slab.hu.shape[1:]))
    skeleton = cover_bones(bones, lattice)
    nothing = np.zeros(slab.hu.shape[1:], np.uint8)
    for number, z in enumerate(middles):
        plane = plane_at(body, slab.x, slab.y, float(z))
        covers = (skeleton.bone[number], skeleton.marrow[number], skeleton.cartilage[number])
        painted = paint_plane(body, paint, plane, nothing, covers, (slab.x, slab.y, z))
        own = slice(number * scan.planes, (number + 1) * scan.planes)
        slab.hu[own] = painted
        before = (plane.part == Part.VESSEL) & (slab.y < SPINE_MM)[:, None]
        heart[own] = (plane.part == Part.HEART) | before
        lung[own] = plane.part == Part.LUNG
    return heart, lung


def _mostly(scan: CtpaScan, shares: Array) -> Bools:
    """(S, H, W): voxels of slices that are filled by more than half; shares: (P, H, W)."""
    filled = np.zeros((len(shares) // scan.planes, *shares.shape[1:]), bool)
    for at in np.flatnonzero(shares.any(axis=(1, 2)).reshape(-1, scan.planes).any(axis=1)):
        own = slice(at * scan.planes, (at + 1) * scan.planes)
        filled[at] = averaged(scan, shares[own])[0] > 0.5
    return filled


def _areas(shares: Array, bits: NDArray[np.uint8], scan: CtpaScan) -> Array:
    """(6, S) mm2 of clot in each slice, in the order of Areas; shares, bits: (P, H, W)."""
    held = np.stack([_held(bits) for bits in range(16)])  # (16, 6)
    found = np.zeros((held.shape[1], len(shares) // scan.planes), np.float32)
    slices = shares.reshape(-1, scan.planes, *shares.shape[1:])
    kinds = bits.reshape(slices.shape)
    for at in np.flatnonzero(shares.any(axis=(1, 2)).reshape(-1, scan.planes).any(axis=1)):
        picture = np.zeros(shares.shape[1:], np.float32)
        rows, columns = (stretch(slices[at].any(axis=axes)) for axes in ((0, 2), (0, 1)))
        own = (slice(None), rows, columns)
        for kind, counts in enumerate(held.T):
            share = slices[at][own] * counts[kinds[at][own]]
            picture[rows, columns] = share.mean(axis=0)
            found[kind, at] = picture.sum() * scan.pixel_mm**2
    return found


def _taken(
    rng: np.random.Generator,
    picture: Array,
    slab: Slab,
    z: float,
    inside: Inside,
    exam: Exam,
    scan: CtpaScan,
) -> NDArray[np.float32]:
    """The slice at z, chest mm, as the machine gives it: rays about the cava, motion, noise."""
    mimics = inside.mimics
    if mimics.streak_hu > 5 and CAVA_MM[0] < z < CAVA_MM[1]:
        picture = picture + rays(rng, slab.x, slab.y, CAVA_MM[2:], mimics.streak_hu)
    if exam.motion:
        picture = doubled(picture, rng, MOTION_MM / scan.pixel_mm)
    picture = beaten(picture, rng, slab, mimics.beat_mm)
    return measure(scan, picture, rng)
