"""phantoms/shapes/slab.py: planes of a CT while they are painted; solids touch only their own box.

Every solid is an implicit function in mm, asked for nowhere but in the box that holds it, so a
thousand small vessels cost about what they cover.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.shapes.implicit import Array

Box = tuple[slice, slice, slice]
Solid = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Slab:
    """P planes of a CT, chest coordinates, mm.

    z: (P,), y: (H,), x: (W,) float32, ascending: the middles of the voxels. hu: (P, H, W) float32.
    """

    z: Array
    y: Array
    x: Array
    hu: Array

    @property
    def pixel(self) -> float:
        """Edge of a pixel, chest mm."""
        return float(self.x[1] - self.x[0])


class Along(NamedTuple):
    """Where the voxels of a box lie against a rod.

    share: along it, 0 to 1 within; mm: how far from its axis; out: x, y, z of the way there, mm.
    course: (3,) the rod's direction.
    """

    share: Array
    mm: Array
    out: tuple[Array, Array, Array]
    course: Array


def stretch(there: NDArray[np.bool_]) -> slice:
    """From the first to the last of (N,); empty where there is none."""
    found = np.flatnonzero(there)
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


def box_of(slab: Slab, low: Array, high: Array) -> Box | None:
    """The voxels between two corners (x, y, z), a pixel wider; None where there are none."""
    cut = []
    margin = slab.pixel
    for axis, k in ((slab.z, 2), (slab.y, 1), (slab.x, 0)):
        first = int(np.searchsorted(axis, low[k] - margin))
        last = int(np.searchsorted(axis, high[k] + margin))
        if last <= first:
            return None
        cut.append(slice(first, last))
    return cut[0], cut[1], cut[2]


def points(slab: Slab, box: Box) -> tuple[Array, Array, Array]:
    """x, y, z of a box's voxels, to be broadcast."""
    return (
        slab.x[box[2]][None, None, :],
        slab.y[box[1]][None, :, None],
        slab.z[box[0]][:, None, None],
    )


def covered(solid: Array, pixel: float) -> Array:
    """Share of a pixel that lies inside, of an implicit function in mm."""
    share = solid * np.float32(-1 / pixel)
    share += np.float32(0.5)
    return np.clip(share, 0.0, 1.0, out=share)


def mix(slab: Slab, box: Box, cover: Array, hu: float | Array) -> None:
    """Mix a value in HU into the box by its cover, in place."""
    part = slab.hu[box]
    part += cover * (hu - part)


def paint(slab: Slab, low: Array, high: Array, solid: Solid, hu: float | Array) -> None:
    """Fill a solid between two corners (x, y, z), mm, with a value in HU."""
    box = box_of(slab, low, high)
    if box is not None:
        mix(slab, box, covered(solid(*points(slab, box)), slab.pixel), hu)


def rod_box(slab: Slab, start: Array, end: Array, radius: float) -> Box | None:
    """The box of a rod with round ends."""
    return box_of(slab, np.minimum(start, end) - radius, np.maximum(start, end) + radius)


def along_rod(slab: Slab, box: Box, start: Array, end: Array) -> Along:
    """Every voxel of a box against a rod."""
    way = np.asarray(end - start, np.float32)
    x, y, z = points(slab, box)
    px, py, pz = x - np.float32(start[0]), y - np.float32(start[1]), z - np.float32(start[2])
    length = np.float32(1 / float(way @ way))
    share = (px * (way[0] * length) + py * (way[1] * length)) + pz * (way[2] * length)
    held = np.clip(share, 0.0, 1.0)
    out = (px - held * way[0], py - held * way[1], pz - held * way[2])
    mm = np.sqrt(out[0] * out[0] + out[1] * out[1] + out[2] * out[2])
    return Along(share, mm, out, way * np.sqrt(length))


def paint_rod(slab: Slab, start: Array, end: Array, radii: tuple[float, float], hu: float) -> None:
    """Fill a rod with round ends, its radius running from end to end."""
    box = rod_box(slab, start, end, max(radii))
    if box is None:
        return
    found = along_rod(slab, box, start, end)
    radius = radii[0] + (radii[1] - radii[0]) * np.clip(found.share, 0.0, 1.0)
    mix(slab, box, thin_cover(found.mm - radius, slab.pixel, max(radii)), hu)


def thin_cover(solid: Array, pixel: float, radius: float) -> Array:
    """As covered, for rods: one thinner than a pixel covers no more of it than it fills."""
    cover = covered(solid, pixel)
    if 2 * radius < pixel:
        cover *= np.float32(2 * radius / pixel)
    return cover
