"""tests/phantoms/angiogram/test_mimics.py: what looks like a clot lies where such things lie."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.angiogram.arteries import LOBAR, SEGMENTAL, draw_arteries
from wetread.phantoms.angiogram.exam import draw_exam
from wetread.phantoms.angiogram.mimics import draw_angiogram_mimics, rays
from wetread.phantoms.chest.chest import draw_chest


def test_nodes_lie_outside_the_lumen_of_hilar_arteries_and_mucus_beside_whole_subtrees():
    rng = np.random.default_rng(3)
    chest = draw_chest(rng, True, 60)
    tree = draw_arteries(rng, chest, 27.0)
    exam = draw_exam(rng, 0.0)
    found = [draw_angiogram_mimics(rng, tree, exam, 600.0, 1.0) for _ in range(60)]
    nodes = [node for mimics in found for node in mimics.nodes]
    assert 60 < len(nodes) < 240
    hilar = np.flatnonzero((tree.level >= 1) & (tree.level <= LOBAR))
    for center, size, _ in nodes:
        way = tree.end[hilar] - tree.start[hilar]
        share = ((center - tree.start[hilar]) * way).sum(1) / (way * way).sum(1)
        nearest = tree.start[hilar] + np.clip(share, 0, 1)[:, None] * way
        gap = np.linalg.norm(center - nearest, axis=1) - tree.radius[hilar] - size
        assert gap.min() < 0.1  # touches an artery
    filled = [mimics.mucus for mimics in found if mimics.mucus.any()]
    assert 8 < len(filled) < 40
    for mucus in filled:
        below = (tree.parent >= 0) & mucus[tree.parent]
        assert mucus[below].all()
        assert (tree.level[mucus] >= SEGMENTAL).all()


def test_rays_start_at_a_dense_vessel_and_fade():
    x = np.arange(-100, 100, 2, dtype=np.float32)
    streaks = rays(np.random.default_rng(4), x, x, (-26.0, -20.0), 100.0)
    away = np.hypot(x[None, :] + 26, x[:, None] + 20)
    assert np.abs(streaks[away < 5]).max() == 0
    near, far = streaks[(away > 8) & (away < 20)], streaks[away > 70]
    assert near.std() > 10 * far.std()
    assert near.max() > 20
    assert near.min() < -20


def test_difficulty_scales_the_number_of_look_alikes():
    rng = np.random.default_rng(6)
    tree = draw_arteries(rng, draw_chest(rng, True, 60), 27.0)
    exam = draw_exam(rng, 0.0)
    counts = {
        difficulty: np.mean(
            [
                len(draw_angiogram_mimics(rng, tree, exam, 300.0, difficulty).nodes)
                for _ in range(200)
            ]
        )
        for difficulty in (0.5, 1.0, 2.0)
    }
    assert counts[0.5] == pytest.approx(1.1, abs=0.35)
    assert counts[1.0] == pytest.approx(2.2, abs=0.45)
    assert counts[2.0] == pytest.approx(4.4, abs=0.65)
