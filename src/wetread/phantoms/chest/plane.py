"""phantoms/chest/plane.py: points of one axial plane, and solids in the part that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import LEFT_BRONCHUS, RIGHT_BRONCHUS, TRACHEA
from wetread.phantoms.chest.organs import Organs
from wetread.phantoms.shapes.implicit import capsule, ellipsoid
from wetread.phantoms.types import Knot, PlaneRegion, Point

WALL_MM = 1.6  # of the airways
COAT_MM = 2.2  # of fat and pericardium between a vessel or the heart and a lung


@dataclass(frozen=True, eq=False)
class PlanePoints:
    """Points of one axial plane in chest mm: x (X,) and y (Y,) float32, evenly spaced; z."""

    x: FloatArray
    y: FloatArray
    z: float

    @property
    def pixel(self) -> float:
        """Give the distance of neighboring points, mm."""
        return float(self.x[1] - self.x[0])

    @property
    def column(self) -> FloatArray:
        """Give y as a column, (Y, 1) mm."""
        return self.y[:, None]

    @property
    def height(self) -> FloatArray:
        """Give z as an array, (1,) float32 mm."""
        return np.full(1, self.z, np.float32)

    def region(self, low: tuple[float, float], high: tuple[float, float]) -> PlaneRegion:
        """Find rows and columns between two corners (x, y), mm; at least one of each."""
        cut = []
        for axis, k in ((self.y, 1), (self.x, 0)):
            first = min(int(np.searchsorted(axis, low[k])), len(axis) - 1)
            cut.append(slice(first, max(int(np.searchsorted(axis, high[k])), first + 1)))
        return cut[0], cut[1]

    def coordinates(self, region: PlaneRegion) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give x, y, z of a region's points, each (h, w, 1), as implicit functions take them."""
        rows, columns = self.y[region[0]], self.x[region[1]]
        at = np.empty((3, len(rows), len(columns), 1), np.float32)  # a tenth of np.meshgrid's time
        at[0], at[1], at[2] = columns[:, None], rows[:, None, None], self.z
        return at[0], at[1], at[2]


class RegionSolid(NamedTuple):
    """A solid in the part of a plane that holds it: region, and its function there, (h, w) mm."""

    region: PlaneRegion
    solid: FloatArray


def vessel_regions(organs: Organs, points: PlanePoints) -> list[tuple[str, RegionSolid]]:
    """Evaluate the vessels and the gullet that a plane meets: names and solids (h, w)."""
    found: list[tuple[str, RegionSolid]] = []
    for rod in (*organs.vessels, *organs.gullet):
        thick = max(rod.start[3], rod.end[3]) + 4
        if min(rod.start[2], rod.end[2]) - thick < points.z < max(rod.start[2], rod.end[2]) + thick:
            found.append((rod.name, _capsule_region(points, rod.start, rod.end)))
    return found


def airway_regions(points: PlanePoints) -> list[RegionSolid]:
    """Evaluate the lumen of trachea and main bronchi, (h, w) each, where a plane meets them."""
    found = []
    for start, end in (TRACHEA, RIGHT_BRONCHUS, LEFT_BRONCHUS):
        thick = max(start[3], end[3]) + WALL_MM
        if min(start[2], end[2]) - thick < points.z < max(start[2], end[2]) + thick:
            found.append(_capsule_region(points, start, end))
    return found


def ellipsoid_region(points: PlanePoints, center: Point, radii: Point) -> RegionSolid:
    """Evaluate an ellipsoid, center and radii as (x, y, z) mm, in its part of a plane, (h, w)."""
    (left, front), (right, back) = (
        (center[0] + way * radii[0], center[1] + way * radii[1]) for way in (-1, 1)
    )
    region = points.region((left, front), (right, back))
    return RegionSolid(region, ellipsoid(*points.coordinates(region), center, radii)[..., 0])


def _capsule_region(points: PlanePoints, start: Knot, end: Knot) -> RegionSolid:
    """Evaluate a rod in the part of a plane that holds it with its coat."""
    reach = max(start[3], end[3]) + COAT_MM
    low, high = ([pick(pair) for pair in zip(start, end, strict=True)] for pick in (min, max))
    region = points.region((low[0] - reach, low[1] - reach), (high[0] + reach, high[1] + reach))
    return RegionSolid(region, capsule(*points.coordinates(region), start, end)[..., 0])
