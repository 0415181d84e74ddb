"""tests/phantoms/chest_ct_phantom.py: a chest CT of known truth, for tests."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, FloatArray, UInt8Array
from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.chest.lesions import Lesions, draw_lesions
from wetread.phantoms.chest.organs import draw_organs
from wetread.phantoms.chest.paint import TissueTexture, draw_texture, paint_plane
from wetread.phantoms.chest.parts import AxialPlane, ChestBody, ChestPart, plane_at
from wetread.phantoms.chest.plane import PlanePoints
from wetread.phantoms.chest.skeleton import cover_bones, draw_bones
from wetread.phantoms.chest.vessels import VesselTree, draw_vessel_tree, lung_to_chest
from wetread.phantoms.scanner.noise import draw_noise
from wetread.phantoms.scanner.stored_values import LOWEST_HU
from wetread.phantoms.shapes.balls import Lattice, cover_balls, empty_cover
from wetread.phantoms.shapes.implicit import draw_waves
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume

THINNEST_MM = 0.55  # radius of a vessel: a scan shows single ones thinner than a film does
VESSEL_HU = 42.0
PLANE_MM = 2.2  # a thicker slice is the mean of several planes


@dataclass(frozen=True, eq=False)
class Person:
    """Who is scanned: the body, the vessels of the right and the left lung, how tissue looks."""

    body: ChestBody
    arteries: tuple[VesselTree, VesselTree]
    veins: tuple[VesselTree, VesselTree]
    paint: TissueTexture
    arms_down: bool

    @property
    def chest(self) -> Chest:
        """The three-dimensional chest, as the radiographs have it."""
        return self.body.chest


@dataclass(frozen=True)
class ChestScan:
    """One acquisition, the patient on the back, head first.

    slices, size: (slices, size, size) voxels; spacing_mm: (dz, dy, dx).
    low_mm:       z of the lowest slice over the middle of the chest; center_mm: (x, y) of the
                  picture's middle.
    noise_hu, grain_pixels, blur_pixels: of the machine; table: whether the couch is in the picture.
    """

    slices: int
    size: int
    spacing_mm: tuple[float, float, float]
    low_mm: float
    center_mm: tuple[float, float]
    noise_hu: float
    grain_pixels: float
    blur_pixels: float
    table: bool = True


@dataclass(frozen=True, eq=False)
class ChestCtTruth:
    """Tissues of the voxels, (Z, Y, X) bool.

    lungs hold their vessels, nodules and consolidated lung, not fluid; airway: the lumen of trachea
    and main bronchi; heart: without the fat of its grooves; body: skin and all within, arms too.
    """

    lung_right: BoolArray
    lung_left: BoolArray
    airway: BoolArray
    heart: BoolArray
    bone: BoolArray
    body: BoolArray


@dataclass(frozen=True, eq=False)
class ChestCt:
    """A scan of a person: hu (Z, Y, X) float32, feet to head, with the truth of its voxels."""

    hu: Float32Array
    truth: ChestCtTruth
    place: SlicePlacement
    person: Person
    scan: ChestScan

    @property
    def volume(self) -> Volume:
        """As it would be read from files."""
        count = len(self.hu)
        return Volume(self.hu, self.place, ("",) * count, (), np.arange(count, dtype=np.float64))


def make_chest_ct(
    rng: np.random.Generator,
    *,
    slices: int = 100,
    spacing_mm: tuple[float, float, float] = (1.25, 1.4, 1.4),
    size: int = 256,
    nodules: int = 0,
    consolidations: int = 0,
    effusions: int = 0,
    touching: bool = False,
    arms_down: bool = False,
) -> ChestCt:
    """A person drawn and scanned; the slices lie round the middle of the chest.

    touching: whether the lungs meet in front of the heart.
    """
    age = int(rng.integers(20, 85))
    chest = draw_chest(rng, bool(rng.random() < 0.5), age)
    lesions = draw_lesions(
        rng, chest, nodules=nodules, consolidations=consolidations, effusions=effusions
    )
    person = draw_person(rng, chest, lesions, touching=touching, arms_down=arms_down)
    scan = draw_chest_scan(rng, chest, slices=slices, spacing_mm=spacing_mm, size=size)
    return scan_chest(person, scan, rng)


def draw_person(
    rng: np.random.Generator, chest: Chest, lesions: Lesions, *, touching: bool, arms_down: bool
) -> Person:
    """The rest of a person with this chest."""
    body = ChestBody(chest, draw_organs(rng, chest), lesions, touching, draw_waves(rng, 8, 60))
    trees = [draw_vessel_tree(rng) for _ in range(4)]
    return Person(body, (trees[0], trees[1]), (trees[2], trees[3]), draw_texture(rng), arms_down)


def draw_chest_scan(
    rng: np.random.Generator,
    chest: Chest,
    *,
    slices: int,
    spacing_mm: tuple[float, float, float],
    size: int,
) -> ChestScan:
    """Slices round the chest's middle; thinner ones are noisier."""
    if slices < 1 or size < 16 or min(spacing_mm) <= 0:
        raise ValueError(f"{slices} slices of {size} pixels at {spacing_mm} mm: nothing to scan")
    middle = (chest.pleurae[0].apex[1] + chest.pleurae[0].base_z) / 2 * chest.scale
    return ChestScan(
        slices=slices,
        size=size,
        spacing_mm=spacing_mm,
        low_mm=float(middle - (slices - 1) / 2 * spacing_mm[0] + rng.normal(0, 6)),
        center_mm=(float(rng.normal(0, 6)), float(rng.normal(14, 5))),
        noise_hu=float(rng.uniform(11, 20) * min((1.25 / spacing_mm[0]) ** 0.5, 1.4)),
        grain_pixels=float(np.clip(0.7 / spacing_mm[2], 0.35, 1.2)),
        blur_pixels=float(np.clip(0.75 / spacing_mm[2], 0.45, 1.6)),
    )


