"""phantoms/radiograph/mimics.py: findings and devices that are no pneumothorax, in all films.

All are drawn without knowing the label: neither a tube nor a fold is a sign of air.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.chest.chest import Chest, Hemithorax
from wetread.phantoms.radiograph.exposure import Sightlines
from wetread.phantoms.shapes.chords import Chord, ellipsoid_chord, thickness
from wetread.phantoms.shapes.clouds import Cloud, join_clouds, smooth_curve, tube_cloud
from wetread.phantoms.types import Point


@dataclass(frozen=True)
class Line:
    """A tube, catheter or wire along knots, mm; dense: its attenuation over soft tissue's."""

    kind: str
    knots: tuple[Point, ...]
    radius_mm: float
    dense: float


@dataclass(frozen=True)
class Plate:
    """A flat thing on or under the skin: electrode, port, pacemaker; x, z, radii, turn, mm."""

    center: tuple[float, float]
    radii: tuple[float, float]
    turn: float
    dense_mm: float
    rim_mm: float


@dataclass(frozen=True, eq=False)
class SkinFold:
    """Skin pressed into a fold: tissue grows towards an edge and ends there; no line.

    start, end: (x, z) mm; wide_mm: over which it grows; deep_mm: of tissue at the edge.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    wide_mm: float
    deep_mm: float
    bow_mm: float


@dataclass(frozen=True)
class Bulla:
    """A cavity in the lung with a wall thinner than a pleura and a curve of its own."""

    center: Point
    radii: Point
    wall_mm: float


@dataclass(frozen=True, eq=False)
class Opacity:
    """Denser lung: infiltrate, edema, atelectasis, nodule; density over the lung's, of water."""

    center: Point
    radii: Point
    density: float


@dataclass(frozen=True, eq=False)
class RadiographMimics:
    """Findings of one film that are no air; effusion: (side, height in mm) of fluid, or None."""

    lines: tuple[Line, ...]
    plates: tuple[Plate, ...]
    folds: tuple[SkinFold, ...]
    bullae: tuple[Bulla, ...]
    opacities: tuple[Opacity, ...]
    effusion: tuple[int, float] | None

    @property
    def tube(self) -> bool:
        """Tell whether there is a chest tube."""
        return any(line.kind == "chest tube" for line in self.lines)


def draw_radiograph_mimics(
    rng: np.random.Generator, chest: Chest, ap: bool, difficulty: float
) -> RadiographMimics:
    """Draw the mimics of a film; AP films are of sicker people: more tubes, folds and opacities."""
    more = (1.0 if ap else 0.35) * difficulty**0.5
    lines: list[Line] = []
    plates: list[Plate] = []
    for side in (-1, 1):
        if rng.random() < 0.24 * more:
            lines.append(_chest_tube(rng, chest, side))
    if rng.random() < 0.5 * more:
        lines.append(_central_line(rng, chest))
    if rng.random() < 0.3 * more and ap:
        lines += _throat(rng)
    if rng.random() < 0.7 * more:
        for _ in range(int(rng.integers(1, 5))):
            line, plate = _electrode(rng, chest)
            lines.append(line)
            plates.append(plate)
    if rng.random() < 0.10:
        plates.append(_implant(rng))
    return RadiographMimics(
        lines=tuple(lines),
        plates=tuple(plates),
        folds=tuple(_fold(rng, chest) for _ in range(int(rng.poisson(0.45 * more)))),
        bullae=tuple(_bulla(rng, chest) for _ in range(int(rng.random() < 0.1) * 2)),
        opacities=tuple(_opacity(rng, chest) for _ in range(int(rng.poisson(1.1 * more + 0.3)))),
        effusion=_effusion(rng, more),
    )


def _effusion(rng: np.random.Generator, more: float) -> tuple[int, float] | None:
    if rng.random() < 0.3 * more:
        return int(rng.choice((-1, 1))), float(rng.gamma(2.0, 12))
    return None


