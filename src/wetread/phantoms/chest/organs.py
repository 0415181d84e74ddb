"""phantoms/chest/organs.py: organs between and below the lungs of a chest, as solids in mm.

Canonical chest coordinates, as in chest.py. The great vessels are named, so that a scan can give
each its own contrast.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.phantoms.chest.chest import Chest
from wetread.phantoms.types import Knot, Point


@dataclass(frozen=True)
class VesselSegment:
    """A stretch of a vessel or tube, its radius running from end to end."""

    name: str
    start: Knot
    end: Knot


@dataclass(frozen=True)
class Pocket:
    """A hollow organ below the diaphragm: its wall's ellipsoid, and the height of its gas.

    gas_y: gas lies before this y (it rises, and the patient lies on the back), mm.
    """

    center: Point
    radii: Point
    gas_y: float


@dataclass(frozen=True)
class Organs:
    """Vessels of the mediastinum, the gullet, and pockets with gas below the diaphragm."""

    vessels: tuple[VesselSegment, ...]
    gullet: tuple[VesselSegment, ...]
    gullet_air_mm: float
    pockets: tuple[Pocket, ...]


def draw_organs(rng: np.random.Generator, chest: Chest) -> Organs:
    """Draw aorta, cava, pulmonary arteries and gullet of a person, stomach and colon."""
    wide = float(rng.uniform(0.85, 1.15) * (0.9 + 0.002 * max(chest.age - 30, 0)))
    knob = 14 + chest.heart.knob[0]
    low = min(part.base_z for part in chest.pleurae) - 60
    root, rise = (-2.0, -30.0, -18.0, 15 * wide), (-8.0, -30.0, 40.0, 15 * wide)
    arch = (4.0, 0.0, 62.0, 13.5 * wide)
    back = (knob, 32.0, 46.0, 12.5 * wide)
    down = (22.0 + chest.curve_mm, 44.0, 0.0, 12 * wide)
    belly = (8.0, 34.0, low, 11 * wide)
    vessels = [
        *(VesselSegment("aorta", *ends) for ends in ((root, rise), (rise, arch), (arch, back))),
        *(VesselSegment("aorta", *ends) for ends in ((back, down), (down, belly))),
        VesselSegment("superior_cava", (-28.0, -16.0, 66.0, 9.0), (-26.0, -14.0, -16.0, 9.5)),
        VesselSegment(
            "right_brachiocephalic", (-28.0, -16.0, 66.0, 8.0), (-20.0, -38.0, 106.0, 6.0)
        ),
        VesselSegment("left_brachiocephalic", (-28.0, -18.0, 68.0, 7.0), (22.0, -40.0, 100.0, 6.0)),
        VesselSegment("innominate", (-4.0, -8.0, 66.0, 6.0), (-20.0, -4.0, 116.0, 5.0)),
        VesselSegment("left_carotid", (8.0, 4.0, 66.0, 4.0), (20.0, 0.0, 120.0, 3.6)),
        VesselSegment("left_subclavian", (12.0, 14.0, 62.0, 5.0), (30.0, 8.0, 116.0, 4.5)),
        VesselSegment("pulmonary_trunk", (16.0, -40.0, -18.0, 14.0), (16.0, -16.0, 16.0, 13.0)),
        VesselSegment("right_pulmonary_artery", (14.0, -10.0, 17.0, 11.0), (-36.0, 4.0, 8.0, 9.0)),
        VesselSegment("left_pulmonary_artery", (16.0, -12.0, 18.0, 11.0), (42.0, 12.0, 20.0, 9.0)),
        VesselSegment("inferior_cava", (-20.0, 6.0, -40.0, 11.0), (-22.0, 10.0, low, 11.0)),
        VesselSegment("azygos", (-6.0, 38.0, 30.0, 3.5), (-4.0, 38.0, low, 3.0)),
    ]
    gullet = (
        VesselSegment("gullet", (3.0, 30.0, 150.0, 7.0), (5.0, 32.0, 0.0, 7.0)),
        VesselSegment("gullet", (5.0, 32.0, 0.0, 7.0), (18.0, 12.0, low + 40, 7.5)),
    )
    air = float(rng.uniform(1.5, 4.0)) if rng.random() < 0.5 else 0.0
    return Organs(tuple(vessels), gullet, air, _draw_pockets(rng, chest))


def _draw_pockets(rng: np.random.Generator, chest: Chest) -> tuple[Pocket, ...]:
    """Draw the stomach, and loops of colon in front of it."""
    left = chest.pleurae[1]
    x, y, top = left.dome
    found: list[Pocket] = []
    if chest.stomach:
        radius = 1.3 * chest.stomach
        center = (x - 8.0, y - 5.0, top - 7.0 - 0.8 * radius)
        gas = center[1] - radius * float(rng.uniform(-0.2, 0.6))
        found.append(Pocket(center, (radius, 1.1 * radius, 0.8 * radius), gas))
    for _ in range(int(rng.integers(0, 3))):
        radius = float(rng.uniform(11, 20))
        offset = float(rng.uniform(-14, 30))
        drop = left.fall[0] * offset**2 + radius + float(rng.uniform(24, 40))
        center = (x + offset, y - float(rng.uniform(20, 45)), top - drop)
        gas = center[1] + radius * float(rng.uniform(-0.5, 1.2))
        found.append(Pocket(center, (1.3 * radius, radius, radius), gas))
    return tuple(found)
