"""phantoms/head/blood.py: five kinds of bleeding as solids of the head they happened in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.head.brain import SliceAnatomy, tentorium_height
from wetread.phantoms.head.skull import suture_distance
from wetread.phantoms.shapes.implicit import (
    FAR,
    SliceGrid,
    Waves,
    ellipsoid,
    evaluate_waves,
    smooth_min,
)
from wetread.phantoms.types import Point


@dataclass(frozen=True)
class Epidural:
    """Biconvex lens between bone and dura, 5-40 mm thick; its sutures stop it."""

    center: Point
    radius_mm: float
    thick_mm: float
    hu: float


@dataclass(frozen=True)
class Subdural:
    """Crescent along one convexity, 3-25 mm thick; crosses sutures, never the midline."""

    side: int
    center: Point
    along_mm: float
    upward_mm: float
    thick_mm: float
    hu: float
    level_hu: float  # of the lower half when blood has a level; equal to hu otherwise


@dataclass(frozen=True)
class FoldSubdural:
    """Sheet of blood on one side of the falx, or on the tentorium."""

    side: int
    on_falx: bool
    back_mm: float
    reach_mm: float
    thick_mm: float
    hu: float


@dataclass(frozen=True, eq=False)
class Subarachnoid:
    """Blood in the sulci near a point, threads of 1-5 mm, or in the basal cisterns."""

    center: Point
    radius_mm: float
    thread_mm: float
    cisternal: bool
    edge: Waves
    hu: float


@dataclass(frozen=True, eq=False)
class Intraparenchymal:
    """Lobed clot within the tissue, 2-80 mL, with a rim of edema (10-14 HU pure)."""

    centers: tuple[Point, ...]
    radii: tuple[Point, ...]
    edge: Waves
    side: int  # -1 right, 1 left of the falx; 0: in the midline
    edema_mm: float
    hu: float
    edema_hu: float
    mottle_hu: float = 3.0  # standard deviation within the clot


@dataclass(frozen=True)
class Intraventricular:
    """Blood with a horizontal level, or a cast of the ventricles on some sides."""

    sides: tuple[int, ...]
    fill_mm: float
    cast: bool
    hu: float


Bleed = Epidural | Subdural | FoldSubdural | Subarachnoid | Intraparenchymal | Intraventricular
SUBTYPES = ("epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural")
SUBTYPE_OF: dict[type, str] = {
    Epidural: "epidural",
    Subdural: "subdural",
    FoldSubdural: "subdural",
    Subarachnoid: "subarachnoid",
    Intraparenchymal: "intraparenchymal",
    Intraventricular: "intraventricular",
}


def distance_to(grid: SliceGrid, center: Point) -> FloatArray:
    """Compute the distance from a canonical point, (h, w, S), mm."""
    total: FloatArray = np.sqrt(
        (grid.x - center[0]) ** 2 + (grid.y - center[1]) ** 2 + (grid.z - center[2]) ** 2
    )
    return total


def displace_by_mass(grid: SliceGrid, bleeds: tuple[Bleed, ...]) -> SliceGrid:
    """Compute where each point of the brain came from: mass effect shifts ventricles, midline."""
    x, y, z = grid.x, grid.y, grid.z
    for bleed in bleeds:
        if isinstance(bleed, Epidural | Subdural):
            shift, spread, center = 0.55 * bleed.thick_mm, 48.0, bleed.center
        elif isinstance(bleed, Intraparenchymal):
            size = float(np.cbrt(np.prod(bleed.radii[0])))
            size += 0.5 * bleed.edema_mm
            shift, spread, center = 0.45 * max(size - 5, 0), 26.0, bleed.centers[0]
        else:
            continue
        if shift < 0.8:
            continue
        away = distance_to(grid, center)
        force = shift * np.exp(-((away / spread) ** 2))
        force *= 1 / np.maximum(away, 12.0)
        x = x - force * (grid.x - center[0])
        y = y - 0.6 * force * (grid.y - center[1])
        z = z - 0.6 * force * (grid.z - center[2])
    return SliceGrid(x, y, z, grid.down, grid.pixel)


def epidural_solid(bleed: Epidural, anatomy: SliceAnatomy) -> FloatArray:
    """Compute a lens (h, w, S), mm, that ends at the coronal or lambdoid suture of its bone."""
    grid, skull = anatomy.grid, anatomy.skull
    away = distance_to(grid, bleed.center)
    dome = bleed.thick_mm * (1 - (away * (1 / bleed.radius_mm)) ** 2)
    x, y, z = (np.full((1, 1, 1), v, np.float32) for v in bleed.center)
    at_samples = suture_distance(grid.x, grid.y, grid.z)
    at_home = suture_distance(x, y, z)
    for distance, at_center in zip(at_samples[:2], at_home[:2], strict=True):
        sign = 1.0 if float(at_center[0, 0, 0]) > 0 else -1.0
        dome = np.minimum(dome, 1.3 * sign * distance)
    lens: FloatArray = np.maximum(skull.inside, (-skull.inside - dome) * 0.85)
    return lens


def subdural_solid(bleed: Subdural, anatomy: SliceAnatomy) -> FloatArray:
    """Compute a crescent (h, w, S), mm: its inner edge follows the brain, its ends taper."""
    grid, skull, brain = anatomy.grid, anatomy.skull, anatomy.brain
    along = (grid.y - bleed.center[1]) * (1 / bleed.along_mm)
    upward = (grid.z - bleed.center[2]) * (1 / bleed.upward_mm)
    rest = np.maximum(1 - along * along - upward * upward, -1.0)
    profile = bleed.thick_mm * np.sign(rest) * np.abs(rest) ** 0.7
    profile = np.minimum(profile, 0.9 * (grid.x * bleed.side - 1.5))
    solid = np.maximum(skull.inside, (-skull.inside - profile) * 0.95)
    crescent: FloatArray = np.maximum(solid, -np.maximum(brain.below_tentorium, -3))
    return crescent


def fold_solid(bleed: FoldSubdural, anatomy: SliceAnatomy) -> FloatArray:
    """Compute a slab (h, w, S), mm, that leans on the dural fold and ends with it."""
    grid, skull, brain = anatomy.grid, anatomy.skull, anatomy.brain
    end = np.abs(grid.y - bleed.back_mm) - bleed.reach_mm
    thick = bleed.thick_mm
    if bleed.on_falx:
        slab = np.abs(grid.x * bleed.side - 0.5 * thick) - 0.5 * thick
        slab = np.maximum(slab, brain.falx - thick - 1)
    else:
        level = (grid.z - tentorium_height(grid.x, grid.y)) * 0.75
        slab = np.abs(level - 0.5 * thick) - 0.5 * thick
        slab = np.maximum(slab, brain.tentorium - thick - 1)
        slab = np.maximum(slab, 3 - grid.x * bleed.side)
    sheet: FloatArray = np.maximum(np.maximum(slab, end * 0.5), skull.inside)
    return sheet


def subarachnoid_solid(bleed: Subarachnoid, anatomy: SliceAnatomy) -> FloatArray:
    """Compute fluid spaces near the source, (h, w, S), mm, a little swollen by blood."""
    grid, skull, brain = anatomy.grid, anatomy.skull, anatomy.brain
    region = distance_to(grid, bleed.center) - bleed.radius_mm
    region += 0.3 * bleed.radius_mm * evaluate_waves(bleed.edge, grid.x, grid.y, grid.z)
    if bleed.cisternal:
        space = np.minimum(brain.cisterns, brain.fissure) - 0.35 * bleed.thread_mm
        filled: FloatArray = np.maximum(np.maximum(space, skull.inside + 0.5), region)
        return filled
    fade = np.maximum(brain.sulcus_width * 0.17 + bleed.thread_mm * 0.5, 0.4)
    thread = brain.sulcus - fade
    thread = np.maximum(thread, brain.depth - 15)
    thread = np.where(brain.below_tentorium < 0, FAR, thread)
    thread = np.maximum(thread, skull.inside + 0.4)
    threads: FloatArray = np.maximum(thread, region)
    return threads


def clot_solid(bleed: Intraparenchymal, anatomy: SliceAnatomy) -> FloatArray:
    """Compute lobes joined smoothly, (h, w, S), mm, with an irregular surface."""
    grid, brain = anatomy.grid, anatomy.brain
    solid = np.full_like(grid.x, FAR)
    for center, radii in zip(bleed.centers, bleed.radii, strict=True):
        solid = smooth_min(solid, ellipsoid(grid.x, grid.y, grid.z, center, radii, grid.span), 3.0)
    size = float(np.cbrt(np.prod(bleed.radii[0])))
    solid = solid + 0.13 * size * evaluate_waves(bleed.edge, grid.x, grid.y, grid.z)
    if bleed.side:
        solid = np.maximum(solid, 1.6 - grid.x * bleed.side)
    clot: FloatArray = np.maximum(solid, brain.surface + 0.6)
    return clot


def ventricle_solid(
    bleed: Intraventricular, anatomy: SliceAnatomy, lowest: dict[int, float]
) -> FloatArray:
    """Compute blood in the ventricles, (h, w, S), mm: all of them (a cast), or below a level.

    The level is horizontal in the scanner. lowest: mm along gravity of the lowest part of each
    side's occipital horn, -1 right, 1 left.
    """
    grid, brain = anatomy.grid, anatomy.brain
    result = np.full_like(grid.x, FAR)
    for side in bleed.sides:
        half = np.maximum(brain.lateral, 0.5 - grid.x * side)
        if not bleed.cast:
            half = np.maximum(half, lowest[side] - bleed.fill_mm - grid.down)
        result = np.minimum(result, half)
    if bleed.cast:
        result = np.minimum(result, np.maximum(brain.ventricles, 3 - brain.lateral))
    return result
