"""phantoms/angiogram/mimics.py: findings that look like an embolus and are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wetread.archive.types import BoolArray, FloatArray
from wetread.phantoms.angiogram.arteries import INTERLOBAR, LOBAR, MAIN, SEGMENTAL, Branches
from wetread.phantoms.angiogram.exam import Exam
from wetread.phantoms.types import Point


class Ball(NamedTuple):
    """A ball of one density; center and radius in chest mm."""

    center: Point
    radius_mm: float
    hu: float


@dataclass(frozen=True, eq=False)
class AngiogramMimics:
    """Look-alikes of one exam.

    nodes:    next to the hilar arteries.
    mass:     in the lumen of a large artery, no embolus; empty for most.
    mucus:    (N,) bool by artery: its bronchus is filled. mucus_hu: with what.
    streak_hu: strength of the rays about a dense cava. beat_mm: how far the heart's beat moves it.
    """

    nodes: tuple[Ball, ...]
    mass: tuple[Ball, ...]
    mucus: BoolArray
    mucus_hu: float
    streak_hu: float
    beat_mm: float


def draw_angiogram_mimics(
    rng: np.random.Generator, tree: Branches, exam: Exam, cava_hu: float, difficulty: float
) -> AngiogramMimics:
    """Draw look-alikes, alike with and without clots; the mass only where the exam has one."""
    nodes = tuple(_draw_node(rng, tree) for _ in range(int(rng.poisson(2.2 * difficulty))))
    mucus = np.zeros(len(tree), bool)
    if rng.random() < 0.35 * difficulty:
        for _ in range(1 + int(rng.poisson(1.0))):
            start = int(rng.choice(np.flatnonzero(tree.level == SEGMENTAL)))
            mucus |= _below(tree, start)
    return AngiogramMimics(
        nodes=nodes,
        mass=_draw_mass(rng, tree) if exam.other else (),
        mucus=mucus,
        mucus_hu=float(rng.uniform(5, 45)),
        streak_hu=float(rng.uniform(0.08, 0.35)) * max(cava_hu - 350, 0.0) * difficulty,
        beat_mm=float(rng.gamma(2.0, 0.5)) * difficulty,
    )


def _draw_node(rng: np.random.Generator, tree: Branches) -> Ball:
    """Draw a node against the wall of a hilar artery, where it looks like a clot."""
    near = np.flatnonzero((tree.level >= MAIN) & (tree.level <= LOBAR))
    branch = int(rng.choice(near))
    axis = tree.end[branch] - tree.start[branch]
    out = np.cross(axis, rng.standard_normal(3))
    out /= np.linalg.norm(out)
    size = float(rng.uniform(2.5, 6.0))
    at = tree.start[branch] + axis * rng.random()
    center = at + out * (float(tree.radius[branch]) + 0.9 * size)
    return _ball(center, size, float(rng.uniform(35, 85)))


def _draw_mass(rng: np.random.Generator, tree: Branches) -> tuple[Ball, ...]:
    """Draw a lobed tumor that fills and swells a large artery."""
    near = np.flatnonzero((tree.level == MAIN) | (tree.level == INTERLOBAR))
    branch = int(rng.choice(near))
    radius = float(tree.radius[branch])
    hu, found = float(rng.uniform(50, 95)), []
    for _ in range(int(rng.integers(3, 7))):
        at = tree.start[branch] + (tree.end[branch] - tree.start[branch]) * rng.random()
        found.append(
            _ball(at + rng.normal(0, 0.35 * radius, 3), radius * rng.uniform(0.4, 0.8), hu)
        )
    return tuple(found)


def _ball(center: FloatArray, radius: float, hu: float) -> Ball:
    return Ball((float(center[0]), float(center[1]), float(center[2])), float(radius), hu)


def _below(tree: Branches, start: int) -> BoolArray:
    """Mark a branch and all its descendants, (N,) bool."""
    found = np.zeros(len(tree), bool)
    found[start] = True
    for branch in range(start + 1, len(tree)):  # parents stand first
        parent = tree.parent[branch]
        found[branch] = parent >= 0 and found[parent]
    return found


def rays(
    rng: np.random.Generator, x: FloatArray, y: FloatArray, center: tuple[float, float], hu: float
) -> FloatArray:
    """Draw bright and dark rays from a dense vessel, (H, W) HU; x (W,), y (H,), mm."""
    dx, dy = x[None, :] - np.float32(center[0]), y[:, None] - np.float32(center[1])
    angle, away = np.arctan2(dy, dx), np.sqrt(dx * dx + dy * dy)
    total = np.zeros_like(away)
    for _ in range(14):
        turn = angle - np.float32(rng.uniform(-np.pi, np.pi))
        np.abs(turn, out=turn)
        np.minimum(turn, 2 * np.pi - turn, out=turn)
        turn *= np.float32(1 / rng.uniform(0.04, 0.16))
        turn *= turn
        ray = np.exp(np.negative(turn, out=turn), out=turn)
        ray *= np.float32(rng.normal(-0.1, 0.8))
        total += ray
    fall = np.exp(-np.maximum(away - 8, 0) * np.float32(1 / 18)) * np.clip(away - 5, 0, 1)
    streaks: FloatArray = np.float32(hu) * total * fall
    return streaks
