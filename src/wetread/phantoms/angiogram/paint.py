"""phantoms/angiogram/paint.py: heart, vessels, bronchi, clots and look-alikes painted on a chest
CT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.angiogram.arteries import LOBAR, MAIN, SEGMENTAL, Branches
from wetread.phantoms.angiogram.chambers import Chambers, outflow_of, ventricle_solids
from wetread.phantoms.angiogram.contrast import BLOOD_HU, Contrast, blood
from wetread.phantoms.angiogram.emboli import Clot, calibres, clot_solid, specks
from wetread.phantoms.angiogram.exam import CHRONIC
from wetread.phantoms.angiogram.mimics import Ball, Mimics
from wetread.phantoms.chest.organs import Organs
from wetread.phantoms.shapes.implicit import Array
from wetread.phantoms.shapes.rods import Rods, mix_touched, paint_rods, touch_rods
from wetread.phantoms.shapes.slab import (
    Along,
    Box,
    Slab,
    along_rod,
    box_of,
    covered,
    mix,
    paint,
    paint_rod,
    points,
    rod_box,
    thin_cover,
)

LEFT, RIGHT, CENTRAL, OLD = 1, 2, 4, 8  # bits of what a clot is
SHEATH_MM, LOBAR_SHEATH_MM = 3.0, 1.2  # of fat and tissue round the vessels of the hila
FAT_HU, NODE_EDGE_HU = -75.0, -60.0
BRONCHUS_HU, BRONCHUS_WALL_HU = -930.0, 10.0
LUMEN, WALL = 0.75, 0.28  # of a bronchus, over the radius of the artery beside it
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
class Inside:
    """What is painted on a person's chest."""

    arteries: Branches
    veins: Branches
    clots: tuple[Clot, ...]
    chambers: Chambers
    contrast: Contrast
    mimics: Mimics


@dataclass(frozen=True, eq=False)
class Covers:
    """Shares of the slab's voxels, (P, H, W) float32 in [0, 1]; clot_bits: uint8, what it is."""

    arteries: Array
    clots: Array
    clot_bits: NDArray[np.uint8]
    left_ventricle: Array
    right_ventricle: Array


def paint_inside(
    slab: Slab, inside: Inside, organs: Organs, heart: NDArray[np.bool_], lung: NDArray[np.bool_]
) -> Covers:
    """Everything, in place; heart, lung: (P, H, W) where the plain chest has them."""
    covers = _no_covers(slab)
    _paint_sheaths(slab, inside, lung)
    _paint_fat(slab, heart)
    _paint_nodes(slab, inside.mimics.nodes)
    _paint_great_vessels(slab, inside, organs)
    _paint_heart(slab, inside, heart | lung, covers)
    _paint_veins(slab, inside)
    _paint_bronchi(slab, inside)
    lumen = calibres(inside.arteries, inside.clots)
    _paint_arteries(slab, inside, lumen, covers)
    for clot in inside.clots:
        _paint_clot(slab, inside, lumen, clot, covers)
    for center, radius, hu in inside.mimics.mass:
        _paint_ball(slab, center, radius, hu)
    return covers


def _no_covers(slab: Slab) -> Covers:
    def nothing() -> Array:
        return np.zeros(slab.hu.shape, np.float32)

    return Covers(nothing(), nothing(), np.zeros(slab.hu.shape, np.uint8), nothing(), nothing())


def _paint_sheaths(slab: Slab, inside: Inside, lung: NDArray[np.bool_]) -> None:
    """Where vessels leave the mediastinum, tissue goes with them into the lung."""
    for tree in (inside.arteries, inside.veins):
        own = np.flatnonzero(tree.level <= LOBAR)
        coat = np.where(tree.level[own] < LOBAR, SHEATH_MM, LOBAR_SHEATH_MM)
        touched = touch_rods(slab, Rods(tree.start[own], tree.end[own], tree.radius[own] + coat))
        share = touched.share * lung.reshape(-1)[touched.voxel]
        mix_touched(slab, touched._replace(share=share), np.full(share.shape, np.float32(FAT_HU)))


def _paint_heart(slab: Slab, inside: Inside, room: NDArray[np.bool_], covers: Covers) -> None:
    """Muscle, and the blood of four chambers, where there is heart or lung in the plain chest."""
    chambers, contrast = inside.chambers, inside.contrast
    ventricles = chambers.ventricles
    reach = max(*ventricles.left, *ventricles.right) + 30
    middle = np.asarray(ventricles.center)
    for (center, radii), hu in (
        (chambers.left_atrium, contrast.left_atrium),
        (chambers.right_atrium, contrast.right_atrium),
    ):
        _paint_ellipsoid(slab, center, tuple(r + 2.5 for r in radii), contrast.muscle, room)
        _paint_ellipsoid(slab, center, radii, hu, room)
    box = box_of(slab, middle - reach, middle + reach)
    if box is None:
        return
    for first in range(box[0].start, box[0].stop, PLANES_AT_ONCE):
        planes = slice(first, min(first + PLANES_AT_ONCE, box[0].stop))
        _paint_ventricles(slab, inside, room, covers, (planes, *box[1:]))
    valve, outflow = inside.arteries.start[0], np.asarray(outflow_of(ventricles))
    radius = float(inside.arteries.radius[0])
    paint_rod(slab, outflow, valve, (radius, radius), contrast.right_ventricle)


