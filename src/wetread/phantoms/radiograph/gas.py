"""phantoms/radiograph/gas.py: gas that is in no pleural space: in the bowel, under the skin.

All is drawn without knowing the label.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.shapes.chords import ellipsoid_chord, thickness
from wetread.phantoms.types import Point

STREAK_MM = (45.0, 5.0)  # along and across the fibers of muscle that air spreads between


@dataclass(frozen=True)
class GasPocket:
    """Gas in stomach or bowel; level: z under which fluid lies, mm."""

    center: Point
    radii: Point
    level: float


@dataclass(frozen=True, eq=False)
class SkinAir:
    """Air under the skin of one side.

    center: (x, z) mm; reach_mm: where it has thinned out; turn: radians, of the fibers;
    depth_mm: of the air; noise: (64, 64) float32, mean 0, SD 1: where there is some.
    """

    center: tuple[float, float]
    reach_mm: float
    turn: float
    depth_mm: float
    noise: FloatArray


@dataclass(frozen=True, eq=False)
class Gas:
    """All gas of one film beyond lungs and airways."""

    pockets: tuple[GasPocket, ...]
    skin: tuple[SkinAir, ...]


def draw_gas(rng: np.random.Generator, chest: Chest, ap: bool) -> Gas:
    """Draw a stomach's bubble where the chest has one, gas of the bowel, air under the skin."""
    pockets = [_bubble(rng, chest, ap)] if chest.stomach else []
    for _ in range(int(rng.poisson(float(rng.gamma(1.5, 2.2))))):
        pockets.append(_bowel(rng, chest))
    skin = [
        _skin_air(rng, chest, side) for side in (-1, 1) if rng.random() < (0.08 if ap else 0.04)
    ]
    return Gas(tuple(pockets), tuple(skin))


def _bubble(rng: np.random.Generator, chest: Chest, ap: bool) -> GasPocket:
    left, radius = chest.pleurae[1], chest.stomach
    center = (left.dome[0] - 8.0, 0.0, left.dome[2] - 16 - 0.5 * radius)
    level = center[2] + radius * float(rng.uniform(-0.3, 0.3))
    radii = (radius, 0.7 * radius, 0.67 * radius)
    return GasPocket(center, radii, -1e3 if ap and rng.random() < 0.6 else level)


def _bowel(rng: np.random.Generator, chest: Chest) -> GasPocket:
    side = int(rng.choice((-1, 1), p=(0.4, 0.6)))
    dome = chest.pleurae[(side + 1) // 2].dome[2]
    radius = float(rng.uniform(7, 26))
    wide = radius * float(rng.uniform(0.8, 2.2))
    center = (side * float(rng.uniform(5, 115)), -20.0, dome - 34 - float(rng.gamma(1.6, 34)))
    return GasPocket(center, (wide, radius, radius), -1e3)


def _skin_air(rng: np.random.Generator, chest: Chest, side: int) -> SkinAir:
    part = chest.pleurae[(side + 1) // 2]
    center = (side * (part.lateral + float(rng.uniform(0, 35))), float(rng.uniform(-60, 100)))
    return SkinAir(
        center,
        float(rng.uniform(30, 80)),
        float(rng.normal(side * 0.9, 0.5)),
        float(rng.uniform(6, 25)),
        rng.standard_normal((64, 64), dtype=np.float32),
    )


def gas_depth(gas: Gas, x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute the gas at x, z, (H, W) mm."""
    total: FloatArray = np.zeros_like(x)
    for pocket in gas.pockets:
        above = np.clip((z - pocket.level) * 0.5 + 0.5, 0, 1)
        total += 0.85 * above * thickness(ellipsoid_chord(x, z, pocket.center, pocket.radii))
    for air in gas.skin:
        total += _streaks(air, x, z)
    return total


def _streaks(air: SkinAir, x: FloatArray, z: FloatArray) -> FloatArray:
    dx, dz = x - air.center[0], z - air.center[1]
    c, s = np.cos(air.turn), np.sin(air.turn)
    along = ((c * dx + s * dz) * (1 / STREAK_MM[0]) + 32).astype(np.float32)
    across = ((c * dz - s * dx) * (1 / STREAK_MM[1]) + 32).astype(np.float32)
    wave = cv2.remap(air.noise, along, across, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    near = np.exp(-(dx * dx + dz * dz) * (1 / air.reach_mm**2))
    streaks: FloatArray = air.depth_mm * near * np.clip(wave + 0.2, 0, 1.5)
    return streaks
