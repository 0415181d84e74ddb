"""phantoms/chest/lung_depth.py: points of a lung's tissue, and depths of points in it."""

from __future__ import annotations

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import Chest, Hemithorax, heart_chord, inside_pleura, spine_chord
from wetread.phantoms.shapes.chords import signed_depth


def lung_points(rng: np.random.Generator, chest: Chest, part: Hemithorax, count: int) -> FloatArray:
    """Draw (count, 3) points, mm, evenly in a lung, at least 7 mm from its surface."""
    found: list[FloatArray] = []
    low = np.array([2.0, -part.depth - 5, part.base_z])
    high = np.array([part.lateral, part.depth + part.tilt, part.apex[1]])
    while sum(map(len, found)) < count:
        points = rng.uniform(low, high, (4 * count, 3)) * np.array([part.side, 1, 1])
        found.append(points[lung_depth(chest, part, points) > 7])
    return np.concatenate(found)[:count]


def lung_depth(chest: Chest, part: Hemithorax, points: FloatArray) -> FloatArray:
    """Compute the depth in a lung, mm along y, of points (N, 3) or (H, W, 3); negative outside."""
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    outside = inside_pleura(part, x, y, z)
    for chord in (heart_chord(chest, x, z), spine_chord(chest, x, z)):
        outside = np.maximum(
            outside, np.where(chord.back > chord.front, -signed_depth(chord, y), outside)
        )
    depth: FloatArray = -outside
    return depth


def chest_depth(chest: Chest, points: FloatArray) -> FloatArray:
    """Compute the depth in lungs or mediastinum, mm along y, of points (N, 3); negative outside."""
    x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    middle = heart_chord(chest, x, z)
    within = np.where(middle.back > middle.front, -signed_depth(middle, y), -np.inf)
    for part in chest.pleurae:
        if (x * part.side > 0).any():
            within = np.maximum(within, -inside_pleura(part, x, y, z))
    return within
