"""phantoms/chest/vessels.py: branching vessels in lung coordinates: they collapse with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import POWER, Hemithorax, pleural_chord, walls
from wetread.phantoms.shapes.clouds import Cloud, join_clouds, tube_cloud

HILUM = np.array([0.36, 0.12, 0.43])


@dataclass(frozen=True, eq=False)
class VesselTree:
    """Curves of one lung in the lung's own coordinates: out, deep, low, each about 0 to 1.

    curves: (C, K, 3): share of the way from the medial to the lateral wall, of half the depth
    (-1 front, 1 back), and from the apex to the base. radii: (C, 2) mm at start and end.
    """

    curves: FloatArray
    radii: FloatArray


def draw_vessel_tree(rng: np.random.Generator, knots: int = 12) -> VesselTree:
    """Draw a hilar artery and vein, twelve trunks, five branches on each, four twigs on those.

    Lower vessels are thicker than upper ones, as in a person who stands.
    """
    low = np.linspace(0.08, 0.97, 12) + rng.normal(0, 0.03, 12)
    out = 0.66 + 0.3 * rng.random(12) - 0.3 * np.abs(low - 0.5)
    ends = np.stack([out, rng.uniform(-0.75, 0.75, 12), low], axis=1)
    spread = np.stack([rng.normal(0, s, 12) for s in (0.025, 0.12, 0.02)], axis=1)
    spread[:, 2] += 0.16 * (low - 0.45)
    strength = float(rng.uniform(0.85, 1.35))
    thick = (2.4 + 1.5 * low) * rng.uniform(0.75, 1.2, 12) * strength
    trunks = _curves(rng, HILUM + spread, ends, 0.09, knots)
    roots = HILUM + np.array([[-0.2, 0, -0.02], [-0.12, -0.1, 0.06]])
    tips = HILUM + np.array([[0.02, 0.05, 0.1], [0.03, -0.05, -0.05]])
    found = [_curves(rng, roots, tips, 0.1, knots), trunks]
    radii = [np.array([[8.5, 5.0], [6.5, 4.0]]) * strength, np.stack([thick, 0.4 * thick], 1)]
    for children, reach, share in ((5, 0.32, 0.66), (4, 0.17, 0.72)):
        at = rng.uniform(0.2, 1.0, (len(found[-1]), children))
        rows = np.arange(len(found[-1]))[:, None]
        start = found[-1][rows, (at * (knots - 1)).astype(np.int64)].reshape(-1, 3)
        ahead = (found[-1][:, -1] - found[-1][:, 0])[:, None].repeat(children, 1).reshape(-1, 3)
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        turn = ahead + rng.normal(0, 0.6, ahead.shape)
        turn /= np.linalg.norm(turn, axis=1, keepdims=True)
        end = start + turn * reach * rng.uniform(0.5, 1.3, (len(start), 1))
        first = share * (radii[-1][:, :1] * (1 - at) + radii[-1][:, 1:] * at).reshape(-1)
        found.append(_curves(rng, start, end, 0.12, knots))
        radii.append(np.stack([first, 0.5 * first], 1))
    return VesselTree(np.concatenate(found).astype(np.float32), np.concatenate(radii))


def _curves(
    rng: np.random.Generator, start: FloatArray, end: FloatArray, bend: float, knots: int
) -> FloatArray:
    """Draw curves (C, K, 3) from start to end (C, 3), bowed by a share of their length."""
    s = np.linspace(0, 1, knots)[None, :, None]
    vector = (end - start)[:, None]
    bow = rng.normal(0, bend, (len(start), 1, 3)) * np.linalg.norm(vector, axis=2, keepdims=True)
    bent: FloatArray = start[:, None] + vector * s + bow * np.sin(np.pi * s)
    bent += 0.25 * bow[..., ::-1] * np.sin(2 * np.pi * s)
    return bent


def lung_to_chest(part: Hemithorax, own: FloatArray) -> FloatArray:
    """Convert a lung's own coordinates, (N, 3) or (C, K, 3), to chest mm, same shape, float32."""
    z = part.apex[1] - own[..., 2] * (part.apex[1] - part.base_z)
    medial, lateral, middle, depth = walls(part, z)
    outward = medial + own[..., 0] * (lateral - medial)
    room = np.maximum(1 - np.abs(2 * own[..., 0] - 1) ** POWER, 0) ** (1 / POWER)
    y = middle + own[..., 1] * depth * room
    return np.stack([part.side * outward, y, z], axis=-1).astype(np.float32)


def vessel_cloud(part: Hemithorax, tree: VesselTree, fine: float) -> Cloud:
    """Place a tree in a lung of this shape; parts outside the lung are cut off."""
    curves = lung_to_chest(part, tree.curves)
    length = np.linalg.norm(np.diff(curves, axis=1), axis=2).sum(axis=1)
    kept = []
    for low, high, across in ((0, 1.3, 3), (1.3, 2.6, 5), (2.6, 99.0, 11)):
        chosen = (tree.radii[:, 0] >= low) & (tree.radii[:, 0] < high)
        if not chosen.any():
            continue
        points = int(np.clip(np.percentile(length[chosen], 80) * 1.25 * fine, 8, 400))
        at = np.linspace(0, curves.shape[1] - 1, points)
        i = np.minimum(at.astype(np.int64), curves.shape[1] - 2)
        t = (at - i).astype(np.float32)[:, None]
        dense = curves[chosen][:, i] * (1 - t) + curves[chosen][:, i + 1] * t
        s = np.linspace(0, 1, points)
        radius = tree.radii[chosen][:, :1] * (1 - s) + tree.radii[chosen][:, 1:] * s
        x, y, z = np.moveaxis(dense, -1, 0)
        chord = pleural_chord(part, x, z)
        radius *= (y > chord.front) & (y < chord.back) & (z > part.base_z)
        kept.append(tube_cloud(dense, radius, max(int(across * fine), 2)))
    return join_clouds(kept)
