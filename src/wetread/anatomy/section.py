"""anatomy/section.py: what one CT slice holds, on pixels of 2 mm: body, bone, air, brain in bone.

Cheap enough for slices that are not read yet; nothing is drawn from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, UInt8Array

STEP_MM = 2.0
MATERIAL_HU = -900.0  # above: hair, foam, lung; below: air
TISSUE_HU = -300.0
BONE_HU = 250.0
SOFT_HU = (0.0, 90.0)  # brain, fluid and blood as means over 2 mm
LUNG_HU = (-980.0, -400.0)
GAS_HU = -955.0  # median below: gas, no lung
LEAST_LUNG_CM2 = 5.0  # of one part of a slice
CORE_MM, CLOSED_MM = 4.0, 8.0  # radii: bridges that are cut; sulci and calcium that are filled
NEAR_MM = 4.0  # about the rim, where bone walls it


@dataclass(frozen=True)
class Section:
    """Areas of one axial slice by tissue, in square centimeters.

    material: all that is denser than air. body: the largest connected tissue, holes filled.
    bone, hull: bone in the body, and the convex hull about it.
    brain:    the largest soft tissue with bone on its four sides.
    walled:   the share of its rim that bone lies at.
    lung:     air in the body that is as dense as lung; lung_walled: the share of its rim at bone.
    width_mm, height_mm: of the body.
    framed:   the share of the picture's border that is body.
    """

    material: float
    body: float
    bone: float
    hull: float
    brain: float
    walled: float
    lung: float
    lung_walled: float
    width_mm: float
    height_mm: float
    framed: float


def measure(hu: Float32Array, spacing_mm: tuple[float, float]) -> Section:
    """Measure one slice (rows, columns), HU; spacing_mm between rows and between columns."""
    sides = (hu.shape[1] * spacing_mm[1], hu.shape[0] * spacing_mm[0])
    width, height = (int(np.clip(round(mm / STEP_MM), 8, 512)) for mm in sides)
    small = cv2.resize(np.asarray(hu, np.float32), (width, height), interpolation=cv2.INTER_AREA)
    small = np.nan_to_num(small, nan=-1024.0)
    tissue = cv2.morphologyEx(np.uint8(small > TISSUE_HU), cv2.MORPH_OPEN, np.ones((3, 3)))
    solid = _largest(tissue)
    body = _filled(solid)
    bone = (small > BONE_HU) & body
    brain = _enclosed(small, bone)
    lung = _lung(small, body)
    down, across = (np.flatnonzero(solid.any(axis=axis)) for axis in (1, 0))
    edge = np.concatenate([body[0], body[-1], body[:, 0], body[:, -1]])
    return Section(
        material=_cm2(small > MATERIAL_HU),
        body=_cm2(body),
        bone=_cm2(bone),
        hull=_cm2(_hull(bone)),
        brain=_cm2(brain),
        walled=_walled(brain, bone),
        lung=_cm2(lung),
        lung_walled=_walled(lung, bone),
        width_mm=float(np.ptp(across) + 1) * STEP_MM if len(across) else 0.0,
        height_mm=float(np.ptp(down) + 1) * STEP_MM if len(down) else 0.0,
        framed=float(edge.mean()),
    )


def _cm2(inside: BoolArray) -> float:
    return float(np.count_nonzero(inside)) * STEP_MM**2 / 100


def _disc(radius_mm: float) -> UInt8Array:
    side = 2 * round(radius_mm / STEP_MM) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def _largest(inside: BoolArray) -> BoolArray:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.uint8(inside), connectivity=4)
    if count < 2:
        return np.zeros(inside.shape, bool)
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def _filled(inside: BoolArray) -> BoolArray:
    framed = np.pad(inside.astype(np.uint8), 1)
    cv2.floodFill(framed, None, (0, 0), 2)
    return np.asarray(framed[1:-1, 1:-1] != 2)


def _hull(inside: BoolArray) -> BoolArray:
    hull = np.zeros(inside.shape, np.uint8)
    points = cv2.findNonZero(inside.astype(np.uint8))
    if points is not None:
        cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull > 0


def _enclosed(small: Float32Array, bone: BoolArray) -> BoolArray:
    """Find the largest soft tissue with bone above, below, left and right of it, near or far."""
    sides = np.zeros(bone.shape, np.uint8)
    for axis in (0, 1):
        sides += np.maximum.accumulate(bone, axis=axis)
        sides += np.flip(np.maximum.accumulate(np.flip(bone, axis), axis=axis), axis)
    soft = (small > SOFT_HU[0]) & (small < SOFT_HU[1]) & (sides == 4)
    core = _largest(cv2.morphologyEx(np.uint8(soft), cv2.MORPH_OPEN, _disc(CORE_MM)))
    return np.asarray(cv2.morphologyEx(np.uint8(core), cv2.MORPH_CLOSE, _disc(CLOSED_MM)) > 0)


def _walled(inside: BoolArray, bone: BoolArray) -> float:
    """Return the share of the rim of an area that bone lies within NEAR_MM of."""
    area = np.uint8(inside)
    rim = (cv2.dilate(area, np.ones((3, 3), np.uint8)) > 0) & ~inside
    if not rim.any():
        return 0.0
    return float((cv2.dilate(np.uint8(bone), _disc(NEAR_MM)) > 0)[rim].mean())


def _lung(small: Float32Array, body: BoolArray) -> BoolArray:
    """Find the air in the body whose parts are neither small nor as thin as gas."""
    air = body & (small < LUNG_HU[1])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.uint8(air), connectivity=4)
    found = np.zeros(air.shape, bool)
    for number in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] * STEP_MM**2 / 100 >= LEAST_LUNG_CM2):
        part = labels == number
        if number > 0 and np.median(small[part]) > GAS_HU:
            found |= part
    return found
