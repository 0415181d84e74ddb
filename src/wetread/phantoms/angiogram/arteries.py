"""phantoms/angiogram/arteries.py: the lungs' arteries and veins, as trees that fill the lungs.

Down to the lobes the arteries run through anchors, from there they grow by a volume-filling law
(Tawhai 2000): a branch runs GROWTH of the way to the middle of the tissue it feeds, the tissue is
cut in two across its widest direction, and each half grows on. A branch's radius follows from its
share of the flow, which is its share of the tissue: r0^k = r1^k + r2^k, with k = 2 (equal areas)
down to the segments, as the diameters of large arteries ask for, and Murray's k = 3 beyond them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from wetread.archive.types import FloatArray, Int64Array
from wetread.phantoms.chest.chest import Chest, Hemithorax, inside_pleura
from wetread.phantoms.chest.lung_depth import chest_depth, lung_points
from wetread.phantoms.chest.vessels import lung_to_chest

LEVELS = ("trunk", "main", "interlobar", "lobar", "segmental", "subsegmental")
TRUNK, MAIN, INTERLOBAR, LOBAR, SEGMENTAL, SUBSEGMENTAL = range(6)
LARGE, SMALL = 2.0, 3.0  # k above, in and beyond the segments
GROWTH = 0.42  # share of the way to the middle of its tissue that a branch runs
MAX_ANGLE_DEGREES = 65.0  # degrees between a branch and the one it comes from
MAX_ANGLE_COSINE = float(np.cos(np.radians(MAX_ANGLE_DEGREES)))
MAX_ANGLE_SINE = float(np.sin(np.radians(MAX_ANGLE_DEGREES)))
POINTS = (330, 280)  # pieces of tissue in the right and the left lung
MIN_POINTS = 2  # a branch that feeds fewer pieces does not divide
MIN_RADIUS_MM = 0.7  # radius: thinner ones are the lung's texture
LENGTH_SHARES = (1.0, 0.7, 0.45, 0.2)  # what a branch becomes that would leave the chest
BOW = 0.07  # how far a branch bends aside, of its length

# A segment's place in its lung: share of the way out, depth (-1 front), share of the way down
RIGHT = {
    "1": (0.50, 0.05, 0.13),
    "2": (0.66, 0.60, 0.27),
    "3": (0.60, -0.62, 0.30),
    "4": (0.78, -0.40, 0.56),
    "5": (0.55, -0.78, 0.64),
    "6": (0.55, 0.78, 0.43),
    "7": (0.40, 0.15, 0.72),
    "8": (0.78, -0.15, 0.76),
    "9": (0.82, 0.35, 0.80),
    "10": (0.52, 0.72, 0.82),
}
LEFT = {
    "1": (0.50, 0.05, 0.13),
    "2": (0.66, 0.60, 0.27),
    "3": (0.60, -0.62, 0.30),
    "4": (0.78, -0.50, 0.52),
    "5": (0.62, -0.75, 0.68),
    "6": (0.55, 0.78, 0.43),
    "7": (0.45, 0.10, 0.78),
    "8": (0.78, -0.15, 0.76),
    "9": (0.82, 0.35, 0.80),
    "10": (0.52, 0.72, 0.82),
}


@dataclass(frozen=True, eq=False)
class Branches:
    """A tree of N straight rods in chest coordinates; a parent always stands before its children.

    start, end: (N, 3) float32, mm. radius: (N,) float32, mm. parent: (N,) int, -1 for none.
    level:      (N,) int, index into LEVELS. side: (N,) int, -1 right, 1 left, 0 the middle.
    segment:    (N,) int, 1 to 10; 0 above the segments (veins: 0).
    flow:       (N,) float32, share of what flows through the root.
    """

    start: FloatArray
    end: FloatArray
    radius: FloatArray
    parent: Int64Array
    level: Int64Array
    side: Int64Array
    segment: Int64Array
    flow: FloatArray

    def __len__(self) -> int:
        return len(self.radius)


@dataclass
class _Growth:
    """A tree while it grows in a chest.

    rods:   (start, end, parent, level, side, segment) of each; tissue: the pieces each one feeds.
    """

    rng: np.random.Generator
    chest: Chest
    rods: list[tuple[FloatArray, FloatArray, int, int, int, int]] = field(default_factory=list)
    tissue: list[int] = field(default_factory=list)

    def add(
        self, knots: Iterable[FloatArray], parent: int, level: int, side: int, segment: int = 0
    ) -> int:
        """Add rods through knots, (3,) each, one by one; returns the number of the last."""
        for start, end in pairwise(knots):
            self.rods.append((start, end, parent, level, side, segment))
            self.tissue.append(0)
            parent = len(self.rods) - 1
        return parent

    def feed(self, rod: int, pieces: int) -> None:
        """Count tissue at a rod and at all that lead to it."""
        while rod >= 0:
            self.tissue[rod] += pieces
            rod = self.rods[rod][2]


def draw_arteries(rng: np.random.Generator, chest: Chest, trunk_mm: float) -> Branches:
    """Draw the tree of one person; trunk_mm: the pulmonary trunk's diameter, chest mm."""
    growth, shift = _Growth(rng, chest), rng.normal(0, (1.5, 1.5, 3.5))

    def near(*point: float) -> FloatArray:
        """Move a point at random: (3,) mm."""
        return np.asarray(point) + shift + rng.normal(0, 1.4, 3)

    valve, fork = near(19, -46, -16), near(14, -14, 15)
    trunk = growth.add(np.stack([valve, near(21, -32, 2), fork]), -1, TRUNK, 0)
    right = growth.add(np.stack([fork, near(-6, 2, 13), near(-27, 6, 9)]), trunk, MAIN, -1)
    inter = np.stack([growth.rods[right][1], near(-39, 13, -1), near(-43, 19, -20)])
    upper = np.stack([growth.rods[right][1], near(-36, 4, 20), near(-44, 2, 29)])
    upper_right = growth.add(upper, right, LOBAR, -1)
    inter_right = growth.add(inter, right, INTERLOBAR, -1)
    middle = np.stack([growth.rods[inter_right][1], near(-50, 4, -27)])
    basal = np.stack([growth.rods[inter_right][1], near(-47, 26, -40)])
    roots = dict.fromkeys("123", upper_right) | {"6": inter_right}
    roots |= dict.fromkeys("45", growth.add(middle, inter_right, LOBAR, -1))
    roots |= dict.fromkeys(("7", "8", "9", "10"), growth.add(basal, inter_right, LOBAR, -1))
    _grow_segments(growth, RIGHT, roots, chest.pleurae[0])

    left = growth.add(np.stack([fork, near(25, 2, 26), near(36, 15, 26)]), trunk, MAIN, 1)
    crown = np.stack([growth.rods[left][1], near(45, 7, 34)])
    inter = np.stack([growth.rods[left][1], near(43, 28, 10), near(44, 28, -12)])
    upper_left = growth.add(crown, left, LOBAR, 1)
    inter_left = growth.add(inter, left, INTERLOBAR, 1)
    lingula = np.stack([growth.rods[inter_left][1], near(54, 8, -18)])
    basal = np.stack([growth.rods[inter_left][1], near(49, 31, -34)])
    roots = dict.fromkeys("123", upper_left) | {"6": inter_left}
    roots |= dict.fromkeys("45", growth.add(lingula, inter_left, LOBAR, 1))
    roots |= dict.fromkeys(("7", "8", "9", "10"), growth.add(basal, inter_left, LOBAR, 1))
    _grow_segments(growth, _left_segments(rng), roots, chest.pleurae[1])
    return _branches(growth, trunk_mm / 2)