def _paint_ventricles(
    slab: Slab, inside: Inside, room: NDArray[np.bool_], covers: Covers, box: Box
) -> None:
    """Both within a box, with their walls."""
    contrast = inside.contrast
    left, right, shell = ventricle_solids(inside.chambers.ventricles, *points(slab, box))
    free = room[box]
    mix(slab, box, covered(shell, slab.pixel) * free, contrast.muscle)
    for solid, hu, into in (
        (right, contrast.right_ventricle, covers.right_ventricle),
        (left, contrast.left_ventricle, covers.left_ventricle),
    ):
        share = covered(solid, slab.pixel) * free
        mix(slab, box, share, hu)
        into[box] = share


def _paint_fat(slab: Slab, heart: NDArray[np.bool_]) -> None:
    """Within the heart sac, 3 mm from its outline."""
    edge = max(1, round(3 / slab.pixel))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge + 1, 2 * edge + 1))
    for plane, sac in zip(slab.hu, heart, strict=True):
        if sac.any():
            plane[cv2.erode(sac.astype(np.uint8), kernel) > 0] = FAT_HU


def _paint_ellipsoid(
    slab: Slab,
    center: tuple[float, float, float],
    radii: tuple[float, ...],
    hu: float,
    room: NDArray[np.bool_],
) -> None:
    middle, half = np.asarray(center), np.asarray(radii)
    box = box_of(slab, middle - half, middle + half)
    if box is None:
        return
    x, y, z = points(slab, box)
    u, v, w = ((axis - m) / r for axis, m, r in zip((x, y, z), middle, half, strict=True))
    solid = (np.sqrt(u * u + v * v + w * w) - 1) * np.float32(np.prod(half) ** (1 / 3))
    mix(slab, box, covered(solid.astype(np.float32), slab.pixel) * room[box], hu)


def _paint_ball(slab: Slab, center: tuple[float, float, float], radius: float, hu: float) -> None:
    middle = np.asarray(center)

    def solid(x: Array, y: Array, z: Array) -> Array:
        away = (x - center[0]) ** 2 + (y - center[1]) ** 2 + (z - center[2]) ** 2
        ball: Array = np.sqrt(away).astype(np.float32) - np.float32(radius)
        return ball

    paint(slab, middle - radius, middle + radius, solid, hu)


def _paint_nodes(slab: Slab, nodes: tuple[Ball, ...]) -> None:
    for center, radius, hu in nodes:
        _paint_ball(slab, center, radius + 1.5, NODE_EDGE_HU)
        _paint_ball(slab, center, radius, hu)


def _paint_great_vessels(slab: Slab, inside: Inside, organs: Organs) -> None:
    """Aorta, its branches and the large veins of the mediastinum, each with its own contrast."""
    contrast = inside.contrast
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
            atrium = np.asarray(inside.chambers.right_atrium[0])
            paint_rod(slab, end[:3], atrium, (rod.end[3], rod.end[3]), contrast.right_atrium)


def _paint_veins(slab: Slab, inside: Inside) -> None:
    veins = inside.veins
    rods = Rods(veins.start, veins.end, veins.radius)
    paint_rods(slab, rods, np.full(len(veins), inside.contrast.veins))


def _paint_bronchi(slab: Slab, inside: Inside) -> None:
    """Each beside its artery, on the side of the hilum's bronchi; some are full of mucus."""
    tree, mimics = inside.arteries, inside.mimics
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


def _paint_arteries(slab: Slab, inside: Inside, lumen: Array, covers: Covers) -> None:
    """The tree as wide as its clots leave it; lumen: (N,) mm."""
    tree, contrast = inside.arteries, inside.contrast
    touched = touch_rods(slab, Rods(tree.start, tree.end, lumen))
    z, y, x = np.unravel_index(touched.voxel, slab.hu.shape)
    hu = blood(contrast, contrast.arteries, slab.x[x], slab.y[y], slab.z[z])
    mix_touched(slab, touched, np.broadcast_to(np.asarray(hu, np.float32), touched.share.shape))
    np.maximum.at(covers.arteries.reshape(-1), touched.voxel, touched.share)


class Stretch(NamedTuple):
    """A clot in one branch: its box, its cover there, what it is in bits, and the rod's frame."""

    box: Box
    share: Array
    bits: int
    along: Along
    length: float


def clot_stretches(slab: Slab, tree: Branches, lumen: Array, clot: Clot) -> Iterator[Stretch]:
    """Where a clot lies in the slab, branch by branch; lumen: (N,) radii that all clots leave."""
    for branch, low, high in clot.pieces:
        start, end = tree.start[branch], tree.end[branch]
        radius = float(lumen[branch])
        box = rod_box(slab, start, end, radius)
        if box is None:
            continue
        along = along_rod(slab, box, start, end)
        length = float(np.linalg.norm(end - start))
        solid = clot_solid(clot, along, radius, length, low, high)
        share = thin_cover(solid.astype(np.float32), slab.pixel, radius)
        if share.any():
            bits = {0: 0, 1: LEFT, -1: RIGHT}[int(tree.side[branch])]
            bits |= CENTRAL * bool(tree.level[branch] <= MAIN) | OLD * (clot.age == CHRONIC)
            yield Stretch(box, share, bits, along, length)


def hold_clot(shares: Array, held: NDArray[np.uint8], box: Box, share: Array, bits: int) -> None:
    """Join a stretch to those before it, in place: a voxel belongs to what fills it most."""
    held[box][share > shares[box]] = bits
    shares[box] = np.maximum(shares[box], share)


def _paint_clot(slab: Slab, inside: Inside, lumen: Array, clot: Clot, covers: Covers) -> None:
    for box, share, bits, along, length in clot_stretches(slab, inside.arteries, lumen, clot):
        mix(slab, box, share, clot.hu)
        if clot.calcium:
            mix(slab, box, share * specks(clot, along, length), clot.calcium)
        hold_clot(covers.clots, covers.clot_bits, box, share, bits)
