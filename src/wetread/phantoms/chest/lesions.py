"""phantoms/chest/lesions.py: nodules, consolidation and effusion in a chest of three dimensions.

Nodules and consolidated lung are lung; fluid next to it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.chest.vessels import lung_to_chest
from wetread.phantoms.shapes.implicit import Waves, draw_waves
from wetread.phantoms.types import Point


@dataclass(frozen=True)
class Nodule:
    """A ball in a lung, cut off where the lung ends; center (x, y, z) and radius, mm."""

    center: Point
    radius_mm: float
    hu: float


@dataclass(frozen=True, eq=False)
class Consolidation:
    """Lung without air, or with little, at a side's back.

    middle_z, half_z: its extent along z; deep_mm: its greatest depth from the back wall.
    hu:        of it; ragged: the field that frays its edge; bronchi: whether their air shows in it.
    """

    side: int
    middle_z: float
    half_z: float
    deep_mm: float
    hu: float
    ragged: Waves
    bronchi: bool


@dataclass(frozen=True)
class Effusion:
    """Fluid behind a lung, deepest at the base; deep_mm there; top_z: where it ends."""

    side: int
    deep_mm: float
    top_z: float
    hu: float


@dataclass(frozen=True, eq=False)
class Lesions:
    """All lesions of one person."""

    nodules: tuple[Nodule, ...] = ()
    consolidations: tuple[Consolidation, ...] = ()
    effusions: tuple[Effusion, ...] = ()


def draw_lesions(
    rng: np.random.Generator, chest: Chest, *, nodules: int, consolidations: int, effusions: int
) -> Lesions:
    """Draw a number of each; sides by chance, at most one effusion a side."""
    fluid = rng.permutation((-1, 1))[:effusions]
    return Lesions(
        tuple(_draw_nodule(rng, chest) for _ in range(nodules)),
        tuple(_draw_consolidation(rng, chest) for _ in range(consolidations)),
        tuple(_draw_effusion(rng, chest, int(side)) for side in fluid),
    )


def _draw_nodule(rng: np.random.Generator, chest: Chest) -> Nodule:
    """Draw a nodule; one in three touches the chest wall."""
    part = chest.pleurae[int(rng.integers(2))]
    out, deep = rng.uniform(0.3, 0.85), rng.uniform(-0.6, 0.7)
    if rng.random() < 0.34:
        deep = 0.98 * float(rng.choice((-1, 1), p=(0.3, 0.7)))
    center = lung_to_chest(part, np.array([out, deep, rng.uniform(0.2, 0.75)]))
    radius = float(np.exp(rng.uniform(np.log(2.5), np.log(13))))
    return Nodule((float(center[0]), float(center[1]), float(center[2])), radius, 30.0)


def _draw_consolidation(rng: np.random.Generator, chest: Chest) -> Consolidation:
    """Draw from a strip at the back to most of a lower lobe; one in three is ground glass."""
    side = int(rng.choice((-1, 1)))
    glass = rng.random() < 0.33
    return Consolidation(
        side=side,
        middle_z=float(rng.uniform(-50, 30)),
        half_z=float(rng.uniform(15, 45)),
        deep_mm=float(rng.uniform(10, 34)),
        hu=float(rng.uniform(-620, -450)) if glass else float(rng.uniform(25, 45)),
        ragged=draw_waves(rng, 8, 22),
        bronchi=not glass,
    )


def _draw_effusion(rng: np.random.Generator, chest: Chest, side: int) -> Effusion:
    part = chest.pleurae[(side + 1) // 2]
    top = part.dome[2] + float(rng.uniform(10, 70))
    return Effusion(side, float(rng.uniform(8, 26)), top, float(rng.uniform(2, 15)))
