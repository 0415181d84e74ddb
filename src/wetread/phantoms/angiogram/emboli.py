"""phantoms/angiogram/emboli.py: clots in the tree of the pulmonary arteries, fresh and old.

A clot is a form that fills part of the lumen along a walk down the tree. Fresh ones fill and widen
it or lie in it with a rim of contrast (`polo mint`, `railway track`); old ones lie against a wall
at an obtuse angle or cross the lumen as webs, narrow it, and may hold calcium.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, FloatArray
from wetread.phantoms.angiogram.arteries import (
    INTERLOBAR,
    LOBAR,
    MAIN,
    SEGMENTAL,
    SUBSEGMENTAL,
    TRUNK,
    Branches,
)
from wetread.phantoms.angiogram.exam import ACUTE, BOTH, CHRONIC, Exam
from wetread.phantoms.shapes.slab import RodFrame

FULL, RIM, MURAL, WEB = "full", "rim", "mural", "web"
ACUTE_HU, CHRONIC_HU = (33.0, 15.0, 6.0, 65.0), (87.0, 31.0, 32.0, 155.0)  # mean, SD, least, most
ALL = 9.0  # share of a branch beyond its end: the clot goes on there
LARGE_MM = 5.5  # radius above which a clot seldom fills the lumen
LUMP = 0.07  # how uneven a clot's surface is, of the lumen's radius
MIN_RADIUS_MM = 1.25  # radius of the smallest branch that gets a clot

# Levels where the clots of a side begin, and by how much there is in the exam: how many more than
# one a side, how far they reach down the tree, mm, and the shares of the levels. With them a slice
# shows clot as often as in the real exams.
SITES = (INTERLOBAR, LOBAR, SEGMENTAL, SUBSEGMENTAL)
FEW = (0.35, (3.0, 20.0), (0.05, 0.15, 0.45, 0.35))  # on one side
MANY = (0.9, (6.0, 34.0), (0.22, 0.24, 0.36, 0.18))  # on both
CENTRAL = (1.3, (8.0, 40.0), (0.30, 0.28, 0.30, 0.12))  # and in a main artery


@dataclass(frozen=True)
class Clot:
    """One clot.

    form:    FULL, RIM, MURAL or WEB; age: ACUTE or CHRONIC; hu: of it.
    width:   RIM: its radius over the lumen's; MURAL: how far from the axis it begins, as a share;
             WEB: its thickness over the lumen's radius. FULL: 1.
    offset:  RIM: how far it lies from the axis, as a share of the radius.
    toward:  the direction to the wall that it leans on, a unit vector.
    calibre: what it makes of the lumen's radius, a factor.
    calcium: HU of the specks in it, 0 for none.
    pieces:  (branch, from, to): stretches in shares of the branch's length; beyond +-ALL: its
             rounded end too, where the clot goes on.
    """

    form: str
    age: str
    hu: float
    width: float
    offset: float
    toward: tuple[float, float, float]
    caliber: float
    calcium: float
    pieces: tuple[tuple[int, float, float], ...]


def draw_clots(rng: np.random.Generator, tree: Branches, exam: Exam) -> tuple[Clot, ...]:
    """Draw the clots of an exam; none for an exam without embolus."""
    walks = list(_draw_walks(rng, tree, exam))
    ages = [_draw_age(rng, exam.age) for _ in walks]
    if exam.age == BOTH and len(walks) > 1:
        ages[:2] = (ACUTE, CHRONIC) if rng.random() < 0.5 else (CHRONIC, ACUTE)
    return tuple(_draw_clot(rng, tree, *pair) for pair in zip(walks, ages, strict=True))


def _draw_age(rng: np.random.Generator, age: str) -> str:
    if age != BOTH:
        return age
    return ACUTE if rng.random() < 0.5 else CHRONIC


Pieces = tuple[tuple[int, float, float], ...]


def _draw_walks(rng: np.random.Generator, tree: Branches, exam: Exam) -> Iterator[Pieces]:
    """Draw where the clots lie: the central ones, then each side's."""
    if not exam.positive:
        return
    sides = [side for side, clotted in ((-1, exam.right), (1, exam.left)) if clotted]
    if exam.central:
        yield from _draw_central(rng, tree, sides)
    extra, reach, shares = FEW
    if len(sides) == 2:
        extra, reach, shares = CENTRAL if exam.central else MANY
    burden = float(np.exp(rng.normal(-0.15, 0.65)))
    least = 2 if exam.age == BOTH and len(sides) == 1 else 1
    for side in sides:
        for _ in range(max(least, 1 + int(rng.poisson(extra * burden)))):
            start = _draw_site(rng, tree, side, shares)
            share = float(rng.uniform(0, 0.6))
            yield walk(rng, tree, start, share, burden * float(rng.uniform(*reach)))


