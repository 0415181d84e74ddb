"""phantoms/shapes/implicit.py: implicit functions in mm, negative inside, painted into HU.

A slice is a mean of S sub-slices. Functions are sampled on a coarse grid (h, w, S) and painted at
full resolution (H, W, S) = (COARSE h, COARSE w, S).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from wetread.archive.types import BoolArray, FloatArray
from wetread.phantoms.types import Knot, Point

COARSE = 2  # full-resolution pixels per coarse pixel along each axis


class Box(NamedTuple):
    """A part of a slice: rows and columns of its coarse samples."""

    rows: slice
    columns: slice

    @property
    def fine(self) -> tuple[slice, slice]:
        """Rows and columns of the full-resolution pixels."""
        return _fine(self.rows), _fine(self.columns)


def _fine(along: slice) -> slice:
    return slice(along.start * COARSE, along.stop * COARSE)


class Span(NamedTuple):
    """Heights of a whole slice, mm: of all its samples, and of its corners alone."""

    lowest: float
    highest: float
    low_corner: float
    high_corner: float


@dataclass(frozen=True, eq=False)
class SliceGrid:
    """Where the coarse samples of one slice lie.

    x, y, z: (h, w, S) float32, canonical head coordinates, mm; S sub-slices share one slice.
    down:    (h, w, S) float32, mm along gravity in the scanner (supine: larger is lower).
    pixel:   mm, edge of a full-resolution pixel; the coarse one is COARSE times larger.
    whole:   the grid that this one is a part of, None where it is the whole slice.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    down: FloatArray
    pixel: float
    whole: SliceGrid | None = None

    @cached_property
    def span(self) -> Span:
        """Heights of the whole slice: what is decided by them is decided alike in its parts."""
        if self.whole is not None:
            return self.whole.span
        return Span(float(self.z.min()), float(self.z.max()), *_corner_heights(self.z))

    def part(self, box: Box) -> SliceGrid:
        """Give the samples within a box, as views."""
        x, y, z, down = (axis[box] for axis in (self.x, self.y, self.z, self.down))
        return SliceGrid(x, y, z, down, self.pixel, self.whole or self)


@dataclass(frozen=True, eq=False)
class Waves:
    """Band-limited random field: a sum of K plane waves.

    vectors: (3, K) float32, radians per mm; phases: (K,) float32.
    """

    vectors: FloatArray
    phases: FloatArray


def draw_waves(rng: np.random.Generator, count: int, wavelength_mm: float) -> Waves:
    """Draw K = count waves of about one wavelength in all directions; the field has variance 1."""
    direction = rng.standard_normal((3, count))
    direction /= np.linalg.norm(direction, axis=0)
    length = 2 * np.pi / (wavelength_mm * rng.uniform(0.7, 1.35, count))
    phases = rng.uniform(0, 2 * np.pi, count)
    return Waves((direction * length).astype(np.float32), phases.astype(np.float32))


def evaluate_waves(waves: Waves, x: FloatArray, y: FloatArray, z: FloatArray) -> FloatArray:
    """Evaluate the field, of mean 0 and variance 1, at points of any shape or that broadcast, mm.

    Returns the broadcast shape in x's dtype.
    """
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), x.dtype)
    angle = np.empty_like(total)
    part_x, part_y, part_z = (np.empty_like(axis) for axis in (x, y, z))  # small where broadcast
    for (kx, ky, kz), phase in zip(waves.vectors.T, waves.phases, strict=True):
        np.add(np.multiply(x, kx, out=part_x), np.multiply(y, ky, out=part_y), out=angle)
        angle += np.multiply(z, kz, out=part_z)
        angle += phase
        total += np.cos(angle, out=angle)
    total *= np.float32(np.sqrt(2.0 / len(waves.phases)))
    return total


FAR = np.float32(40.0)  # mm: further than anything that matters to a picture