def _chest_tube(rng: np.random.Generator, chest: Chest, side: int) -> Line:
    """Draw a tube from the lateral wall along it to the apex, or to the base."""
    part = chest.pleurae[(side + 1) // 2]
    entry, wall = rng.uniform(-80, 10), part.lateral
    target = part.apex[1] - rng.uniform(8, 60)
    if rng.random() < 0.25:
        target = rng.uniform(-60, 0)
    inner = rng.uniform(20, 75)
    knots = (
        (side * (wall + 60), -10.0, entry - rng.uniform(10, 60)),
        (side * (wall + 14), 0.0, entry - rng.uniform(0, 15)),
        (side * (wall - rng.uniform(8, 26)), float(rng.normal(10, 25)), entry + 25),
        (side * (0.5 * (wall + inner)), float(rng.normal(15, 25)), 0.5 * (entry + target) + 20),
        (side * inner, float(rng.normal(15, 20)), target),
    )
    return Line("chest tube", knots, float(rng.uniform(2.6, 4.4)), float(rng.uniform(0.9, 2.2)))


def _central_line(rng: np.random.Generator, chest: Chest) -> Line:
    """Draw a line from a subclavian or jugular vein, or the arm, to the superior cava."""
    side, top = int(rng.choice((-1, 1))), chest.shoulder_z
    tip = (-float(rng.uniform(16, 26)), 0.0, float(rng.uniform(-10, 30)))
    bend = (-20.0, -5.0, 62.0)
    if rng.random() < 0.5:
        start: tuple[Point, ...] = ((side * 150.0, -70.0, top - 70), (side * 85.0, -45.0, top - 14))
    else:
        start = ((side * 48.0, -20.0, top + 80), (side * 30.0, -25.0, top + 10))
    return Line("line", (*start, bend, tip), float(rng.uniform(0.7, 1.3)), rng.uniform(0.8, 1.8))


def _throat(rng: np.random.Generator) -> list[Line]:
    """Draw a tube in the trachea, and a thinner one through the gullet into the stomach."""
    end = float(rng.uniform(40, 80))
    found = [Line("tube", ((4.0, 0.0, 200.0), (1.0, 10.0, 120.0), (0.0, 12.0, end)), 4.5, 0.35)]
    if rng.random() < 0.7:
        knots = ((6.0, 20.0, 200.0), (4.0, 30.0, 60.0), (8.0, 30.0, -60.0), (40.0, 0.0, -130.0))
        found.append(Line("tube", knots, 2.2, float(rng.uniform(0.5, 1.0))))
    return found


def _electrode(rng: np.random.Generator, chest: Chest) -> tuple[Line, Plate]:
    """Draw a wire on the skin to a pad."""
    x, z = float(rng.uniform(-140, 140)), float(rng.uniform(-110, 90))
    away = np.array([np.sign(x + 0.1) * rng.uniform(40, 220), rng.uniform(-190, 60)])
    y = -chest.pleurae[0].depth - 15.0
    middle = 0.5 * away + rng.normal(0, 35, 2)
    knots = ((x, y, z), (x + middle[0], y, z + middle[1]), (x + away[0], y, z + away[1]))
    plate = Plate((x, z), (7.0, 7.0), 0.0, float(rng.uniform(0.5, 4)), float(rng.uniform(2, 12)))
    return Line("wire", knots, float(rng.uniform(0.6, 1.1)), float(rng.uniform(1.0, 2.5))), plate


def _implant(rng: np.random.Generator) -> Plate:
    """Draw a port or a pacemaker under a clavicle."""
    x = float(rng.choice((-1, 1)) * rng.uniform(65, 110))
    wide = float(rng.uniform(10, 26))
    tall, turn = wide * float(rng.uniform(0.8, 1)), float(rng.uniform(-0.6, 0.6))
    return Plate((x, rng.uniform(35, 75)), (wide, tall), turn, rng.uniform(15, 70), 20.0)


def _fold(rng: np.random.Generator, chest: Chest) -> SkinFold:
    """Draw a fold down one side, often beyond the chest."""
    side = int(rng.choice((-1, 1)))
    x, z = side * rng.uniform(45, 120), rng.uniform(30, 115)
    dx, dz = side * rng.normal(8, 22), -rng.uniform(70, 210)
    wide = float(rng.uniform(8, 40)) * side * float(rng.choice((-1, 1), p=(0.75, 0.25)))
    return SkinFold(
        (x, z), (x + dx, z + dz), wide, float(rng.uniform(5, 16)), float(rng.normal(0, 10))
    )


def _bulla(rng: np.random.Generator, chest: Chest) -> Bulla:
    part = chest.pleurae[int(rng.integers(2))]
    radius = float(rng.uniform(12, 34))
    z = part.apex[1] - radius - rng.uniform(0, 70)
    center = (part.side * float(rng.uniform(45, 80)), float(rng.normal(10, 20)), float(z))
    radii = (radius, radius * rng.uniform(0.8, 1.2), radius * rng.uniform(0.8, 1.3))
    return Bulla(center, radii, float(rng.uniform(0.2, 0.5)))


def _opacity(rng: np.random.Generator, chest: Chest) -> Opacity:
    side = int(rng.choice((-1, 1)))
    radius = float(np.exp(rng.normal(3.2, 0.5)))
    center = (side * rng.uniform(25, 105), rng.uniform(-40, 60), rng.uniform(-90, 80))
    radii = (radius * rng.uniform(0.7, 1.6), radius, radius * rng.uniform(0.6, 1.4))
    return Opacity(center, radii, float(rng.gamma(2.0, 0.12)))


def line_cloud(lines: tuple[Line, ...], fine: float) -> Cloud | None:
    """Make lines as points of matter, mm3 of soft tissue; tubes are hollow with a dense stripe."""
    found = []
    for line in lines:
        knots = np.array(line.knots)
        length = float(np.linalg.norm(np.diff(knots, axis=0), axis=1).sum())
        points = int(length * 1.2 * fine) + 8
        curve = smooth_curve(knots, points)[None]
        radius = np.full((1, points), line.radius_mm)
        hollow = line.radius_mm > 2
        whole = tube_cloud(curve, radius, max(int(5 * line.radius_mm * fine), 3))
        if not hollow:
            found.append(Cloud(whole.place, whole.mass * line.dense * 4))
            continue
        wall = tube_cloud(curve, 0.62 * radius, max(int(4 * line.radius_mm * fine), 3))
        stripe = curve + np.array([0.55 * line.radius_mm, 0, 0], np.float32)
        opaque = tube_cloud(stripe, np.full((1, points), 0.6), 3)
        found.append(Cloud(whole.place, 1.6 * whole.mass * line.dense))
        found.append(Cloud(wall.place, -1.6 * wall.mass * line.dense))
        found.append(Cloud(opaque.place, opaque.mass * line.dense * 16))
    return join_clouds(found) if found else None


def plate_depth(plates: tuple[Plate, ...], x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute the soft tissue that attenuates like the plates at x, z, (H, W) mm."""
    total: FloatArray = np.zeros(np.broadcast(x, z).shape, np.float32)
    for plate in plates:
        c, s = np.cos(plate.turn), np.sin(plate.turn)
        dx, dz = x - plate.center[0], z - plate.center[1]
        away = np.hypot((c * dx + s * dz) / plate.radii[0], (c * dz - s * dx) / plate.radii[1])
        edge = (1 - away) * min(plate.radii)
        total += plate.dense_mm * np.clip(edge + 0.5, 0, 1)
        total += plate.rim_mm * np.exp(-((edge - 1.2) ** 2))
    return total


def fold_depth(folds: tuple[SkinFold, ...], x: FloatArray, z: FloatArray) -> FloatArray:
    """Compute the tissue of the folds at x, z, (H, W) mm."""
    total: FloatArray = np.zeros(np.broadcast(x, z).shape, np.float32)
    for fold in folds:
        dx, dz = fold.end[0] - fold.start[0], fold.end[1] - fold.start[1]
        length = float(np.hypot(dx, dz))
        along = ((x - fold.start[0]) * dx + (z - fold.start[1]) * dz) * (1 / length**2)
        away = ((x - fold.start[0]) * dz - (z - fold.start[1]) * dx) * (1 / length)
        away = (away + fold.bow_mm * np.sin(np.pi * along)) * np.sign(fold.wide_mm)
        grown = np.exp(-np.maximum(away, 0) * (1 / abs(fold.wide_mm)))
        ends = np.clip(along * 5, 0, 1) * np.clip((1 - along) * 5, 0, 1)
        total += fold.deep_mm * grown * np.clip(away * 0.7 + 0.5, 0, 1) * ends
    return total


def fluid_share(
    effusion: tuple[int, float] | None, part: Hemithorax, x: FloatArray, z: FloatArray
) -> FloatArray | None:
    """Compute the share (H, W) of the lung that fluid in its sulcus takes; None without fluid.

    Its level rises outwards.
    """
    if effusion is None or effusion[0] != part.side:
        return None
    outward = np.clip(x * part.side * (1 / part.lateral), 0, 1)
    level = part.base_z + 14 + effusion[1] + 16 * outward**4
    share: FloatArray = np.clip((level - z) * (1 / 12) + 0.5, 0, 1)
    return share


def bulla_chords(
    bullae: tuple[Bulla, ...], x: FloatArray, z: FloatArray
) -> list[tuple[Chord, FloatArray]]:
    """Compute each bulla's cavity, and the mm of wall (H, W) that a line of sight meets."""
    found: list[tuple[Chord, FloatArray]] = []
    for bulla in bullae:
        hole = ellipsoid_chord(x, z, bulla.center, bulla.radii)
        skin = tuple(r + 1.0 for r in bulla.radii)
        outer = ellipsoid_chord(x, z, bulla.center, (skin[0], skin[1], skin[2]))
        found.append((hole, (thickness(outer) - thickness(hole)) * bulla.wall_mm))
    return found


def opacity_depth(
    opacities: tuple[Opacity, ...], lines: Sightlines, lung: FloatArray, ragged: FloatArray
) -> FloatArray:
    """Compute water that opacities add in (H, W) mm of lung; ragged: (H, W), mean 0, SD 1."""
    x, z = lines.x, lines.z
    total: FloatArray = np.zeros_like(lung)
    for one in opacities:
        u, w = (x - one.center[0]) / one.radii[0], (z - one.center[2]) / one.radii[2]
        blob = np.exp(-(u * u + w * w))
        room = np.minimum(lung, 2 * one.radii[1])
        total += one.density * room * blob * np.clip(0.9 + 0.22 * ragged, 0, 2)
    return total
