"""phantoms/angiogram/paint.py: heart, vessels, bronchi and clots painted into a chest CT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from wetread.archive.types import BoolArray, FloatArray, UInt8Array
from wetread.phantoms.angiogram.arteries import LOBAR, MAIN, SEGMENTAL, Branches
from wetread.phantoms.angiogram.chambers import Chambers, outflow_of, ventricle_solids
from wetread.phantoms.angiogram.contrast import BLOOD_HU, Contrast, blood
from wetread.phantoms.angiogram.emboli import Clot, calcium_specks, clot_solid, lumen_radii
from wetread.phantoms.angiogram.exam import CHRONIC
from wetread.phantoms.angiogram.mimics import AngiogramMimics, Ball
from wetread.phantoms.chest.organs import Organs
from wetread.phantoms.shapes.rods import Rods, blend_covered, cover_rods, paint_rods
from wetread.phantoms.shapes.slab import (
    RodFrame,
    Slab,
    mix,
    paint,
    paint_rod,
    rod_box,
    rod_coverage,
    rod_frame,
    voxel_box,
    voxel_coordinates,
    voxel_share,
)
from wetread.phantoms.types import Point, SlabBox

LEFT, RIGHT, CENTRAL, OLD = 1, 2, 4, 8  # bits of a clot's kinds
SHEATH_MM, LOBAR_SHEATH_MM = 3.0, 1.2  # of fat and tissue around the vessels of the hila
FAT_HU, NODE_EDGE_HU = -75.0, -60.0
BRONCHUS_HU, BRONCHUS_WALL_HU = -930.0, 10.0
LUMEN, WALL = 0.75, 0.28  # of a bronchus, over the radius of its artery
PLANES_AT_ONCE = 6  # of the ventricles: they stay in the cache
FROM_ARM = {-1: "right_brachiocephalic", 1: "left_brachiocephalic"}
BRONCHI = (  # from where the main bronchi end to the hila: (x, y, z, radius) at either end, mm
    ((-18.0, 19.0, 17.0, 5.0), (-38.0, 13.0, 24.0, 4.2)),
    ((-30.0, 20.0, 4.0, 5.5), (-35.0, 27.0, -14.0, 4.6)),
    ((-35.0, 27.0, -14.0, 4.6), (-41.0, 32.0, -36.0, 3.6)),
    ((38.0, 20.0, 8.0, 4.8), (47.0, 12.0, 16.0, 3.8)),
    ((36.0, 20.0, 9.0, 5.0), (37.0, 22.0, -12.0, 4.4)),
    ((37.0, 22.0, -12.0, 4.4), (44.0, 36.0, -34.0, 3.5)),
)


@dataclass(frozen=True, eq=False)
class Circulation:
    """Vessels, heart, clots and look-alikes, as they are painted on a person's chest."""

    arteries: Branches
    veins: Branches
    clots: tuple[Clot, ...]
    chambers: Chambers
    contrast: Contrast
    mimics: AngiogramMimics


@dataclass(frozen=True, eq=False)
class Coverage:
    """Shares of the slab's voxels, (P, H, W) float32 in [0, 1]; clot_bits: (P, H, W) uint8."""

    arteries: FloatArray
    clots: FloatArray
    clot_bits: UInt8Array
    left_ventricle: FloatArray
    right_ventricle: FloatArray


def paint_circulation(
    slab: Slab, circulation: Circulation, organs: Organs, heart: BoolArray, lung: BoolArray
) -> Coverage:
    """Paint a circulation, in place; heart, lung: (P, H, W) where the plain chest has them."""
    coverage = _no_coverage(slab)
    _paint_sheaths(slab, circulation, lung)
    _paint_fat(slab, heart)
    _paint_nodes(slab, circulation.mimics.nodes)
    _paint_great_vessels(slab, circulation, organs)
    _paint_heart(slab, circulation, heart | lung, coverage)
    _paint_veins(slab, circulation)
    _paint_bronchi(slab, circulation)
    lumen = lumen_radii(circulation.arteries, circulation.clots)
    _paint_arteries(slab, circulation, lumen, coverage)
    for clot in circulation.clots:
        _paint_clot(slab, circulation, lumen, clot, coverage)
    for center, radius, hu in circulation.mimics.mass:
        _paint_ball(slab, center, radius, hu)
    return coverage


def _no_coverage(slab: Slab) -> Coverage:
    arteries, clots, left, right = (np.zeros(slab.hu.shape, np.float32) for _ in range(4))
    return Coverage(arteries, clots, np.zeros(slab.hu.shape, np.uint8), left, right)


def _paint_sheaths(slab: Slab, circulation: Circulation, lung: BoolArray) -> None:
    """Paint the tissue that goes with vessels from the mediastinum into the lung (P, H, W)."""
    for tree in (circulation.arteries, circulation.veins):
        own = np.flatnonzero(tree.level <= LOBAR)
        coat = np.where(tree.level[own] < LOBAR, SHEATH_MM, LOBAR_SHEATH_MM)
        touched = cover_rods(slab, Rods(tree.start[own], tree.end[own], tree.radius[own] + coat))
        share = touched.share * lung.reshape(-1)[touched.voxel]
        blend_covered(slab, touched._replace(share=share), np.full(share.shape, np.float32(FAT_HU)))