def _corner_heights(z: FloatArray) -> tuple[float, float]:
    """Give the lowest and the highest corner of a slice (h, w, S), nearly flat, mm."""
    corners = z[:: len(z) - 1 or 1, :: z.shape[1] - 1 or 1, :: z.shape[2] - 1 or 1].ravel().tolist()
    return min(corners), max(corners)


def _apart(z: FloatArray, low: float, high: float, span: Span | None) -> bool:
    """Test whether a slice stays clear of the heights low to high, mm.

    z: (h, w, S), nearly flat; span: of the whole slice where z is of a part.
    """
    lowest, highest = _corner_heights(z) if span is None else span[2:]
    return lowest - 12 > high or highest + 12 < low


def capsule(
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    start: Knot,
    end: Knot,
    span: Span | None = None,
) -> FloatArray:
    """Evaluate a rod from start to end, each (x, y, z, radius) in mm; the radius runs linearly.

    x, y, z: (h, w, S), canonical mm; span: of the slice where they are of a part of it.
    Returns (h, w, S), mm; FAR where the slice stays clear of it.
    """
    thick = max(start[3], end[3])
    if _apart(z, min(start[2], end[2]) - thick, max(start[2], end[2]) + thick, span):
        return np.full_like(x, FAR)
    dx, dy, dz = (e - s for s, e in zip(start[:3], end[:3], strict=True))
    px, py, pz = x - start[0], y - start[1], z - start[2]
    t, term = px * dx, np.empty_like(px)
    t += np.multiply(py, dy, out=term)
    t += np.multiply(pz, dz, out=term)
    t *= 1.0 / (dx * dx + dy * dy + dz * dz)
    np.maximum(t, 0.0, out=t)
    np.minimum(t, 1.0, out=t)
    px -= np.multiply(t, dx, out=term)
    py -= np.multiply(t, dy, out=term)
    pz -= np.multiply(t, dz, out=term)
    px *= px
    px += np.multiply(py, py, out=py)
    px += np.multiply(pz, pz, out=pz)
    np.sqrt(px, out=px)
    t *= end[3] - start[3]
    t += start[3]
    px -= t
    return px


def ellipsoid(
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    center: Point,
    radii: Point,
    span: Span | None = None,
) -> FloatArray:
    """Evaluate an ellipsoid along the axes, its center and radii as (x, y, z), mm.

    x, y, z: (h, w, S), canonical mm; span: of the slice where they are of a part of it.
    Returns (h, w, S), a distance in mm near the surface alone.
    """
    if _apart(z, center[2] - radii[2], center[2] + radii[2], span):
        return np.full_like(x, FAR)
    u = (x - center[0]) * (1 / radii[0])
    v = (y - center[1]) * (1 / radii[1])
    w = (z - center[2]) * (1 / radii[2])
    u *= u
    u += np.multiply(v, v, out=v)
    u += np.multiply(w, w, out=w)
    np.sqrt(u, out=u)
    u -= 1
    u *= float(np.prod(radii)) ** (1 / 3)
    return u


def sigmoid(value: FloatArray) -> FloatArray:
    """Step smoothly from 0 to 1: the logistic function, any shape."""
    step: FloatArray = 0.5 + 0.5 * np.tanh(0.5 * value)
    return step


def smooth_max(a: FloatArray, b: FloatArray, radius_mm: float) -> FloatArray:
    """Intersect two solids, any shape, mm, with an edge rounded over radius_mm."""
    h = np.maximum(radius_mm - np.abs(a - b), 0.0)
    joined: FloatArray = np.maximum(a, b) + h * h * (0.25 / radius_mm)
    return joined


def smooth_min(a: FloatArray, b: FloatArray, radius_mm: float) -> FloatArray:
    """Unite two solids, any shape, mm, with a seam rounded over radius_mm."""
    h = np.maximum(radius_mm - np.abs(a - b), 0.0)
    joined: FloatArray = np.minimum(a, b) - h * h * (0.25 / radius_mm)
    return joined


