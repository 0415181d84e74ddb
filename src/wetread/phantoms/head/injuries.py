"""phantoms/head/injuries.py: which bleeds occur together in one study, where, and how large.

Rates follow the competition's: 40.8 % of studies bleed (Teneggi 2023), by slice subdural 6.3 %,
intraparenchymal 4.8, subarachnoid 4.8, intraventricular 3.5, epidural 0.4 (Flanders 2020).
Epidural blood is drawn several times as often as there (about 4 % of studies), or a few hundred
studies would hold too little of it to learn from.
HU: acute blood 50-76 (neurosurgicalatlas), diluted in the sulci 42-66; subdurals hyperdense to
7 days in 98.6 %, later mixed, iso- or hypodense (Lee 1997, JKMS 12:353).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from wetread.phantoms.head.blood import (
    Bleed,
    Epidural,
    FoldSubdural,
    Intraparenchymal,
    Intraventricular,
    Subarachnoid,
    Subdural,
)
from wetread.phantoms.head.patient import Patient
from wetread.phantoms.head.skull import vault_distance
from wetread.phantoms.shapes.implicit import draw_waves
from wetread.phantoms.types import Point

POSITIVE_SHARE = 0.408
SCENARIOS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("subdural",), 0.225),
    (("intraparenchymal",), 0.17),
    (("intraparenchymal", "intraventricular"), 0.15),
    (("intraventricular",), 0.03),
    (("aneurysm",), 0.055),
    (("aneurysm", "intraventricular"), 0.045),
    (("sulcal",), 0.075),
    (("subdural", "sulcal"), 0.08),
    (("subdural", "sulcal", "contusion"), 0.06),
    (("sulcal", "contusion"), 0.03),
    (("epidural",), 0.05),
    (("epidural", "sulcal"), 0.02),
    (("epidural", "subdural", "sulcal"), 0.02),
)
TRAUMA = frozenset({"epidural", "subdural", "sulcal", "contusion"})
GRAY_MATTER_HU = 38.0


@dataclass(frozen=True)
class Severity:
    """How large and how bright blood is at a difficulty; 1 for the usual, above it less so."""

    difficulty: float

    @property
    def growth(self) -> float:
        """Give the factor of lengths."""
        return float(self.difficulty**-0.35)

    def contrast(self, hu: float) -> float:
        """Move HU of blood nearer to gray matter as difficulty grows from 1."""
        return GRAY_MATTER_HU + (hu - GRAY_MATTER_HU) * exp(-0.45 * (self.difficulty - 1))


def on_table(patient: Patient, direction: Point) -> Point:
    """Find the point of the inner table in a direction from the origin, canonical mm."""
    unit = np.asarray(direction) / np.linalg.norm(direction)
    reach = np.linspace(30, 115, 171, dtype=np.float32)
    line = [np.asarray(reach * c, dtype=np.float32) for c in unit]
    distance = vault_distance(patient, line[0], line[1], line[2])
    far = float(np.interp(0.0, distance, reach))
    return (float(unit[0] * far), float(unit[1] * far), float(unit[2] * far))


def _lognormal(
    rng: np.random.Generator, median: float, spread: float, low: float, high: float
) -> float:
    return float(np.clip(median * exp(spread * rng.normal()), low, high))


def _side(rng: np.random.Generator) -> int:
    return int(rng.choice((-1, 1)))


def _epidural(rng: np.random.Generator, patient: Patient, severity: Severity) -> list[Bleed]:
    """Draw one, temporal or parietal in most, frontal or occipital in the rest."""
    side = _side(rng)
    where = rng.random()
    if where < 0.72:
        direction = (side * 60.0, rng.uniform(-12, 26), rng.uniform(-14, 40))
    elif where < 0.88:
        direction = (side * 38.0, rng.uniform(-75, -60), rng.uniform(0, 35))
    else:
        direction = (side * 35.0, 75.0, rng.uniform(-25, 15))
    thick = _lognormal(rng, 11 * severity.growth, 0.42, 5, 36)
    # Biconvex: thicker than the sagitta of the skull's own curve, radius about 75 mm.
    radius = float(np.clip(np.sqrt(150 * thick) * rng.uniform(0.6, 0.85), 15, 52))
    hu = severity.contrast(rng.uniform(58, 76))
    return [Epidural(on_table(patient, direction), radius, thick, hu)]


def _subdural(rng: np.random.Generator, patient: Patient, severity: Severity) -> list[Bleed]:
    """Draw one on a convexity in most; on falx or tentorium, too or alone, in a third."""
    found: list[Bleed] = []
    where = rng.random()
    if where < 0.86:
        side = _side(rng)
        direction = (side * 62.0, rng.uniform(-30, 35), rng.uniform(-14, 56))
        thick = _lognormal(rng, 5.0 * severity.growth, 0.5, 2.4, 25)
        age = rng.random()
        hu = rng.uniform(52, 73)
        level_hu = hu
        if age > 0.93:  # subacute: as dense as brain
            hu = level_hu = rng.uniform(28, 46)
        elif age > 0.73:  # mixed: old fluid above, fresh blood settled below
            hu, level_hu = rng.uniform(22, 42), rng.uniform(48, 66)
        hu, level_hu = (
            severity.contrast(hu),
            severity.contrast(level_hu),
        )
        center = on_table(patient, direction)
        along, upward = rng.uniform(40, 68), rng.uniform(18, 35)
        found.append(Subdural(side, center, along, upward, thick, hu, level_hu))
    if where > 0.72:
        on_falx = bool(rng.random() < 0.6)
        back = rng.uniform(10, 60) if on_falx else rng.uniform(30, 50)
        if on_falx and rng.random() < 0.3:
            back = rng.uniform(-65, -40)
        thick = _lognormal(rng, 3.4 * severity.growth, 0.35, 2.4, 9)
        hu = severity.contrast(rng.uniform(58, 74))
        found.append(FoldSubdural(_side(rng), on_falx, back, rng.uniform(12, 29), thick, hu))
    return found


def _sulcal(rng: np.random.Generator, patient: Patient, severity: Severity) -> list[Bleed]:
    """Draw traumatic blood: sulci of the convexity in one or two places, the Sylvian fissure."""
    found: list[Bleed] = []
    for _ in range(1 + int(rng.random() < 0.5)):
        side = _side(rng)
        direction = (side * rng.uniform(25, 60), rng.uniform(-60, 60), rng.uniform(-22, 66))
        found.append(_subarachnoid(rng, on_table(patient, direction), 16, 2.8, severity))
    if rng.random() < 0.25:
        center = (_side(rng) * 45.0, -14.0, 4.0)
        found.append(_subarachnoid(rng, center, 20, 2.6, severity, cisternal=True))
    return found


def _subarachnoid(
    rng: np.random.Generator,
    center: Point,
    radius: float,
    thread: float,
    severity: Severity,
    *,
    cisternal: bool = False,
) -> Subarachnoid:
    hu = severity.contrast(rng.uniform(51, 67))
    radius = _lognormal(rng, radius * severity.growth, 0.35, 10, 60)
    thread = _lognormal(rng, thread, 0.25, 1.5, 5)
    return Subarachnoid(center, radius, thread, cisternal, draw_waves(rng, 5, 40), hu)


def _aneurysm(rng: np.random.Generator, patient: Patient, severity: Severity) -> list[Bleed]:
    """Draw a full suprasellar star and Sylvian fissures, more on one side, and sulci above."""
    lean = float(rng.uniform(-22, 22))
    center = (lean, -14.0, -14.0)
    found: list[Bleed] = [_subarachnoid(rng, center, 29, 2.2, severity, cisternal=True)]
    if rng.random() < 0.7:
        side = 1 if lean > 0 else -1
        place = (side * 52.0, -12.0, 8.0)
        found.append(_subarachnoid(rng, place, 18, 2.7, severity))
    return found


def _radii(rng: np.random.Generator, size: float, low: float, high: float) -> Point:
    a, b, c = (float(size * v) for v in rng.uniform(low, high, 3))
    return (a, b, c)


def _clot(
    rng: np.random.Generator, center: Point, volume_ml: float, severity: Severity
) -> Intraparenchymal:
    size = (volume_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    centers: list[Point] = [center]
    radii = [_radii(rng, size, 0.75, 1.3)]
    for _ in range(int(rng.integers(0, 3))):
        shift = rng.normal(0, 0.55 * size, 3)
        x, y, z = (float(c + s) for c, s in zip(center, shift, strict=True))
        centers.append((x, y, z))
        radii.append(_radii(rng, size, 0.4, 0.75))
    seeping = rng.random() < 0.15  # into an infarct: mottled, in much edema
    return Intraparenchymal(
        centers=tuple(centers),
        radii=tuple(radii),
        edge=draw_waves(rng, 6, max(1.6 * size, 9)),
        side=0 if abs(center[0]) < 6 else int(np.sign(center[0])),
        edema_mm=float(
            rng.uniform(8, 20) if seeping else rng.uniform(0.5, 3.0) + 0.6 * size * rng.random()
        ),
        hu=severity.contrast(rng.uniform(46, 60) if seeping else rng.uniform(52, 75)),
        edema_hu=float(rng.uniform(14, 24)),
        mottle_hu=float(rng.uniform(5, 10) if seeping else rng.uniform(1.5, 6)),
    )


def _intraparenchymal(
    rng: np.random.Generator, patient: Patient, severity: Severity
) -> list[Bleed]:
    """Draw a clot in putamen, thalamus, lobes, cerebellum or pons; 2-80 mL, a few smaller."""
    side, where = _side(rng), rng.random()
    volume = _lognormal(rng, 5.0 * severity.growth**3, 0.95, 0.8, 80)
    if where < 0.29:
        center = (side * rng.uniform(24, 31), rng.uniform(-10, 6), rng.uniform(-2, 12))
    elif where < 0.45:
        center = (side * rng.uniform(10, 16), rng.uniform(6, 16), rng.uniform(2, 10))
        volume = min(volume, 20)
    elif where < 0.76:
        z = rng.uniform(-8, 58)
        reach = rng.uniform(0.5, 0.75) * np.sqrt(1 - (z / 74) ** 2)
        angle = rng.uniform(-np.pi, np.pi)
        center = (70 * reach * np.cos(angle), 85 * reach * np.sin(angle), z)
    elif where < 0.85:
        center = (side * rng.uniform(42, 52), rng.uniform(-20, 22), rng.uniform(-32, -8))
    elif where < 0.95:
        center = (side * rng.uniform(10, 32), rng.uniform(38, 58), rng.uniform(-52, -34))
        volume = min(volume, 25)
    else:
        center, volume = (rng.normal(0, 3), 10.0, rng.uniform(-38, -26)), min(volume, 5)
    place = (float(center[0]), float(center[1]), float(center[2]))
    return [_clot(rng, place, volume, severity)]


def _contusion(rng: np.random.Generator, patient: Patient, severity: Severity) -> list[Bleed]:
    """Draw small clots, often several, at the frontal and temporal poles."""
    found: list[Bleed] = []
    for _ in range(int(rng.integers(1, 4))):
        side = _side(rng)
        frontal = rng.random() < 0.55
        x, y, z = (rng.uniform(10, 35), rng.uniform(-68, -52), rng.uniform(-8, 15))
        if not frontal:
            x, y, z = (rng.uniform(42, 56), rng.uniform(-22, 12), rng.uniform(-32, -8))
        volume = _lognormal(rng, 1.6 * severity.growth**3, 0.65, 0.5, 10)
        found.append(_clot(rng, (side * x, y, z), volume, severity))
    return found


def _intraventricular(
    rng: np.random.Generator, patient: Patient, severity: Severity
) -> list[Bleed]:
    """Draw levels in the occipital horns in most, a cast in a third."""
    cast = bool(rng.random() < 0.3)
    sides: tuple[int, ...] = (-1, 1) if rng.random() < (0.4 if cast else 0.75) else (_side(rng),)
    hu = severity.contrast(rng.uniform(52, 72))
    return [Intraventricular(sides, _lognormal(rng, 11 * severity.growth, 0.4, 4, 26), cast, hu)]


_DRAW = {
    "epidural": _epidural,
    "subdural": _subdural,
    "sulcal": _sulcal,
    "aneurysm": _aneurysm,
    "intraparenchymal": _intraparenchymal,
    "contusion": _contusion,
    "intraventricular": _intraventricular,
}


def draw_scenario(rng: np.random.Generator) -> tuple[str, ...]:
    """Draw the names of the bleeds of one study; empty in 59 % of the studies."""
    names, weights = zip(*SCENARIOS, strict=True)
    if rng.random() > POSITIVE_SHARE:
        return ()
    share = np.asarray(weights) / sum(weights)
    return tuple(names[int(rng.choice(len(names), p=share))])


def draw_bleeds(
    rng: np.random.Generator, patient: Patient, scenario: tuple[str, ...], difficulty: float
) -> tuple[Bleed, ...]:
    """Draw the bleeds of a scenario; difficulty above 1 makes them smaller and fainter.

    Raises ValueError for a name that is none of the known bleeds.
    """
    unknown = sorted(set(scenario) - set(_DRAW))
    if unknown:
        raise ValueError(f"scenario: no bleed named {unknown}; choose from {sorted(_DRAW)}")
    severity = Severity(difficulty)
    found: list[Bleed] = []
    for name in scenario:
        found += _DRAW[name](rng, patient, severity)
    return tuple(found)
