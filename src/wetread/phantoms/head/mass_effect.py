"""phantoms/head/mass_effect.py: how far blood pushes the midline over, and the shift as it is read.

Blood of V mm3 above the tentorium needs room. Part of it is won from sulci and ventricles; the rest
bulges into the other half of the head. The bulge is highest at the septum pellucidum, nothing at
skull, crest and vertex, and holds as many mm3: 30 ml shift the septum by 2-7 mm (5 mm is where
neurosurgeons act; Bullock 2006, Neurosurgery 58:S2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.types import Float64Array, FloatArray
from wetread.phantoms.head.blood import (
    Bleed,
    Epidural,
    Intraparenchymal,
    Subdural,
    displace_by_mass,
)
from wetread.phantoms.head.brain import tentorium_height
from wetread.phantoms.head.patient import Patient
from wetread.phantoms.head.scan import HeadScan
from wetread.phantoms.shapes.implicit import SliceGrid, evaluate_waves

SEPTUM_MM = (-8.0, 12.0)  # y, z of the top of the bulge, canonical
BEFORE_MM, BEHIND_MM = 34.0, 42.0  # the bulge's reach: the falx holds more in front
UPWARD_MM = 31.0
HALF_WIDTH_MM = 68.0  # of the head, where nothing gives way
AREA_MM2 = np.pi * 0.5 * (BEFORE_MM + BEHIND_MM) * UPWARD_MM  # of the bulge: mm3 over its height
REACH_MM = 60.0  # of a bleed's push, in the sagittal plane
MOST_MM = 18.0
EDEMA_SHARE = 0.3  # of edema's volume that is not tissue
STRAIGHT = 0.4  # of the usual bend: a midline that nothing pushes lies within 2 mm, as in patients
READ_MM = (-24.0, -4.0)  # y of the septum between which its shift is read: before the foramen


@dataclass(frozen=True)
class MidlinePush:
    """How far the septum is pushed to the left, canonical mm; negative: to the right."""

    shift_mm: float


def straighten(patient: Patient) -> Patient:
    """Bend a head less, so that its midline is straight but for a push."""
    return replace(patient, warp_mm=STRAIGHT * patient.warp_mm)


def draw_push(rng: np.random.Generator, patient: Patient, bleeds: tuple[Bleed, ...]) -> MidlinePush:
    """Draw how much of the bleeds' room is won from the midline: less in atrophy; the sum over
    all sides, MOST_MM at most."""
    total = 0.0
    for bleed in bleeds:
        share = rng.uniform(0.35, 0.95) * (1 - 0.45 * patient.atrophy)
        total += share * _pushing_mm3(bleed) / AREA_MM2
    return MidlinePush(float(MOST_MM * np.tanh(total / MOST_MM)))


def _pushing_mm3(bleed: Bleed) -> float:
    """Compute the mm3 with which a bleed pushes to the left; 0 in the midline and below the
    tentorium."""
    if isinstance(bleed, Epidural):
        center, volume = bleed.center, np.pi / 2 * bleed.radius_mm**2 * bleed.thick_mm
    elif isinstance(bleed, Subdural):
        center, volume = bleed.center, np.pi / 1.7 * bleed.along_mm * bleed.upward_mm
        volume *= bleed.thick_mm
    elif isinstance(bleed, Intraparenchymal) and bleed.side:
        center, clot = bleed.centers[0], float(np.prod(bleed.radii[0]))
        swollen = (np.cbrt(clot) + bleed.edema_mm) ** 3
        volume = 4 / 3 * np.pi * (clot + EDEMA_SHARE * (swollen - clot))
    else:
        return 0.0
    x, y, z = (np.full(1, value, np.float32) for value in center)
    if center[1] > 15 and float(tentorium_height(x, y)[0]) > float(z[0]):
        return 0.0
    away = (center[1] - SEPTUM_MM[0]) ** 2 + (center[2] - SEPTUM_MM[1]) ** 2
    return float(-np.sign(center[0]) * volume * np.exp(-away / REACH_MM**2))


def displace(grid: SliceGrid, bleeds: tuple[Bleed, ...], push: MidlinePush) -> SliceGrid:
    """Compute where each point of the brain came from: pushed by bleeds nearby, and as a whole."""
    near = displace_by_mass(grid, bleeds)
    if not push.shift_mm:
        return near
    bulge = push.shift_mm * _profile(grid.x, grid.y, grid.z)
    return SliceGrid(near.x - bulge, near.y, near.z, grid.down, grid.pixel)


def _profile(x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """Compute the bulge, 1 at the septum, at points of any shape, mm."""
    along = y - np.float32(SEPTUM_MM[0])
    along = along / np.where(along < 0, np.float32(BEFORE_MM), np.float32(BEHIND_MM))
    upward = (z - np.float32(SEPTUM_MM[1])) * np.float32(1 / UPWARD_MM)
    across = np.maximum(1 - (x * np.float32(1 / HALF_WIDTH_MM)) ** 2, 0)
    profile: FloatArray = across * np.exp(-(along * along + upward * upward))
    return profile


def midline_shift_mm(
    patient: Patient, scan: HeadScan, bleeds: tuple[Bleed, ...], push: MidlinePush
) -> float:
    """Measure how far the septum lies to the left of the line between the falx's attachments, mm.

    As a radiologist draws it: in the plane of the slices through the septum, from the middle of
    the inner table in front to that behind. Where the skull itself is bent, it counts.
    """
    y = np.linspace(*READ_MM, 11)
    septum = np.stack([np.zeros_like(y), y, np.full_like(y, SEPTUM_MM[1])], axis=1)
    placed = _place(patient, scan, _pushed(septum, bleeds, push))
    normal = np.cross([1.0, 0.0, 0.0], scan.down_axis)
    height = float(placed.mean(axis=0) @ normal)
    front, back = (_attachment(patient, scan, end, height) for end in (-1, 1))
    left = np.cross(back - front, normal)
    left /= np.linalg.norm(left)
    return float(np.mean((placed - front) @ left))


def _attachment(patient: Patient, scan: HeadScan, end: int, height_mm: float) -> Float64Array:
    """Place the middle of the inner table, -1 in front or 1 behind, where a slice cuts it: (3,)
    LPS, mm. height_mm: of the slice along its normal."""
    z = np.linspace(-60.0, 70.0, 131)
    rest = 1 - (np.abs(z) / np.where(z > 0, 74.0, 125.0)) ** patient.vault_power
    y = end * 85.0 * rest ** (1 / patient.vault_power)
    rim = _place(patient, scan, np.stack([np.zeros_like(z), y, z], axis=1))
    normal = np.cross([1.0, 0.0, 0.0], scan.down_axis)
    point: Float64Array = rim[int(np.abs(rim @ normal - height_mm).argmin())]
    return point


def _pushed(points: Float64Array, bleeds: tuple[Bleed, ...], push: MidlinePush) -> Float64Array:
    """Find where points (N, 3) of the brain are pushed to, canonical mm."""
    at = points.copy()
    for _ in range(30):
        x, y, z = (column[:, None, None].astype(np.float32) for column in at.T)
        came = displace(SliceGrid(x, y, z, z, 1.0), bleeds, push)
        at += points - np.stack([came.x, came.y, came.z], axis=-1)[:, 0, 0]
    return at


def _place(patient: Patient, scan: HeadScan, points: Float64Array) -> Float64Array:
    """Place canonical points (N, 3) of a head in the patient system: LPS, mm."""
    straight = points.copy()
    for _ in range(20):
        x, y, z = (column.astype(np.float32) for column in straight.T)
        bend = [evaluate_waves(waves, x, y, z) for waves in patient.warp]
        straight = points - patient.warp_mm * np.stack(bend, axis=1)
    placed: Float64Array = (straight * patient.scale_xyz) @ scan.head.T + scan.center_mm
    return placed