def slope(value: FloatArray, pixel_mm: float) -> FloatArray:
    """Compute the length of the in-plane gradient of a coarse field, (h, w, S), per mm."""
    scale = 1 / (8 * pixel_mm * COARSE)
    across = cv2.Sobel(value, cv2.CV_32F, 1, 0, scale=scale, borderType=cv2.BORDER_REPLICATE)
    along = cv2.Sobel(value, cv2.CV_32F, 0, 1, scale=scale, borderType=cv2.BORDER_REPLICATE)
    across *= across
    across += along * along
    length: FloatArray = np.sqrt(
        across, out=across
    )  # cv2.magnitude's last bit depends on alignment
    return length


@dataclass(frozen=True, eq=False)
class Patch:
    """The part of the full-resolution picture that a solid covers.

    rows, columns: where; cover: (rows, columns, S) float32 in [0, 1], the covered share.
    """

    rows: slice
    columns: slice
    cover: FloatArray


def plane_mean(values: FloatArray) -> FloatArray:
    """Average (H, W, S) over its S planes, (H, W): a third of np.mean's time where S is 2."""
    if values.shape[2] != 2:
        mean: FloatArray = values.mean(axis=2)
        return mean
    mean = values[..., 0] + values[..., 1]
    mean *= 0.5
    return mean


def enlarge(coarse: FloatArray) -> FloatArray:
    """Interpolate a coarse field (h, w, S) to (COARSE h, COARSE w, S)."""
    size = (coarse.shape[1] * COARSE, coarse.shape[0] * COARSE)
    large: FloatArray = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    return large.reshape(size[1], size[0], coarse.shape[2])


def cover(solid: FloatArray, pixel_mm: float) -> Patch | None:
    """Compute the share of each full-resolution pixel in a coarse solid (h, w, S), mm.

    Returns None where it covers nothing.
    """
    if float(solid.min()) >= 0.5 * pixel_mm:
        return None
    near = box_of(solid < 2.5 * pixel_mm)
    share = enlarge(solid[near])
    share *= -1 / pixel_mm
    share += 0.5
    np.maximum(share, 0.0, out=share)
    np.minimum(share, 1.0, out=share)
    return Patch(*near.fine, share)


def box_of(where: BoolArray) -> Box:
    """Find the smallest box that holds every True of (h, w, S); one of them at least."""
    rows = np.logical_or.reduce(where.reshape(len(where), -1), axis=1)
    columns = np.logical_or.reduce(np.logical_or.reduce(where, axis=0), axis=1)
    return Box(_extent(rows), _extent(columns))


def box_around(solid: FloatArray, mm: float) -> Box:
    """Find the box of the samples of a solid (h, w, S) up to mm outside of it, and two more round
    them: a gradient there sees its neighbors. All of the slice where the solid lies elsewhere."""
    near = solid < mm
    if not near.any():
        return Box(slice(0, len(solid)), slice(0, solid.shape[1]))
    rows, columns = box_of(near)
    high, wide = solid.shape[:2]
    return Box(
        slice(max(rows.start - 2, 0), min(rows.stop + 2, high)),
        slice(max(columns.start - 2, 0), min(columns.stop + 2, wide)),
    )


def _extent(along: BoolArray) -> slice:
    """Span the first to the last True of (N,)."""
    return slice(int(along.argmax()), len(along) - int(along[::-1].argmax()))


def blend(hu: FloatArray, patch: Patch, value: float | FloatArray) -> None:
    """Mix a value in HU, a number or (H, W, S), into hu (H, W, S), in place."""
    part = hu[patch.rows, patch.columns]
    fill = value if isinstance(value, float) else value[patch.rows, patch.columns]
    step = fill - part
    step *= patch.cover
    part += step


def paint(hu: FloatArray, solid: FloatArray, value: float | FloatArray, pixel_mm: float) -> None:
    """Fill a coarse solid (h, w, S) with HU, a number or (H, W, S), in hu (H, W, S), in place."""
    patch = cover(solid, pixel_mm)
    if patch is not None:
        blend(hu, patch, value)