def draw_veins(rng: np.random.Generator, chest: Chest, root_mm: float) -> Branches:
    """Draw four veins from the left atrium, with branches between those of the arteries.

    A tree for each vein, all flow counted in one; root_mm: the diameter of a vessel that would
    carry all of it, chest mm.
    """
    growth = _Growth(rng, chest)
    z = chest.heart.atrium[2]

    def near(*point: float) -> FloatArray:
        """Move a point at random: (3,) mm."""
        return np.asarray(point) + rng.normal(0, 1.5, 3)

    for part in chest.pleurae:
        side = part.side
        wide = 0 if side < 0 else 5
        door = near(side * 24 + 3, 12, min(z + 22, -14))
        upper = np.stack([door, near(side * (38 + wide), -4, 0), near(side * (45 + wide), -10, 12)])
        lower = np.stack([near(side * 24 + 3, 20, min(z + 12, -24)), near(side * 44, 30, -36)])
        roots = dict.fromkeys("12345", growth.add(upper, -1, LOBAR, side))
        roots |= dict.fromkeys(("6", "7", "8", "9", "10"), growth.add(lower, -1, LOBAR, side))
        table = RIGHT if side < 0 else LEFT
        moved = {name: (out, deep - 0.12, low + 0.03) for name, (out, deep, low) in table.items()}
        _grow_segments(growth, moved, roots, part)
    whole = _branches(growth, root_mm / 2)
    return Branches(**{**vars(whole), "segment": whole.segment * 0})