def _draw_central(rng: np.random.Generator, tree: Branches, sides: list[int]) -> Iterator[Pieces]:
    """Draw a clot across the fork, in one or both main arteries, or in the trunk alone."""
    trunk = np.flatnonzero(tree.level == TRUNK)
    last = int(trunk[-1])
    if not sides:
        low = float(rng.uniform(0.1, 0.5))
        yield ((last, low, float(rng.uniform(low + 0.3, 1.0))),)
        return
    doors = {side: _first(tree, MAIN, side) for side in sides}
    if len(sides) == 2 and rng.random() < 0.35:
        pieces: Pieces = ((last, 1 - float(rng.uniform(0.1, 0.35)), ALL),)
        for side in sides:
            pieces += walk(rng, tree, doors[side], -ALL, float(rng.uniform(8, 36)))
        yield pieces
        return
    chosen = sides if len(sides) == 1 or rng.random() < 0.5 else [int(rng.choice(sides))]
    for side in chosen:
        share = float(rng.uniform(0.1, 0.9))
        yield walk(rng, tree, doors[side], share, float(rng.uniform(8, 40)))


def _first(tree: Branches, level: int, side: int) -> int:
    return int(np.flatnonzero((tree.level == level) & (tree.side == side))[0])


def _draw_site(
    rng: np.random.Generator, tree: Branches, side: int, shares: tuple[float, ...]
) -> int:
    """Draw the branch of a side in which a clot begins."""
    level = SITES[int(rng.choice(len(SITES), p=shares))]
    near = (tree.level == level) & (tree.side == side) & (tree.radius > MIN_RADIUS_MM)
    if not near.any():
        near = (tree.level == SEGMENTAL) & (tree.side == side)
    return int(rng.choice(np.flatnonzero(near)))


def walk(
    rng: np.random.Generator, tree: Branches, start: int, share: float, reach_mm: float
) -> Pieces:
    """Walk from a share of a branch down the tree; at a fork into one or more children.

    Returns (branch, from, to) of each stretch, in shares of the branch's length.
    """
    found: list[tuple[int, float, float]] = []
    pending = [(start, share, reach_mm)]
    while pending:
        branch, low, reach = pending.pop()
        length = float(np.linalg.norm(tree.end[branch] - tree.start[branch]))
        remaining = length * (1 - max(low, 0.0))
        if reach <= remaining:
            found.append((branch, low, max(low, 0.0) + reach / length))
            continue
        found.append((branch, low, ALL))
        children = np.flatnonzero((tree.parent == branch) & (tree.radius > MIN_RADIUS_MM))
        if not len(children):
            continue
        certain = int(rng.integers(len(children)))
        for number, child in enumerate(children):
            if number == certain or rng.random() < 0.6:
                pending.append((int(child), -ALL, reach - remaining))
    return tuple(found)


