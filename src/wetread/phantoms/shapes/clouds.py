"""phantoms/shapes/clouds.py: curved tubes and sheets as points that have a mass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray


@dataclass(frozen=True, eq=False)
class Cloud:
    """Matter as points: place (N, 3) float32, x, y, z in mm; mass (N,) float32 in mm3."""

    place: FloatArray
    mass: FloatArray


def join_clouds(clouds: list[Cloud]) -> Cloud:
    """Concatenate clouds."""
    return Cloud(
        np.concatenate([c.place for c in clouds]), np.concatenate([c.mass for c in clouds])
    )


def steps_along(curve: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Compute unit tangents (B, N, 3) of points (B, N, 3), and the mm (B, N) each stands for."""
    tangent = np.gradient(curve, axis=-2)
    length = np.maximum(np.sqrt((tangent * tangent).sum(-1)), 1e-6)
    return tangent / length[..., None], length


def shell_cloud(
    curve: FloatArray,
    outward: FloatArray,
    halves: tuple[FloatArray, FloatArray],
    wall: FloatArray,
    around: int,
) -> Cloud:
    """Make hollow bones: points on the walls of tubes of elliptic section.

    curve: (B, N, 3), mm; outward: (B, N, 3), the section's first axis; halves: half axes
    (B, N) along it and across; wall: its thickness, (B, N) mm; around: points in each section.
    """
    tangent, length = steps_along(curve)
    across = np.cross(tangent, outward)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    angle = ((np.arange(around) + 0.5) * (2 * np.pi / around)).astype(np.float32)
    c, s = np.cos(angle), np.sin(angle)
    first, second = halves[0][..., None] * c, halves[1][..., None] * s
    place = first[..., None] * outward[..., None, :]
    place += second[..., None] * across[..., None, :]
    place += curve[..., None, :]
    arc = np.hypot(halves[0][..., None] * s, halves[1][..., None] * c)
    mass = arc * (2 * np.pi / around) * (wall * length)[..., None]
    return Cloud(place.reshape(-1, 3).astype(np.float32), mass.reshape(-1).astype(np.float32))


def tube_cloud(curves: FloatArray, radius: FloatArray, across: int) -> Cloud:
    """Make solid tubes as a ray along y meets them: curves (C, N, 3), radius (C, N), mm.

    across: points on each section.
    """
    tangent, length = steps_along(curves)
    sideways = np.stack([tangent[..., 2], 0 * tangent[..., 2], -tangent[..., 0]], axis=-1)
    projected = np.sqrt((sideways * sideways).sum(-1, keepdims=True))
    sideways /= np.maximum(projected, 0.15)
    share = (np.arange(across) + 0.5) * (2 / across) - 1
    place = curves[..., None, :] + (radius[..., None] * share)[..., None] * sideways[..., None, :]
    profile = np.sqrt(1 - share * share)
    profile *= np.pi / profile.sum()
    mass = (length * radius * radius)[..., None] * profile
    return Cloud(place.reshape(-1, 3).astype(np.float32), mass.reshape(-1).astype(np.float32))


def sheet_cloud(corners: FloatArray, thick_mm: float, points: int) -> Cloud:
    """Make a flat triangle: corners (3, 3), mm; points: along an edge."""
    a, b = np.meshgrid((np.arange(points) + 0.5) / points, (np.arange(points) + 0.5) / points)
    flip = a + b > 1
    a, b = np.where(flip, 1 - a, a).reshape(-1, 1), np.where(flip, 1 - b, b).reshape(-1, 1)
    place = corners[0] + a * (corners[1] - corners[0]) + b * (corners[2] - corners[0])
    area = 0.5 * np.linalg.norm(np.cross(corners[1] - corners[0], corners[2] - corners[0]))
    mass = np.full(len(place), area * thick_mm / len(place), np.float32)
    return Cloud(place.astype(np.float32), mass)


def smooth_curve(knots: FloatArray, points: int) -> FloatArray:
    """Interpolate (points, 3) along a Catmull-Rom spline through knots (K, 3)."""
    k = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    at = np.linspace(0, len(knots) - 1, points)
    i = np.minimum(at.astype(np.int64), len(knots) - 2)
    t = (at - i)[:, None]
    p0, p1, p2, p3 = k[i], k[i + 1], k[i + 2], k[i + 3]
    inner = (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    curve: FloatArray = (0.5 * (2 * p1 + (p2 - p0) * t + inner)).astype(np.float32)
    return curve