def _left_segments(rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """Draw the eight to ten left segments: 1 and 2 often share an artery, and so do 7 and 8."""
    found = dict(LEFT)
    for kept, gone, share in (("1", "2", 0.6), ("8", "7", 0.6)):
        if rng.random() < share:
            place_of = [(a + b) / 2 for a, b in zip(found[kept], found.pop(gone), strict=True)]
            found[kept] = (place_of[0], place_of[1], place_of[2])
    return found


def _grow_segments(
    growth: _Growth,
    segments: dict[str, tuple[float, float, float]],
    roots: dict[str, int],
    part: Hemithorax,
) -> None:
    """Deal a lung's tissue to its segments and let each one's artery grow into it."""
    rng, chest = growth.rng, growth.chest
    names = list(segments)
    own = np.array([segments[name] for name in names]) + rng.normal(0, 0.035, (len(names), 3))
    seeds = lung_to_chest(part, own)
    tissue = lung_points(rng, chest, part, POINTS[part.side > 0])
    away = np.linalg.norm(tissue[:, None] - seeds[None], axis=2)
    owner = away.argmin(axis=1)
    for i, name in enumerate(names):
        points = tissue[owner == i]
        if len(points) < MIN_POINTS:  # a person's own shape may leave a segment next to nothing
            points = tissue[np.argsort(away[:, i])[:MIN_POINTS]]
        root = roots[name]
        start, end = growth.rods[root][0], growth.rods[root][1]
        _grow(growth, root, end - start, points, (SEGMENTAL, part.side, int(name)))


def _grow(
    growth: _Growth,
    parent: int,
    ahead: FloatArray,
    points: FloatArray,
    kind: tuple[int, int, int],
) -> None:
    """Grow one branch towards the middle of points (P, 3), then one into each half of them.

    ahead: (3,) the course of the parent; kind: level, side and segment of the branch.
    """
    rng, chest = growth.rng, growth.chest
    _, side, segment = kind
    start, middle = growth.rods[parent][1], points.sum(axis=0) / len(points)
    vector = middle - start
    length = _norm(vector) * GROWTH * rng.uniform(0.85, 1.15)
    straight = vector / max(_norm(vector), 1e-6)
    course = _limit_angle(straight, ahead)
    if course is not straight:  # no longer towards its tissue: it may leave the chest
        length *= _length_in_chest(chest, side, start, course * length)
    end = start + course * length
    aside = _cross(course, rng.standard_normal(3)) * length * BOW
    rod = growth.add((start, (start + end) / 2 + aside, end), parent, *kind)
    if len(points) < 2 * MIN_POINTS:
        growth.feed(rod, len(points))
        return
    off = points - middle
    off = off - (off @ course)[:, None] * course
    across = np.linalg.svd(off, full_matrices=False)[2][0]
    rank = np.argsort(off @ across)
    cut = round(len(points) * rng.uniform(0.32, 0.68))
    cut = min(max(cut, MIN_POINTS), len(points) - MIN_POINTS)
    for half in (rank[:cut], rank[cut:]):
        _grow(growth, rod, course, points[half], (SUBSEGMENTAL, side, segment))


def _norm(vector: FloatArray) -> float:
    """Compute the length of a vector (3,); NumPy's own takes five times as long."""
    return math.sqrt(float(vector @ vector))


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Compute the cross product of two vectors (3,); NumPy's own takes ten times as long."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def _limit_angle(vector: FloatArray, ahead: FloatArray) -> FloatArray:
    """Turn a unit vector (3,) towards ahead (3,) where the angle is too wide."""
    a = ahead / _norm(ahead)
    cosine = float(a @ vector)
    if cosine >= MAX_ANGLE_COSINE:
        return vector
    side = vector - cosine * a
    side /= max(_norm(side), 1e-6)
    turned: FloatArray = MAX_ANGLE_COSINE * a + MAX_ANGLE_SINE * side
    return turned


def _length_in_chest(chest: Chest, side: int, start: FloatArray, vector: FloatArray) -> float:
    """Give the share of its length at which a branch of a side ends in the chest."""
    x, y, z = (start + vector)[:, None]
    if inside_pleura(chest.pleurae[(side + 1) // 2], x, y, z)[0] < -1:  # most do, whole
        return LENGTH_SHARES[0]
    candidates = start + vector * np.array(LENGTH_SHARES)[:, None]
    inside = np.flatnonzero(chest_depth(chest, candidates) > 1)
    return LENGTH_SHARES[int(inside[0]) if len(inside) else -1]


def _branches(growth: _Growth, root_mm: float) -> Branches:
    """Compute radii from flow, the root's being root_mm; rods too thin to show are left out."""
    total = sum(growth.tissue[i] for i, rod in enumerate(growth.rods) if rod[2] < 0)
    flow = np.array(growth.tissue) / total
    parent = np.array([rod[2] for rod in growth.rods])
    level = np.array([rod[3] for rod in growth.rods])
    radius = np.zeros(len(flow))
    for i, p in enumerate(parent):
        law = SMALL if level[i] == SUBSEGMENTAL else LARGE
        above, share = (root_mm, flow[i]) if p < 0 else (radius[p], flow[i] / flow[p])
        radius[i] = above * share ** (1 / law)
    kept = radius >= MIN_RADIUS_MM  # radii fall along every path, so no branch loses its parent
    number = np.cumsum(kept) - 1
    return Branches(
        start=np.array([rod[0] for rod in growth.rods], np.float32)[kept],
        end=np.array([rod[1] for rod in growth.rods], np.float32)[kept],
        radius=radius[kept].astype(np.float32),
        parent=np.where(parent < 0, -1, number[parent])[kept],
        level=level[kept],
        side=np.array([rod[4] for rod in growth.rods])[kept],
        segment=np.array([rod[5] for rod in growth.rods])[kept],
        flow=flow[kept].astype(np.float32),
    )
