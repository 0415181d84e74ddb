"""phantoms/radiograph/habitus.py: a chest as it is on the day of its film: breath, fat, heart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wetread.phantoms.chest.chest import Chest, Hemithorax


def vary_chest(rng: np.random.Generator, chest: Chest, ap: bool) -> Chest:
    """Draw how deep the breath was, and how far heart, fat, bone and lungs are off the usual.

    AP films are of people who lie or sit in bed: their diaphragm stands higher, the heart is wide.
    """
    rise = float(np.clip(rng.normal(16, 15) if ap else rng.normal(1, 9), -18, 55))
    right, left = (_lift(rng, part, rise) for part in chest.pleurae)
    large = float(np.clip(rng.normal(1.06 if ap else 1.0, 0.10), 0.8, 1.4)) * (1 + 0.002 * rise)
    heart, up = chest.heart, 0.6 * rise
    heart = replace(
        heart,
        center=(heart.center[0], heart.center[1], heart.center[2] + up),
        radii=(heart.radii[0] * large, heart.radii[1], heart.radii[2] * large),
        atrium=(heart.atrium[0], heart.atrium[1], heart.atrium[2] + up),
        atrium_radii=(heart.atrium_radii[0] * large, *heart.atrium_radii[1:]),
        band=heart.band * float(np.clip(rng.normal(1.15 if ap else 1.0, 0.12), 0.8, 1.6)),
    )
    return replace(
        chest,
        pleurae=(right, left),
        heart=heart,
        wall_mm=float(np.clip((chest.wall_mm + 10) * np.exp(rng.normal(0, 0.35)), 10, 90)),
        shoulder_z=chest.shoulder_z + float(rng.normal(4 if ap else -4, 9)),
        bone=float(chest.bone * np.exp(rng.normal(0, 0.22))),
        rib_drop=chest.rib_drop * float(rng.uniform(0.8, 1.1) if ap else rng.uniform(0.9, 1.2)),
        curve_mm=chest.curve_mm * float(rng.uniform(0.5, 2.5)),
        lung_density=float(np.clip(chest.lung_density * np.exp(rng.normal(-0.2, 0.3)), 0.08, 0.5)),
        wander_mm=chest.wander_mm * float(rng.uniform(0.8, 1.8)),
    )


def _lift(rng: np.random.Generator, part: Hemithorax, rise: float) -> Hemithorax:
    """Lift the diaphragm of one side, in some people far more than the other's."""
    rise += float(rng.normal(0, 4))
    if rng.random() < 0.07:
        rise += float(rng.uniform(15, 45))
    x, y, z = part.dome
    return replace(
        part,
        base_z=part.base_z + rise,
        dome=(x, y, z + rise),
        lateral=part.lateral * float(rng.normal(1, 0.025)),
        apex=(part.apex[0], part.apex[1] + float(rng.normal(0, 3))),
    )