def scan_chest(person: Person, scan: ChestScan, rng: np.random.Generator) -> ChestCt:
    """The person in the scanner: every plane painted, averaged over the slice, blurred, noisy."""
    chest = person.chest
    planes = max(1, int(np.ceil(scan.spacing_mm[0] / PLANE_MM)))
    lattice = _lattice(scan, chest.scale, planes)
    x, y, z = (lattice.along(axis) for axis in (2, 1, 0))
    vessels = _vessels(person, lattice)
    skeleton = cover_bones(draw_bones(chest, 0.0 if person.arms_down else 1.0), lattice)
    hu = np.empty((scan.slices, scan.size, scan.size), np.float32)
    found = np.zeros((len(fields(ChestCtTruth)), *hu.shape), bool)
    for number in range(scan.slices):
        total = np.zeros(hu.shape[1:], np.float32)
        share = np.zeros((len(found), *hu.shape[1:]), np.uint8)
        for at in range(number * planes, (number + 1) * planes):
            points = PlanePoints(x, y, float(z[at]))
            plane = plane_at(person.body, points)
            if person.arms_down:
                _paint_arms(plane.part, chest, points)
            painted = paint_plane(person.body, person.paint, plane, points, skeleton.plane(at))
            free = (plane.part == ChestPart.LUNG) & (skeleton.bone[at] == 0)
            painted += (VESSEL_HU - painted) * (vessels[at] * free * np.float32(1 / 255))
            total += painted
            share += _parts(plane, skeleton.bone[at] > 127)
        found[:, number] = 2 * share > planes
        hu[number] = _measure(total / planes, scan, rng)
    return ChestCt(hu, ChestCtTruth(*found), _place(scan), person, scan)


def _paint_arms(part: UInt8Array, chest: Chest, points: PlanePoints) -> None:
    """Label upper arms next to the body, below the shoulders, each with its bone; part: (Y, X)."""
    wide, high, z = points.x[None, :], points.column, points.z
    if z > chest.shoulder_z - 26:
        return
    away = 182 + 0.75 * chest.wall_mm + 0.14 * (chest.shoulder_z - z)
    limb = np.hypot(np.abs(wide) - away, high - 24)
    free = part == ChestPart.ROOM
    part[free & (limb < 40)] = ChestPart.SKIN
    part[free & (limb < 38)] = ChestPart.FAT
    part[free & (limb < 33)] = ChestPart.MUSCLE
    part[free & (limb < 11.5)] = ChestPart.CORTEX
    part[free & (limb < 7)] = ChestPart.MARROW


