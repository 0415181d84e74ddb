"""phantoms/head/mimics.py: findings that look like bleeding and are not, in all studies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.types import Float64Array, FloatArray
from wetread.phantoms.head.blood import distance_to
from wetread.phantoms.head.patient import Patient
from wetread.phantoms.head.skull import Skull
from wetread.phantoms.shapes.implicit import (
    SliceGrid,
    Waves,
    capsule,
    cover,
    draw_waves,
    ellipsoid,
    evaluate_waves,
    paint,
    plane_mean,
)
from wetread.phantoms.types import Point

DRAINS = (  # of the left side, frontal and parietal: burr hole and tip, mm
    ((26.0, -58.0, 72.0), (8.0, -22.0, 12.0)),
    ((44.0, 66.0, 40.0), (10.0, -4.0, 18.0)),
)


@dataclass(frozen=True, eq=False)
class Infarct:
    """Old or recent infarct: dark tissue (12-24 HU) down to the surface or in the deep nuclei."""

    center: Point
    radii: Point
    edge: Waves
    hu: float


@dataclass(frozen=True)
class Craniotomy:
    """A bone flap: a saw cut around a place, with plates."""

    center: Point
    radius_mm: float


@dataclass(frozen=True)
class Catheter:
    """Ventricular drain from a burr hole, frontal or parietal, to the lateral ventricle."""

    side: int
    hu: float
    parietal: bool = False
    radius_mm: float = 1.2


@dataclass(frozen=True)
class Swelling:
    """Scalp hematoma: outside the skull."""

    center: Point
    radius_mm: float
    thick_mm: float
    hu: float


@dataclass(frozen=True)
class Tumor:
    """A meningioma: round, on the dura, somewhat denser than cortex (40-55 HU)."""

    center: Point
    radius_mm: float
    hu: float


@dataclass(frozen=True)
class Fracture:
    """A linear fracture: a gap of about a millimeter through the bone."""

    center: Point
    normal: Point
    reach_mm: float


Mimic = Fracture | Infarct | Craniotomy | Catheter | Swelling | Tumor
MIMICS: dict[type[Mimic], str] = {
    Infarct: "infarct",
    Craniotomy: "craniotomy",
    Catheter: "drain",
    Swelling: "scalp_swelling",
    Tumor: "meningioma",
    Fracture: "fracture",
}


def draw_head_mimics(
    rng: np.random.Generator,
    patient: Patient,
    injured: bool,
    struck: Point | None,
    difficulty: float,
) -> tuple[Mimic, ...]:
    """Draw each kind on its own; scalp swelling and fracture are commoner in the injured.

    struck: the center of an epidural, if there is one: swelling and fracture lie there.
    """
    found: list[Mimic] = []

    def somewhere(reach: float, low: float, high: float) -> Point:
        angle = rng.uniform(-np.pi, np.pi)
        z = float(rng.uniform(low, high))
        return (float(70 * reach * np.cos(angle)), float(85 * reach * np.sin(angle)), z)

    for _ in range(int(rng.integers(1, 3)) if rng.random() < 0.18 + 0.15 * patient.atrophy else 0):
        deep = rng.random() < 0.4
        center = somewhere(0.35, 2, 16) if deep else somewhere(0.85, -48, 45)
        size = rng.uniform(3, 7) if deep else rng.uniform(8, 32)
        radii = tuple(float(size * v) for v in rng.uniform(0.7, 1.4, 3))
        hu = float(rng.uniform(5, 25))
        found.append(
            Infarct(center, (radii[0], radii[1], radii[2]), draw_waves(rng, 5, 2 * size), hu)
        )
    if rng.random() < 0.06:
        found.append(Craniotomy(somewhere(1.0, 5, 45), float(rng.uniform(20, 38))))
    if rng.random() < 0.06:
        side, hu = int(rng.choice((-1, 1))), float(rng.uniform(150, 1500))
        found.append(Catheter(side, hu, bool(rng.random() < 0.5), float(rng.uniform(0.9, 2.0))))
    if rng.random() < (0.6 if injured else 0.5):
        center = struck or somewhere(1.1, -5, 50)
        found.append(
            Swelling(
                center,
                float(rng.uniform(18, 42)),
                float(rng.uniform(3, 14)),
                float(rng.uniform(44, 76)),
            )
        )
    if rng.random() < (0.7 if struck else 0.15 if injured else 0.05):
        center = struck or somewhere(1.0, 0, 50)
        turn = float(rng.uniform(0, np.pi))
        normal = (0.0, float(np.cos(turn)), float(np.sin(turn)))
        found.append(Fracture(center, normal, float(rng.uniform(15, 40))))
    if rng.random() < min(0.03 * difficulty, 0.3):
        found.append(
            Tumor(somewhere(0.95, 0, 45), float(rng.uniform(5, 16)), float(rng.uniform(40, 52)))
        )
    return tuple(found)


def raise_scalp(mimics: tuple[Mimic, ...], grid: SliceGrid, skull: Skull) -> Skull:
    """Raise the skin over swellings; returns the skull with its new outline."""
    head = skull.head
    for mimic in mimics:
        if isinstance(mimic, Swelling):
            away = distance_to(grid, mimic.center)
            head = head - mimic.thick_mm * np.exp(-((away / mimic.radius_mm) ** 2))
    if head is skull.head:
        return skull
    return replace(skull, head=head)


def mimic_solids(
    mimic: Mimic, grid: SliceGrid, skull: Skull
) -> tuple[tuple[FloatArray, float], ...]:
    """Compute the solids (h, w, S), mm, that a mimic is made of, each with its HU."""
    match mimic:
        case Infarct():
            solid = ellipsoid(grid.x, grid.y, grid.z, mimic.center, mimic.radii, grid.span)
            solid += 3 * evaluate_waves(mimic.edge, grid.x, grid.y, grid.z)
            return ((np.maximum(solid, skull.inside + 0.5) * 0.5, mimic.hu),)
        case Tumor():
            solid = distance_to(grid, mimic.center) - mimic.radius_mm
            return ((np.maximum(solid, skull.inside), mimic.hu),)
        case Swelling():
            away = distance_to(grid, mimic.center) - mimic.radius_mm
            under = np.maximum(np.maximum(away, skull.head + 3), 0.5 - skull.outer)
            return ((under, mimic.hu),)
        case Craniotomy():
            away = distance_to(grid, mimic.center)
            cut = np.maximum(np.abs(away - mimic.radius_mm) - 0.9, skull.bone)
            plate = np.maximum(np.abs(skull.outer - 0.4) - 0.6, np.abs(away - mimic.radius_mm) - 5)
            swing = np.cos(np.arctan2(grid.z - mimic.center[2], grid.y - mimic.center[1]) * 2)
            return ((cut, 35.0), (np.maximum(plate, (0.8 - swing) * 20), 2300.0))
        case Fracture():
            offsets = (grid.x, grid.y, grid.z)
            plane = sum(
                (axis - c) * n
                for axis, c, n in zip(offsets, mimic.center, mimic.normal, strict=True)
            )
            crack = np.maximum(np.abs(plane + skull.patchy) - 0.6, skull.bone)
            away = distance_to(grid, mimic.center) - mimic.reach_mm
            return ((np.maximum(crack, away), 60.0),)
        case Catheter():
            start, end = DRAINS[mimic.parietal]
            tube = capsule(
                grid.x * mimic.side,
                grid.y,
                grid.z,
                (*start, mimic.radius_mm),
                (*end, mimic.radius_mm),
                grid.span,
            )
            return ((np.maximum(tube, skull.head), mimic.hu),)


def mimic_areas(mimics: tuple[Mimic, ...], grid: SliceGrid, skull: Skull) -> Float64Array:
    """Compute the area of each of MIMICS in a slice, (6,) mm2: of pixels that are half in it."""
    areas = np.zeros(len(MIMICS))
    for mimic in mimics:
        patches = (cover(solid, grid.pixel) for solid, _ in mimic_solids(mimic, grid, skull))
        pixels = sum(int((plane_mean(p.cover) >= 0.5).sum()) for p in patches if p is not None)
        areas[list(MIMICS).index(type(mimic))] += pixels * grid.pixel**2
    return areas


def paint_swelling(
    mimics: tuple[Mimic, ...], grid: SliceGrid, skull: Skull, hu: FloatArray
) -> None:
    """Paint blood under the galea, outside the bone, into hu (H, W, S)."""
    _paint(mimics, (Swelling,), grid, skull, hu)


def paint_lesions(mimics: tuple[Mimic, ...], grid: SliceGrid, skull: Skull, hu: FloatArray) -> None:
    """Paint infarcts and tumors into hu (H, W, S), before any blood is painted."""
    _paint(mimics, (Infarct, Tumor), grid, skull, hu)


def paint_hardware(
    mimics: tuple[Mimic, ...], grid: SliceGrid, skull: Skull, hu: FloatArray
) -> None:
    """Paint saw cuts, plates, cracks and drains into hu (H, W, S), after the bone."""
    _paint(mimics, (Craniotomy, Fracture, Catheter), grid, skull, hu)


def _paint(
    mimics: tuple[Mimic, ...],
    kinds: tuple[type[Mimic], ...],
    grid: SliceGrid,
    skull: Skull,
    hu: FloatArray,
) -> None:
    for mimic in mimics:
        if isinstance(mimic, kinds):
            for solid, value in mimic_solids(mimic, grid, skull):
                paint(hu, solid, value, grid.pixel)
