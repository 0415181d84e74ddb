"""phantoms/angiogram/contrast.py: how bright the blood is at the time of a scan, how well mixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray
from wetread.phantoms.angiogram.exam import Exam
from wetread.phantoms.shapes.implicit import Waves, draw_waves, evaluate_waves

ADEQUATE_HU = 250.0  # the least that a pulmonary artery should have
BLOOD_HU = 42.0


@dataclass(frozen=True, eq=False)
class Contrast:
    """HU of the blood in each place, and of the heart's muscle.

    arm:    the side it was injected on, -1 right, 1 left.
    mixing: share of the brightness that badly mixed blood loses; pattern: where it is so.
    """

    cava: float
    lower_cava: float
    right_atrium: float
    right_ventricle: float
    arteries: float
    veins: float
    left_atrium: float
    left_ventricle: float
    aorta: float
    muscle: float
    arm: int
    mixing: float
    pattern: Waves


def draw_contrast(rng: np.random.Generator, exam: Exam) -> Contrast:
    """Draw a contrast timed for the lungs' arteries; poor where the exam is indeterminate for it.

    late: how far the bolus has gone on: veins and aorta fill, the cava empties.
    """
    late = float(rng.beta(1.6, 2.0))
    if exam.contrast:
        arteries = float(rng.uniform(75, 165))
    else:
        arteries = min(ADEQUATE_HU + float(rng.gamma(2.2, 56)), 700.0)
    above = arteries - BLOOD_HU

    def share(low: float, high: float) -> float:
        return BLOOD_HU + above * float(rng.uniform(low, high))

    left = (0.25 + 0.75 * late, 0.6 + 0.55 * late)
    veins = share(*left)
    aorta = share(0.75 * left[0], 0.95 * left[1])
    flush = 1 + (1 - late) * float(rng.uniform(0.0, 2.6))
    cava = BLOOD_HU + above * flush
    if exam.contrast and rng.random() < 0.5:  # too early: the contrast is still on its way
        cava = float(rng.uniform(300, 900))
    refluxes = bool(rng.random() < (0.6 if exam.strained else 0.2))
    return Contrast(
        cava=min(cava, 1600.0),
        lower_cava=BLOOD_HU + above * float(rng.uniform(0.2, 0.7)) * refluxes,
        right_atrium=0.5 * (min(cava, 700.0) + arteries),
        right_ventricle=share(0.9, 1.15),
        arteries=arteries,
        veins=veins,
        left_atrium=veins,
        left_ventricle=0.5 * (veins + aorta),
        aorta=aorta,
        muscle=float(rng.uniform(65, 120)),
        arm=1 if rng.random() < 0.4 else -1,
        mixing=_draw_mixing(rng, exam),
        pattern=draw_waves(rng, 7, 42),
    )


def _draw_mixing(rng: np.random.Generator, exam: Exam) -> float:
    if exam.flow:
        return float(rng.uniform(0.4, 0.7))
    return float(rng.uniform(0.05, 0.3)) if rng.random() < 0.3 else 0.0


def blood(
    contrast: Contrast, hu: float, x: FloatArray, y: FloatArray, z: FloatArray
) -> float | FloatArray:
    """Compute HU of an artery's blood at points of any shape, mm; darker where badly mixed."""
    if not contrast.mixing:
        return hu
    wide = np.broadcast_arrays(x, y, z)
    field = evaluate_waves(contrast.pattern, *(np.ascontiguousarray(axis) for axis in wide))
    dark = 1 / (1 + np.exp(-4 * (field - 0.9)))
    mixed: FloatArray = hu - (hu - BLOOD_HU) * contrast.mixing * dark
    return mixed
