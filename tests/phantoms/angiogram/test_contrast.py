"""tests/phantoms/angiogram/test_contrast.py: the blood is as bright as an exam's timing makes
it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wetread.phantoms.angiogram.contrast import ADEQUATE_HU, BLOOD_HU, blood, draw_contrast
from wetread.phantoms.angiogram.exam import draw_exam


def test_contrast_is_adequate_unless_the_exam_says_otherwise():
    rng = np.random.default_rng(0)
    usual = [draw_contrast(rng, draw_exam(rng, 1.0)) for _ in range(300)]
    assert min(c.arteries for c in usual) >= ADEQUATE_HU
    assert 330 < np.median([c.arteries for c in usual]) < 400
    assert np.mean([c.aorta < c.arteries for c in usual]) > 0.8
    assert np.mean([c.cava > c.arteries for c in usual]) > 0.95
    poor = replace(draw_exam(rng, 0.0), contrast=True)
    assert max(draw_contrast(rng, poor).arteries for _ in range(100)) < ADEQUATE_HU


def test_contrast_is_drawn_alike_with_and_without_clots():
    """Same generator, one exam with clots and one without: every number is the same."""
    exam = replace(draw_exam(np.random.default_rng(1), 0.0), strained=False)
    clotted = replace(exam, positive=True, left=True)
    one, two = (draw_contrast(np.random.default_rng(5), e) for e in (exam, clotted))
    numbers = [[v for v in vars(c).values() if isinstance(v, float | int)] for c in (one, two)]
    assert len(numbers[0]) == len(vars(one)) - 1  # all but the pattern
    assert numbers[0] == numbers[1]


def test_bad_mixing_only_darkens_and_never_below_plain_blood():
    rng = np.random.default_rng(2)
    exam = replace(draw_exam(rng, 0.0), flow=True)
    contrast = draw_contrast(rng, exam)
    x, y, z = np.meshgrid(*(np.arange(-60, 61, 6, dtype=np.float32),) * 3, indexing="ij")
    mixed = np.asarray(blood(contrast, contrast.arteries, x, y, z))
    assert mixed.max() <= contrast.arteries
    assert mixed.min() >= BLOOD_HU
    assert mixed.min() < BLOOD_HU + 0.75 * (contrast.arteries - BLOOD_HU)
    assert blood(replace(contrast, mixing=0.0), 300.0, x, y, z) == 300.0
