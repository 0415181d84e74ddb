"""phantoms/shapes/implicit.py: implicit functions in mm (negative inside), and painting them
into HU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]  # always float32; NumPy's own types cannot keep track of it
COARSE = 2  # full-resolution pixels per coarse pixel along each axis


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the coarse samples of one slice lie.

    x, y, z: (h, w, S) float32, canonical head coordinates, mm; S sub-slices share one slice.
    down:    (h, w, S) float32, mm along gravity in the scanner (supine: larger is lower).
    pixel:   mm, edge of a full-resolution pixel; the coarse one is COARSE times larger.
    """

    x: Array
    y: Array
    z: Array
    down: Array
    pixel: float


@dataclass(frozen=True, eq=False)
class Waves:
    """Band-limited random field: a sum of K plane waves.

    vectors: (3, K) float32, radians per mm; phases: (K,) float32.
    """

    vectors: Array
    phases: Array


def draw_waves(rng: np.random.Generator, count: int, wavelength_mm: float) -> Waves:
    """K = count waves of about one wavelength in all directions; the field has unit variance."""
    direction = rng.standard_normal((3, count))
    direction /= np.linalg.norm(direction, axis=0)
    length = 2 * np.pi / (wavelength_mm * rng.uniform(0.7, 1.35, count))
    phases = rng.uniform(0, 2 * np.pi, count)
    return Waves((direction * length).astype(np.float32), phases.astype(np.float32))


def evaluate_waves(waves: Waves, x: Array, y: Array, z: Array) -> Array:
    """Field of zero mean and unit variance at points of any shape, or of shapes that broadcast."""
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


def _apart(z: Array, low: float, high: float) -> bool:
    """Whether a slice, nearly flat, stays clear of the heights low to high."""
    corners = [float(z[i, j, k]) for i in (0, -1) for j in (0, -1) for k in (0, -1)]
    return min(corners) - 12 > high or max(corners) + 12 < low


def capsule(
    x: Array, y: Array, z: Array, start: tuple[float, ...], end: tuple[float, ...]
) -> Array:
    """Rod from start to end, each (x, y, z, radius) in mm; the radius runs linearly."""
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
    x: Array, y: Array, z: Array, center: tuple[float, ...], radii: tuple[float, ...]
) -> Array:
    """Ellipsoid along the axes; (x, y, z) centre and radii, mm. Distance is right near the rim."""
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


def sigmoid(value: Array) -> Array:
    """Smooth step from 0 to 1, cheap and exact enough for shapes."""
    step: Array = 0.5 + 0.5 * np.tanh(0.5 * value)
    return step


def smooth_max(a: Array, b: Array, radius_mm: float) -> Array:
    """Intersection with a rounded edge."""
    h = np.maximum(radius_mm - np.abs(a - b), 0.0)
    joined: Array = np.maximum(a, b) + h * h * (0.25 / radius_mm)
    return joined


def smooth_min(a: Array, b: Array, radius_mm: float) -> Array:
    """Union with a rounded seam."""
    h = np.maximum(radius_mm - np.abs(a - b), 0.0)
    joined: Array = np.minimum(a, b) - h * h * (0.25 / radius_mm)
    return joined


def slope(value: Array, pixel_mm: float) -> Array:
    """Length of the in-plane gradient of a coarse field (h, w, S), per mm."""
    scale = 1 / (8 * pixel_mm * COARSE)
    across = cv2.Sobel(value, cv2.CV_32F, 1, 0, scale=scale, borderType=cv2.BORDER_REPLICATE)
    along = cv2.Sobel(value, cv2.CV_32F, 0, 1, scale=scale, borderType=cv2.BORDER_REPLICATE)
    across *= across
    across += along * along
    length: Array = np.sqrt(across, out=across)  # cv2.magnitude's last bit depends on alignment
    return length


@dataclass(frozen=True, eq=False)
class Patch:
    """Part of the full-resolution picture that a solid covers.

    rows, columns: where; cover: (rows, columns, S) float32 in [0, 1], the covered share.
    """

    rows: slice
    columns: slice
    cover: Array


def enlarge(coarse: Array) -> Array:
    """(h, w, S) coarse field to (COARSE h, COARSE w, S)."""
    size = (coarse.shape[1] * COARSE, coarse.shape[0] * COARSE)
    large: Array = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    return large.reshape(size[1], size[0], coarse.shape[2])


def cover(solid: Array, pixel_mm: float) -> Patch | None:
    """Share of each full-resolution pixel inside a coarse solid (h, w, S); None when empty."""
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


def blend(hu: Array, patch: Patch, value: float | Array) -> None:
    """Mix value, HU (a number or an array as large as hu), into hu (H, W, S), in place."""
    part = hu[patch.rows, patch.columns]
    fill = value if isinstance(value, float) else value[patch.rows, patch.columns]
    step = fill - part
    step *= patch.cover
    part += step


def paint(hu: Array, solid: Array, value: float | Array, pixel_mm: float) -> None:
    """Cover, then blend: fill a coarse solid with value in hu (H, W, S), in place."""
    patch = cover(solid, pixel_mm)
    if patch is not None:
        blend(hu, patch, value)