def _draw_clot(rng: np.random.Generator, tree: Branches, pieces: Pieces, age: str) -> Clot:
    """Draw a clot of a form that suits the largest branch it lies in."""
    radius = max(float(tree.radius[branch]) for branch, _, _ in pieces)
    toward = rng.standard_normal(3)
    toward /= np.linalg.norm(toward)
    mean, deviation, least, most = ACUTE_HU if age == ACUTE else CHRONIC_HU
    caliber, calcium = 1.0, 0.0
    if age == ACUTE:
        filled = 0.15 if radius > LARGE_MM else 0.55
        form = FULL if rng.random() < filled else RIM
        width = float(rng.uniform(0.42, 0.85)) if form == RIM else 1.0
        if form == FULL:
            caliber = float(rng.uniform(1.0, 1.18))
    else:
        form = str(rng.choice((MURAL, WEB, FULL), p=(0.55, 0.2, 0.25)))
        width = {MURAL: rng.uniform(-0.25, 0.4), WEB: rng.uniform(0.12, 0.3), FULL: 1.0}[form]
        width = float(width)
        caliber = float(rng.uniform(0.62, 1.0))
        calcium = float(rng.uniform(150, 500)) if rng.random() < 0.15 else 0.0
    return Clot(
        form=form,
        age=age,
        hu=float(np.clip(rng.normal(mean, deviation), least, most)),
        width=width,
        offset=float(rng.uniform(0, 0.9)) * (1 - width) if form == RIM else 0.0,
        toward=(float(toward[0]), float(toward[1]), float(toward[2])),
        caliber=caliber,
        calcium=calcium,
        pieces=pieces,
    )


def lumen_radii(tree: Branches, clots: tuple[Clot, ...]) -> FloatArray:
    """Compute the radii of the lumen with the clots in it, (N,) float32 mm."""
    radius = tree.radius.copy()
    for clot in clots:
        for branch, _, _ in clot.pieces:
            radius[branch] = tree.radius[branch] * np.float32(clot.caliber)
    return radius


def clot_solid(
    clot: Clot, frame: RodFrame, *, radius_mm: float, length_mm: float, low: float, high: float
) -> FloatArray:
    """Evaluate a clot in one branch as an implicit function, (p, h, w) as the frame, mm.

    radius_mm: of the lumen; length_mm: of the branch; low, high: shares of it where the clot
    begins and ends. Its ends are round; a chronic one on the wall thins out to them.
    """
    radius, length = radius_mm, length_mm
    x, y, z = frame.out
    a, b, c = _across(clot.toward, frame.course)
    height = x * a + y * b + z * c
    share = frame.share
    inward = np.minimum(share - low, high - share) * np.float32(length)  # from the nearer end
    lumps = np.sin(share * (length / radius * 1.9) + 40 * a) + np.sin(
        height * (2.6 / radius) + 9 * b
    )
    lumps = lumps * np.float32(LUMP * radius)
    if clot.form in (FULL, RIM):
        core = clot.width * radius
        away = clot.offset * radius  # |out - away * across| by the rule of cosines
        square = frame.mm * frame.mm - 2 * away * height + away * away
        short = np.clip(core - inward, 0, core)
        reach = np.sqrt(np.maximum(core * core - short * short, 0))
        solid = np.sqrt(np.maximum(square, 0)) - reach
        if clot.form == RIM:
            solid = solid + lumps
    elif clot.form == MURAL:
        thin = np.clip(1 - inward * (0.5 / radius), 0, 1)
        solid = (clot.width + (1 - clot.width) * thin * thin) * radius - height + lumps
    else:
        solid = np.abs(height - 0.1 * radius) - 0.5 * clot.width * radius + 0.5 * lumps
    clipped: FloatArray = np.maximum(np.maximum(solid, frame.mm - radius), -inward)
    return clipped


def _across(toward: tuple[float, float, float], course: FloatArray) -> tuple[float, float, float]:
    """Compute the unit vector at right angles to course (3,) that is closest to toward."""
    direction = np.asarray(toward)
    across = direction - float(direction @ course) * course
    length = float(np.linalg.norm(across))
    if length < 1e-3:  # along the branch: any will do
        across = np.cross(course, np.roll(direction, 1))
        length = max(float(np.linalg.norm(across)), 1e-6)
    return float(across[0] / length), float(across[1] / length), float(across[2] / length)


def calcium_specks(frame: RodFrame, length_mm: float) -> BoolArray:
    """Mark calcium of a chronic clot, (p, h, w) as the frame: spots along it, a few mm apart."""
    x, y, z = frame.out
    wave = np.sin(frame.share * (length_mm * 1.1)) + np.sin(2.1 * x + 1.3 * y + 0.7 * z)
    spots: BoolArray = wave > 1.45
    return spots
