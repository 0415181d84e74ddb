"""phantoms/chest/plane.py: solids of a chest, asked for no more of a plane than holds them."""

from __future__ import annotations

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import LEFT_BRONCHUS, RIGHT_BRONCHUS, TRACHEA
from wetread.phantoms.chest.organs import Organs
from wetread.phantoms.shapes.implicit import capsule, ellipsoid
from wetread.phantoms.types import PlaneRegion

WALL_MM = 1.6  # of the airways
COAT_MM = 2.2  # of fat and pericardium between a vessel or the heart and a lung


def plane_region(
    x: FloatArray, y: FloatArray, low: tuple[float, float], high: tuple[float, float]
) -> PlaneRegion:
    """Rows and columns of the points between two corners (x, y), mm; at least one of each."""
    cut = []
    for axis, k in ((y, 1), (x, 0)):
        first = min(int(np.searchsorted(axis, low[k])), len(axis) - 1)
        cut.append(slice(first, max(int(np.searchsorted(axis, high[k])), first + 1)))
    return cut[0], cut[1]


def _points(
    x: FloatArray, y: FloatArray, z: float, own: PlaneRegion
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """x, y, z (h, w, 1) of a window of a plane, as solids ask for them."""
    rows, columns = y[own[0]], x[own[1]]
    at = np.empty((3, len(rows), len(columns), 1), np.float32)  # a tenth of np.meshgrid's time
    at[0], at[1], at[2] = columns[:, None], rows[:, None, None], z
    return at[0], at[1], at[2]


def vessel_regions(
    organs: Organs, x: FloatArray, y: FloatArray, z: float
) -> list[tuple[str, PlaneRegion, FloatArray]]:
    """Implicit functions of the vessels and the gullet that this plane meets, each round itself."""
    found: list[tuple[str, PlaneRegion, FloatArray]] = []
    for rod in (*organs.vessels, *organs.gullet):
        thick = max(rod.start[3], rod.end[3]) + 4
        if min(rod.start[2], rod.end[2]) - thick < z < max(rod.start[2], rod.end[2]) + thick:
            found.append((rod.name, *_capsule(x, y, z, rod.start, rod.end)))
    return found


def _capsule(
    x: FloatArray, y: FloatArray, z: float, start: tuple[float, ...], end: tuple[float, ...]
) -> tuple[PlaneRegion, FloatArray]:
    """Where a rod with its coat lies in a plane, and its implicit function there."""
    reach = max(start[3], end[3]) + COAT_MM
    low, high = ([pick(pair) for pair in zip(start, end, strict=True)] for pick in (min, max))
    own = plane_region(x, y, (low[0] - reach, low[1] - reach), (high[0] + reach, high[1] + reach))
    return own, capsule(*_points(x, y, z, own), start, end)[..., 0]


def airway_regions(x: FloatArray, y: FloatArray, z: float) -> list[tuple[PlaneRegion, FloatArray]]:
    """Implicit functions of the lumen of trachea and main bronchi, where this plane meets them."""
    found = []
    for start, end in (TRACHEA, RIGHT_BRONCHUS, LEFT_BRONCHUS):
        thick = max(start[3], end[3]) + WALL_MM
        if min(start[2], end[2]) - thick < z < max(start[2], end[2]) + thick:
            found.append(_capsule(x, y, z, start, end))
    return found


def ellipsoid_region(
    x: FloatArray, y: FloatArray, z: float, center: tuple[float, ...], radii: tuple[float, ...]
) -> tuple[PlaneRegion, FloatArray]:
    """Where an ellipsoid lies in a plane, and its implicit function there."""
    (left, front), (right, back) = (
        (center[0] + way * radii[0], center[1] + way * radii[1]) for way in (-1, 1)
    )
    own = plane_region(x, y, (left, front), (right, back))
    return own, ellipsoid(*_points(x, y, z, own), center, radii)[..., 0]
