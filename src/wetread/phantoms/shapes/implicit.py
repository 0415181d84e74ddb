"""phantoms/shapes/implicit.py: implicit functions in mm, negative inside, painted into HU.

A slice is a mean of S sub-slices. Functions are sampled on a coarse grid (h, w, S) and painted at
full resolution (H, W, S) = (COARSE h, COARSE w, S).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.types import Knot, Point

COARSE = 2  # full-resolution pixels per coarse pixel along each axis


@dataclass(frozen=True, eq=False)
class SliceGrid:
    """Where the coarse samples of one slice lie.

    x, y, z: (h, w, S) float32, canonical head coordinates, mm; S sub-slices share one slice.
    down:    (h, w, S) float32, mm along gravity in the scanner (supine: larger is lower).
    pixel:   mm, edge of a full-resolution pixel; the coarse one is COARSE times larger.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    down: FloatArray
    pixel: float


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
    for (kx, ky, kz), phase in zip(waves.vectors.T, waves.phases, strict=True):
        np.add(x * kx, y * ky, out=angle)
        angle += z * kz
        angle += phase
        total += np.cos(angle, out=angle)
    total *= np.float32(np.sqrt(2.0 / len(waves.phases)))
    return total


FAR = np.float32(40.0)  # mm: further than anything that matters to a picture


def _apart(z: FloatArray, low: float, high: float) -> bool:
    """Test whether a slice (h, w, S), nearly flat, stays clear of the heights low to high, mm."""
    corners = [float(z[i, j, k]) for i in (0, -1) for j in (0, -1) for k in (0, -1)]
    return min(corners) - 12 > high or max(corners) + 12 < low


def capsule(x: FloatArray, y: FloatArray, z: FloatArray, start: Knot, end: Knot) -> FloatArray:
    """Evaluate a rod from start to end, each (x, y, z, radius) in mm; the radius runs linearly.

    x, y, z: (h, w, S), canonical mm. Returns (h, w, S), mm; FAR where the slice stays clear of it.
    """
    thick = max(start[3], end[3])
    if _apart(z, min(start[2], end[2]) - thick, max(start[2], end[2]) + thick):
        return np.full_like(x, FAR)
    dx, dy, dz = (e - s for s, e in zip(start[:3], end[:3], strict=True))
    px, py, pz = x - start[0], y - start[1], z - start[2]
    t = px * dx
    t += py * dy
    t += pz * dz
    t *= 1.0 / (dx * dx + dy * dy + dz * dz)
    np.clip(t, 0.0, 1.0, out=t)
    px -= t * dx
    py -= t * dy
    pz -= t * dz
    px *= px
    px += py * py
    px += pz * pz
    np.sqrt(px, out=px)
    px -= start[3] + (end[3] - start[3]) * t
    return px


def ellipsoid(
    x: FloatArray, y: FloatArray, z: FloatArray, center: Point, radii: Point
) -> FloatArray:
    """Evaluate an ellipsoid along the axes, its center and radii as (x, y, z), mm.

    x, y, z: (h, w, S), canonical mm. Returns (h, w, S), a distance in mm near the surface alone.
    """
    if _apart(z, center[2] - radii[2], center[2] + radii[2]):
        return np.full_like(x, FAR)
    u = (x - center[0]) * (1 / radii[0])
    v = (y - center[1]) * (1 / radii[1])
    w = (z - center[2]) * (1 / radii[2])
    u *= u
    u += v * v
    u += w * w
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
    near = solid[..., 0] < 2.5 * pixel_mm
    for sub in range(1, solid.shape[2]):
        near |= solid[..., sub] < 2.5 * pixel_mm
    rows = np.flatnonzero(near.any(axis=1))
    columns = np.flatnonzero(near.any(axis=0))
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    left, right = int(columns[0]), int(columns[-1]) + 1
    share = enlarge(solid[top:bottom, left:right])
    share *= -1 / pixel_mm
    share += 0.5
    np.clip(share, 0.0, 1.0, out=share)
    return Patch(slice(top * COARSE, bottom * COARSE), slice(left * COARSE, right * COARSE), share)


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