def _parts(plane: AxialPlane, in_bone: BoolArray) -> BoolArray:
    """(6, Y, X): the truth of one plane, in the order of Truth's fields."""
    part = plane.part
    lung = np.where(in_bone, 0, plane.side)
    bone = in_bone | (part == ChestPart.CORTEX) | (part == ChestPart.MARROW)
    body = part != ChestPart.ROOM
    return np.stack(
        [lung == -1, lung == 1, part == ChestPart.AIRWAY, part == ChestPart.HEART, bone, body]
    )


def _lattice(scan: ChestScan, scale: float, planes: int) -> Lattice:
    """Where the planes' points lie in canonical mm."""
    dz, dy, dx = scan.spacing_mm
    half = (scan.size - 1) / 2
    first_z = scan.low_mm - dz / 2 + dz / planes / 2
    first = (first_z, scan.center_mm[1] - half * dy, scan.center_mm[0] - half * dx)
    step = (dz / planes, dy, dx)
    return Lattice(
        (first[0] / scale, first[1] / scale, first[2] / scale),
        (step[0] / scale, step[1] / scale, step[2] / scale),
        (scan.slices * planes, scan.size, scan.size),
    )


def _vessels(person: Person, lattice: Lattice) -> UInt8Array:
    """Cover the branching vessels of both lungs, (Z, Y, X)."""
    cover = empty_cover(lattice)
    for trees in (person.arteries, person.veins):
        for part, tree in zip(person.chest.pleurae, trees, strict=True):
            curves = lung_to_chest(part, tree.curves)
            radii = np.maximum(tree.radii, THINNEST_MM)
            _cover_curves(cover, lattice, curves, radii, 0.6 * lattice.step[2])
    return cover


def _cover_curves(
    into: UInt8Array, lattice: Lattice, curves: FloatArray, radii: FloatArray, every_mm: float
) -> None:
    """Add tubes along curves (C, K, 3), x, y, z mm, to a cover (Z, Y, X), in place.

    radii: (C, 2) mm at start and end; every_mm: distance of the balls along a curve.
    """
    lengths = np.linalg.norm(np.diff(curves, axis=1), axis=2).sum(axis=1)
    for low, high in ((0, 15), (15, 40), (40, np.inf)):
        chosen = (lengths >= low) & (lengths < high)
        if not chosen.any():
            continue
        points = max(int(lengths[chosen].max() / every_mm), 4)
        at = np.linspace(0, curves.shape[1] - 1, points)
        i = np.minimum(at.astype(np.int64), curves.shape[1] - 2)
        t = (at - i).astype(np.float32)[:, None]
        dense = curves[chosen][:, i] * (1 - t) + curves[chosen][:, i + 1] * t
        s = np.linspace(0, 1, points, dtype=np.float32)
        radius = radii[chosen][:, :1] * (1 - s) + radii[chosen][:, 1:] * s
        cover_balls(into, lattice, dense.reshape(-1, 3), radius.reshape(-1))


def _measure(plane: FloatArray, scan: ChestScan, rng: np.random.Generator) -> FloatArray:
    """A perfect slice (Y, X), HU, as the machine gives it."""
    soft = cv2.GaussianBlur(plane, (0, 0), scan.blur_pixels)
    # the wider the body, the fewer photons come through it
    dense = float((plane > -300).mean()) * (scan.size * scan.spacing_mm[2]) ** 2 / 6e4
    noise = scan.noise_hu * float(np.clip(dense, 0.6, 2.5))
    soft += draw_noise(rng, scan.size, noise, scan.grain_pixels)
    measured: FloatArray = np.maximum(soft, LOWEST_HU)
    return measured


def _place(scan: ChestScan) -> SlicePlacement:
    """Rows to the left, columns to the back, slices from the feet to the head."""
    dz, dy, dx = scan.spacing_mm
    half = (scan.size - 1) / 2
    origins = np.zeros((scan.slices, 3))
    origins[:, 0] = scan.center_mm[0] - half * dx
    origins[:, 1] = scan.center_mm[1] - half * dy
    origins[:, 2] = scan.low_mm + np.arange(scan.slices) * dz
    turned = np.array([1.0, 0, 0, 0, 1, 0])
    return SlicePlacement(origins, turned, (dy, dx), np.full(scan.slices, dz))
