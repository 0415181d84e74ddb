"""phantoms/chest/bones.py: ribs, clavicles, scapulae and spine of a chest."""

from __future__ import annotations

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import POWER, Chest, Hemithorax, spine_shift, walls
from wetread.phantoms.shapes.clouds import (
    Cloud,
    join_clouds,
    sheet_cloud,
    shell_cloud,
    smooth_curve,
)

# Ribs 1-12: how far the front end lies below the joint, mm, and the angle at which bone ends
DROPS = (48, 74, 96, 112, 124, 132, 138, 142, 142, 134, 160, 190)
ENDS = (118, 132, 142, 147, 148, 146, 143, 138, 132, 124, 84, 52)
VERTEBRA_MM = 22.5


def rib_curve(
    chest: Chest, part: Hemithorax, number: int, points: int
) -> tuple[FloatArray, FloatArray]:
    """Make rib 0-11 from joint to front end: (points, 3) mm, and (points, 3) outward normals."""
    height = part.apex[1] - part.base_z
    start_z = part.apex[1] - 3 - number * height * 0.0885
    angle = np.linspace(np.radians(8), np.radians(ENDS[number]), points)
    lift = 6 * np.sin(np.minimum(angle * 2, np.pi))
    z = start_z + lift - chest.rib_drop * DROPS[number] * (0.5 - 0.5 * np.cos(angle))
    _, lateral, middle, depth = walls(part, np.minimum(z, part.apex[1] - 0.06 * height))
    start_x = 17.0
    bow = np.sin(angle) ** (2 / POWER)
    along = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / POWER)
    x = start_x + (lateral + 3 - start_x) * bow
    y = middle + (depth + 4) * along
    curve = np.stack([part.side * x, y, z], axis=1)
    outward = np.stack([part.side * np.sin(angle), np.cos(angle), 0 * angle], axis=1)
    return curve, outward


def rib_cloud(chest: Chest, fine: float) -> Cloud:
    """Make all 24 ribs: a wall of cortex with marrow in it; fine: points a mm."""
    points = int(210 * fine)
    curves = [rib_curve(chest, part, n, points) for part in chest.pleurae for n in range(12)]
    curve = np.stack([c for c, _ in curves]).astype(np.float32)
    outward = np.stack([o for _, o in curves]).astype(np.float32)
    s = np.linspace(0, 1, points, dtype=np.float32)
    slim = np.array(([0.8] + [1.0] * 10 + [0.8]) * 2, np.float32)[:, None]
    high = chest.rib_mm * (0.85 + 0.3 * s) * slim
    thick = (3.4 - 0.6 * s) * np.ones_like(slim)
    fade = np.clip((1 - s) * 12, 0.25, 1) * np.ones_like(slim)
    around = int(19 * max(fine, 0.8))
    cortex = shell_cloud(curve, outward, (thick, high), 0.9 * fade, around)
    marrow = shell_cloud(curve, outward, (0.55 * thick, 0.6 * high), 0.65 * fade, around // 2)
    return join_clouds([cortex, marrow])


def shoulder_cloud(chest: Chest, arms: float, fine: float) -> Cloud:
    """Make clavicles and scapulae; arms: 0 hanging (AP), 1 rolled forwards (PA)."""
    found = []
    top = chest.shoulder_z
    rise = 34 * (chest.rib_drop - 0.8) + 6 * arms
    for side in (-1, 1):
        tip = np.array([156 + 6 * arms, 20 - 14 * arms, top - 5])
        knots = np.array(
            [[15, -52, top - 22 - rise], [46, -64, top - 14 - rise], [98, -34, top - 2], tip]
        )
        found.append(_tube(knots, side, (8.0, 5.4, 4.4, 5.2, 5.6), 1.25, fine))
        upper = np.array([88 + 30 * arms, 66, top - 16 + 8 * arms])
        lower = np.array([102 + 44 * arms, 78 - 14 * arms, top - 134 + 14 * arms])
        joint = np.array([154 + 12 * arms, 36 - 10 * arms, top - 26])
        inner = 0.5 * (upper + lower) + np.array([-6, 2, 8])
        outer = 0.5 * (joint + lower) + np.array([-9, 2, 0])
        mirror = np.array([side, 1, 1])
        for triangle in ((upper, inner, joint), (inner, outer, joint), (inner, lower, outer)):
            found.append(sheet_cloud(np.stack(triangle) * mirror, 2.0, int(64 * fine)))
        found.append(_tube(np.stack([upper, inner, lower]), side, (1.4, 1.6, 2.6), 0.7, fine))
        found.append(_tube(np.stack([lower, outer, joint]), side, (2.6, 3.2, 5.5), 0.8, fine))
        blade = np.stack([0.8 * upper + 0.2 * lower, joint + np.array([-8, 6, 14]), tip])
        found.append(_tube(blade, side, (1.5, 3.0, 3.6), 0.9, fine))
    return join_clouds(found)


def _tube(
    knots: FloatArray, side: int, radii: tuple[float, ...], wall_mm: float, fine: float
) -> Cloud:
    """Make a round bone through knots (K, 3) with a radius at each, mirrored to its side."""
    length = float(np.linalg.norm(np.diff(knots, axis=0), axis=1).sum())
    points = max(int(length * 1.1 * fine), 12)
    curve = smooth_curve(knots * np.array([side, 1, 1]), points)
    at = np.linspace(0, 1, points)
    radius = np.interp(at, np.linspace(0, 1, len(radii)), radii)
    outward = np.broadcast_to(np.array([0.0, 1.0, 0.0]), curve.shape)
    around = int(np.clip(7 * max(radii) * fine, 10, 90))
    cortex = shell_cloud(curve, outward, (radius, radius), np.full(points, wall_mm), around)
    marrow = shell_cloud(curve, outward, (0.6 * radius, 0.6 * radius), 0.18 * radius, around // 2)
    return join_clouds([cortex, marrow])


def spine_thickness(chest: Chest, x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute bone of the vertebrae along y at x, z (H, W), mm: bodies, pedicles, processes."""
    across = x - spine_shift(chest, z)
    level = (z + 400) * (1 / VERTEBRA_MM)
    w = level - np.floor(level)
    size = np.clip(1 - (z + 20) * 0.0012, 0.75, 1.2)
    half = (14.5 + 7 * (w - 0.5) ** 2 * 4) * size
    body = np.clip((half - np.abs(across)) * 0.8 + 0.5, 0, 1)
    disc = np.clip((0.44 - np.abs(w - 0.5)) * 12, 0, 1)
    rim = np.exp(-(((np.abs(w - 0.5) - 0.4) * (1 / 0.05)) ** 2))
    rim = rim + 0.9 * np.exp(-(((np.abs(across) - half + 1.2) * (1 / 1.3)) ** 2))
    total = body * disc * (3.2 + 1.8 * rim)
    ring = np.hypot(np.abs(across) - 11.5 * size, (w - 0.66) * VERTEBRA_MM)
    total = total + 2.4 * np.exp(-(((ring - 3.8) * (1 / 1.4)) ** 2))
    spinous = np.hypot(across * (1 / 3.2), (w - 0.18) * VERTEBRA_MM * (1 / 6.0))
    total = total + 3.2 * np.clip(1.6 - spinous, 0, 0.7)
    reach = np.clip((30 * size - np.abs(across)) * 0.5, 0, 1)
    process = np.exp(-(((w - 0.72) * VERTEBRA_MM * (1 / 3.6)) ** 2)) * reach
    result: FloatArray = (total + 3.5 * process) * chest.bone
    return result