def _paint_heart(slab: Slab, circulation: Circulation, room: BoolArray, coverage: Coverage) -> None:
    """Paint muscle and the blood of four chambers; room: (P, H, W), heart or lung."""
    chambers, contrast = circulation.chambers, circulation.contrast
    ventricles = chambers.ventricles
    reach = max(*ventricles.left, *ventricles.right) + 30
    middle = np.asarray(ventricles.center)
    for (center, radii), hu in (
        (chambers.left_atrium, contrast.left_atrium),
        (chambers.right_atrium, contrast.right_atrium),
    ):
        _paint_ellipsoid(slab, center, tuple(r + 2.5 for r in radii), contrast.muscle, room)
        _paint_ellipsoid(slab, center, radii, hu, room)
    box = voxel_box(slab, middle - reach, middle + reach)
    if box is None:
        return
    for first in range(box[0].start, box[0].stop, PLANES_AT_ONCE):
        planes = slice(first, min(first + PLANES_AT_ONCE, box[0].stop))
        _paint_ventricles(slab, circulation, room, coverage, (planes, *box[1:]))
    valve, outflow = circulation.arteries.start[0], np.asarray(outflow_of(ventricles))
    radius = float(circulation.arteries.radius[0])
    paint_rod(slab, outflow, valve, (radius, radius), contrast.right_ventricle)


def _paint_ventricles(
    slab: Slab, circulation: Circulation, room: BoolArray, coverage: Coverage, box: SlabBox
) -> None:
    """Paint both ventricles within a box, with their walls; room: (P, H, W)."""
    contrast = circulation.contrast
    left, right, shell = ventricle_solids(
        circulation.chambers.ventricles, *voxel_coordinates(slab, box)
    )
    free = room[box]
    mix(slab, box, voxel_share(shell, slab.pixel) * free, contrast.muscle)
    for solid, hu, into in (
        (right, contrast.right_ventricle, coverage.right_ventricle),
        (left, contrast.left_ventricle, coverage.left_ventricle),
    ):
        share = voxel_share(solid, slab.pixel) * free
        mix(slab, box, share, hu)
        into[box] = share


def _paint_fat(slab: Slab, heart: BoolArray) -> None:
    """Paint fat within the heart sac (P, H, W), 3 mm from its outline."""
    edge = max(1, round(3 / slab.pixel))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge + 1, 2 * edge + 1))
    for plane, sac in zip(slab.hu, heart, strict=True):
        if sac.any():
            plane[cv2.erode(sac.astype(np.uint8), kernel) > 0] = FAT_HU


def _paint_ellipsoid(
    slab: Slab,
    center: Point,
    radii: tuple[float, ...],
    hu: float,
    room: BoolArray,
) -> None:
    middle, half = np.asarray(center), np.asarray(radii)
    box = voxel_box(slab, middle - half, middle + half)
    if box is None:
        return
    x, y, z = voxel_coordinates(slab, box)
    u, v, w = ((axis - m) / r for axis, m, r in zip((x, y, z), middle, half, strict=True))
    solid = (np.sqrt(u * u + v * v + w * w) - 1) * np.float32(np.prod(half) ** (1 / 3))
    mix(slab, box, voxel_share(solid.astype(np.float32), slab.pixel) * room[box], hu)


