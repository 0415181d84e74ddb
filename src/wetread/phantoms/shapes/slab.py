"""phantoms/shapes/slab.py: planes of a CT while they are painted, solid by solid.

Every solid is an implicit function in mm, evaluated in its own box alone, so a thousand small
vessels cost about what they cover. P planes, H rows, W columns; a box has (p, h, w) voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wetread.archive.types import BoolArray, FloatArray
from wetread.phantoms.types import SlabBox, Solid


@dataclass(frozen=True, eq=False)
class Slab:
    """P planes of a CT, chest coordinates, mm.

    z: (P,), y: (H,), x: (W,) float32, ascending: the centers of the voxels. hu: (P, H, W) float32.
    """

    z: FloatArray
    y: FloatArray
    x: FloatArray
    hu: FloatArray

    @property
    def pixel(self) -> float:
        """Give the edge of a pixel, chest mm."""
        return float(self.x[1] - self.x[0])


class RodFrame(NamedTuple):
    """Coordinates of a box's voxels, (p, h, w), in the frame of a rod.

    share:  along the rod, 0 to 1 within; mm: distance from its axis.
    out:    x, y, z of the vector from the axis, mm; course: (3,) the rod's direction.
    """

    share: FloatArray
    mm: FloatArray
    out: tuple[FloatArray, FloatArray, FloatArray]
    course: FloatArray


def occupied_slice(mask: BoolArray) -> slice:
    """Span the first to the last True of (N,) bool; an empty slice where there is none."""
    found = np.flatnonzero(mask)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def voxel_box(slab: Slab, low: FloatArray, high: FloatArray) -> SlabBox | None:
    """Find the voxels between two corners, (3,) each, x, y, z mm, and a pixel around; or None."""
    cut = []
    margin = slab.pixel
    for axis, k in ((slab.z, 2), (slab.y, 1), (slab.x, 0)):
        first = int(np.searchsorted(axis, low[k] - margin))
        last = int(np.searchsorted(axis, high[k] + margin))
        if last <= first:
            return None
        cut.append(slice(first, last))
    return cut[0], cut[1], cut[2]


def voxel_coordinates(slab: Slab, box: SlabBox) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give x, y, z of a box's voxels, mm: (1, 1, w), (1, h, 1), (p, 1, 1)."""
    return (
        slab.x[box[2]][None, None, :],
        slab.y[box[1]][None, :, None],
        slab.z[box[0]][:, None, None],
    )


def voxel_share(solid: FloatArray, pixel: float) -> FloatArray:
    """Convert an implicit function, any shape, mm, to the share of a pixel that lies inside."""
    share = solid * np.float32(-1 / pixel)
    share += np.float32(0.5)
    return np.clip(share, 0.0, 1.0, out=share)


def mix(slab: Slab, box: SlabBox, cover: FloatArray, hu: float | FloatArray) -> None:
    """Mix HU, a number or (p, h, w), into the box by its cover (p, h, w), in place."""
    part = slab.hu[box]
    part += cover * (hu - part)


def paint(
    slab: Slab, low: FloatArray, high: FloatArray, solid: Solid, hu: float | FloatArray
) -> None:
    """Fill a solid between two corners, (3,) each, x, y, z mm, with HU, a number or (p, h, w)."""
    box = voxel_box(slab, low, high)
    if box is not None:
        mix(slab, box, voxel_share(solid(*voxel_coordinates(slab, box)), slab.pixel), hu)


def rod_box(slab: Slab, start: FloatArray, end: FloatArray, radius: float) -> SlabBox | None:
    """Find the box of a rod with round ends; start, end: (3,) x, y, z mm. None outside the slab."""
    return voxel_box(slab, np.minimum(start, end) - radius, np.maximum(start, end) + radius)


def rod_frame(slab: Slab, box: SlabBox, start: FloatArray, end: FloatArray) -> RodFrame:
    """Compute the voxels (p, h, w) of a box in a rod's frame; start, end: (3,) x, y, z mm."""
    vector = np.asarray(end - start, np.float32)
    x, y, z = voxel_coordinates(slab, box)
    px, py, pz = x - np.float32(start[0]), y - np.float32(start[1]), z - np.float32(start[2])
    length = np.float32(1 / float(vector @ vector))
    share = (px * (vector[0] * length) + py * (vector[1] * length)) + pz * (vector[2] * length)
    clamped = np.clip(share, 0.0, 1.0)
    out = (px - clamped * vector[0], py - clamped * vector[1], pz - clamped * vector[2])
    mm = np.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2])
    return RodFrame(share, mm, out, vector * np.sqrt(length))


def paint_rod(
    slab: Slab, start: FloatArray, end: FloatArray, radii: tuple[float, float], hu: float
) -> None:
    """Fill a rod with round ends; start, end: (3,) x, y, z mm; the radius runs between its two."""
    box = rod_box(slab, start, end, max(radii))
    if box is None:
        return
    found = rod_frame(slab, box, start, end)
    radius = radii[0] + (radii[1] - radii[0]) * np.clip(found.share, 0.0, 1.0)
    mix(slab, box, rod_coverage(found.mm - radius, slab.pixel, max(radii)), hu)


def rod_coverage(solid: FloatArray, pixel: float, radius: float) -> FloatArray:
    """Convert a rod's implicit function, any shape, mm, to the share of a pixel that lies inside.

    A rod thinner than a pixel covers no more of the pixel than it fills.
    """
    cover = voxel_share(solid, pixel)
    if 2 * radius < pixel:
        cover *= np.float32(2 * radius / pixel)
    return cover