def _paint_ball(slab: Slab, center: Point, radius: float, hu: float) -> None:
    middle = np.asarray(center)

    def solid(x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
        """Evaluate the ball at points of any shape, mm."""
        away = (x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2
        ball: FloatArray = np.sqrt(away).astype(np.float32) - np.float32(radius)
        return ball

    paint(slab, middle - radius, middle + radius, solid, hu)


def _paint_nodes(slab: Slab, nodes: tuple[Ball, ...]) -> None:
    for center, radius, hu in nodes:
        _paint_ball(slab, center, radius + 1.5, NODE_EDGE_HU)
        _paint_ball(slab, center, radius, hu)


def _paint_great_vessels(slab: Slab, circulation: Circulation, organs: Organs) -> None:
    """Paint the aorta, its branches and the large veins, each with its own contrast."""
    contrast = circulation.contrast
    for rod in organs.vessels:
        hu = contrast.aorta
        if rod.name in ("superior_cava", FROM_ARM[contrast.arm]):
            hu = contrast.cava
        elif rod.name == "inferior_cava":
            hu = contrast.lower_cava
        elif rod.name in (FROM_ARM[-contrast.arm], "azygos"):
            hu = BLOOD_HU + 0.15 * (contrast.cava - BLOOD_HU)
        start, end = np.asarray(rod.start), np.asarray(rod.end)
        paint_rod(slab, start[:3], end[:3], (rod.start[3], rod.end[3]), hu)
        if rod.name == "superior_cava":
            atrium = np.asarray(circulation.chambers.right_atrium[0])
            paint_rod(slab, end[:3], atrium, (rod.end[3], rod.end[3]), contrast.right_atrium)


def _paint_veins(slab: Slab, circulation: Circulation) -> None:
    veins = circulation.veins
    rods = Rods(veins.start, veins.end, veins.radius)
    paint_rods(slab, rods, np.full(len(veins), circulation.contrast.veins))


def _paint_bronchi(slab: Slab, circulation: Circulation) -> None:
    """Paint a bronchus along each artery, towards the hilum's bronchi; some hold mucus."""
    tree, mimics = circulation.arteries, circulation.mimics
    for wall, hu in ((1.4, BRONCHUS_WALL_HU), (0.0, BRONCHUS_HU)):
        for start, end in BRONCHI:
            radii = (start[3] + wall, end[3] + wall)
            paint_rod(slab, np.asarray(start[:3]), np.asarray(end[:3]), radii, hu)
    own = np.flatnonzero((tree.level >= SEGMENTAL) & (tree.radius > 1.3))
    radius = tree.radius[own].astype(np.float64)
    lumen = LUMEN * radius
    out = np.stack([-0.75 * tree.side[own], np.full(len(own), 0.2), np.full(len(own), 0.6)], axis=1)
    aside = out * (radius + lumen)[:, None]
    filled = np.where(mimics.mucus[own], mimics.mucus_hu, BRONCHUS_HU)
    # a wall, its lumen, the next one's wall: so one bronchus opens into another
    twice = np.repeat(np.arange(len(own)), 2)
    rods = Rods(
        (tree.start[own] + aside)[twice],
        (tree.end[own] + aside)[twice],
        np.stack([lumen + WALL * radius, lumen], axis=1).reshape(-1),
    )
    paint_rods(slab, rods, np.stack([np.full(len(own), BRONCHUS_WALL_HU), filled], 1).reshape(-1))


def _paint_arteries(
    slab: Slab, circulation: Circulation, lumen: FloatArray, coverage: Coverage
) -> None:
    """Paint the arteries as wide as their clots leave them; lumen: (N,) radii, mm."""
    tree, contrast = circulation.arteries, circulation.contrast
    touched = cover_rods(slab, Rods(tree.start, tree.end, lumen))
    z, y, x = np.unravel_index(touched.voxel, slab.hu.shape)
    hu = blood(contrast, contrast.arteries, slab.x[x], slab.y[y], slab.z[z])
    blend_covered(slab, touched, np.broadcast_to(np.asarray(hu, np.float32), touched.share.shape))
    np.maximum.at(coverage.arteries.reshape(-1), touched.voxel, touched.share)


class ClotStretch(NamedTuple):
    """A clot in one branch: its box, its shares (p, h, w) there, its kinds as bits, its frame."""

    box: SlabBox
    share: FloatArray
    bits: int
    frame: RodFrame
    length: float


def clot_stretches(
    slab: Slab, tree: Branches, lumen: FloatArray, clot: Clot
) -> Iterator[ClotStretch]:
    """Yield where a clot lies in the slab, branch by branch; lumen: (N,) radii, mm."""
    for branch, low, high in clot.pieces:
        start, end = tree.start[branch], tree.end[branch]
        radius = float(lumen[branch])
        box = rod_box(slab, start, end, radius)
        if box is None:
            continue
        frame = rod_frame(slab, box, start, end)
        length = float(np.linalg.norm(end - start))
        solid = clot_solid(clot, frame, radius_mm=radius, length_mm=length, low=low, high=high)
        share = rod_coverage(solid.astype(np.float32), slab.pixel, radius)
        if share.any():
            bits = {0: 0, 1: LEFT, -1: RIGHT}[int(tree.side[branch])]
            bits |= CENTRAL * bool(tree.level[branch] <= MAIN) | OLD * (clot.age == CHRONIC)
            yield ClotStretch(box, share, bits, frame, length)


def join_clot(shares: FloatArray, kinds: UInt8Array, stretch: ClotStretch) -> None:
    """Join a stretch to shares and kinds (P, H, W), in place: the fullest clot owns a voxel."""
    box, share = stretch.box, stretch.share
    kinds[box][share > shares[box]] = stretch.bits
    shares[box] = np.maximum(shares[box], share)


def _paint_clot(
    slab: Slab, circulation: Circulation, lumen: FloatArray, clot: Clot, coverage: Coverage
) -> None:
    for stretch in clot_stretches(slab, circulation.arteries, lumen, clot):
        mix(slab, stretch.box, stretch.share, clot.hu)
        if clot.calcium:
            specks = stretch.share * calcium_specks(stretch.frame, stretch.length)
            mix(slab, stretch.box, specks, clot.calcium)
        join_clot(coverage.clots, coverage.clot_bits, stretch)
