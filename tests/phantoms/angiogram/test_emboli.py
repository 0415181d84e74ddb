"""tests/phantoms/angiogram/test_emboli.py: clots have the places, forms and densities that are
known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.angiogram.arteries import MAIN, TRUNK, Branches, draw_arteries
from wetread.phantoms.angiogram.emboli import (
    ALL,
    FULL,
    MURAL,
    RIM,
    WEB,
    Clot,
    clot_solid,
    draw_clots,
    lumen_radii,
    walk,
)
from wetread.phantoms.angiogram.exam import ACUTE, CHRONIC, POSITIVE_COUNTS, Exam, draw_exam
from wetread.phantoms.chest.chest import draw_chest
from wetread.phantoms.shapes.slab import RodFrame

COURSE = np.array([0.0, 0.0, 1.0], np.float32)


@pytest.fixture(scope="module")
def tree() -> Branches:
    rng = np.random.default_rng(2)
    return draw_arteries(rng, draw_chest(rng, False, 60), 27.0)


@pytest.fixture(scope="module")
def drawn(tree) -> list[tuple[Exam, tuple[Clot, ...]]]:
    rng = np.random.default_rng(3)
    exams = [draw_exam(rng, 1.0) for _ in range(400)]
    return [(exam, draw_clots(rng, tree, exam)) for exam in exams]


def cross_section(clot: Clot, radius: float) -> np.ndarray:
    """(201, 201) bool: the clot halfway along a rod of 100 mm that runs along z."""
    x, y = np.meshgrid(*(np.linspace(-1.2 * radius, 1.2 * radius, 201),) * 2)
    frame = RodFrame(np.full_like(x, 0.5), np.hypot(x, y), (x, y, 0 * x), COURSE)
    return clot_solid(clot, frame, radius_mm=radius, length_mm=100.0, low=0.0, high=1.0) < 0


def make(form: str, width: float, offset: float = 0.0) -> Clot:
    return Clot(form, ACUTE, 33.0, width, offset, (1.0, 0.0, 0.0), 1.0, 0.0, ((0, 0.0, 1.0),))


def test_clots_lie_where_the_exam_has_them_and_nowhere_else(drawn, tree):
    for exam, clots in drawn:
        branches = np.array([branch for clot in clots for branch, _, _ in clot.pieces])
        assert exam.left == (tree.side[branches] == 1).any()
        assert exam.right == (tree.side[branches] == -1).any()
        assert exam.central == (tree.level[branches] <= MAIN).any()
    assert len(POSITIVE_COUNTS) == 14


def test_a_negative_exam_has_no_clot(tree):
    rng = np.random.default_rng(0)
    assert all(draw_clots(rng, tree, draw_exam(rng, 0.0)) == () for _ in range(30))


def test_ages_densities_and_forms_are_the_known_ones(drawn):
    """Acute 33 +- 15 HU, chronic 87 +- 31 (Wittram 2005), within the ranges found."""
    every = [clot for _, clots in drawn for clot in clots]
    acute = np.array([clot.hu for clot in every if clot.age == ACUTE])
    chronic = np.array([clot.hu for clot in every if clot.age == CHRONIC])
    assert acute.mean() == pytest.approx(33, abs=2)
    assert acute.std() == pytest.approx(15, abs=2)
    assert chronic.mean() == pytest.approx(87, abs=8)
    assert (acute.min(), acute.max()) >= (6, 0)
    assert chronic.min() >= 32
    assert chronic.max() <= 155
    assert {clot.form for clot in every if clot.age == ACUTE} == {FULL, RIM}
    assert {clot.form for clot in every if clot.age == CHRONIC} == {FULL, MURAL, WEB}
    assert all(clot.caliber >= 1 for clot in every if clot.age == ACUTE)
    assert all(clot.caliber <= 1 for clot in every if clot.age == CHRONIC)
    assert all(clot.calcium == 0 for clot in every if clot.age == ACUTE)


def test_exams_of_both_ages_have_both(drawn):
    for exam, clots in drawn:
        ages = {clot.age for clot in clots}
        assert ages <= {ACUTE, CHRONIC}
        assert (len(ages) == 2) == (exam.age not in (ACUTE, CHRONIC)) or len(clots) == 1


def test_a_walk_goes_down_the_tree_as_far_as_it_is_told(tree):
    rng = np.random.default_rng(1)
    first = int(np.flatnonzero(tree.level == MAIN)[0])
    for reach in (3.0, 25.0, 80.0):
        pieces = walk(rng, tree, first, 0.3, reach)
        branches = [branch for branch, _, _ in pieces]
        assert branches[0] == first
        assert all(int(tree.parent[branch]) in branches for branch in branches[1:])
        ends = [branch for branch, _, high in pieces if high < ALL]
        for last in ends:  # along each way to an end, the lengths add up
            length, at = 0.0, last
            while True:
                _, low, high = pieces[branches.index(at)]
                whole = float(np.linalg.norm(tree.end[at] - tree.start[at]))
                length += whole * (min(high, 1.0) - max(low, 0.0))
                if at == first:
                    break
                at = int(tree.parent[at])
            assert length == pytest.approx(reach, rel=1e-3)
        assert ends


def test_forms_fill_as_much_of_the_lumen_as_they_say():
    """Areas over the lumen's disc: closed forms for the disc, the core, the half and the band."""
    radius = 5.0
    disc = cross_section(make(FULL, 1.0), radius).sum()
    core = cross_section(make(RIM, 0.6), radius).sum()
    half = cross_section(make(MURAL, 0.0), radius).sum()
    band = cross_section(make(WEB, 0.2), radius).sum()
    assert core / disc == pytest.approx(0.36, abs=0.12)  # its surface is uneven
    assert half / disc == pytest.approx(0.5, abs=0.12)
    assert band / disc == pytest.approx(0.2 * 2 / np.pi, abs=0.05)
    moved = np.nonzero(cross_section(make(RIM, 0.5, 0.4), radius))[1]
    assert moved.mean() > 100 + 20  # towards +x, 0.4 of 83 pixels


def test_clots_change_the_calibre_of_their_branches_alone(tree):
    clot = replace(make(FULL, 1.0), caliber=0.7, pieces=((4, 0.0, 1.0), (9, 0.0, 0.5)))
    ratio = lumen_radii(tree, (clot,)) / tree.radius
    assert np.allclose(ratio[[4, 9]], 0.7)
    assert np.allclose(np.delete(ratio, [4, 9]), 1)


def test_a_clot_in_the_trunk_alone_stays_there(tree):
    rng = np.random.default_rng(8)
    exam = replace(draw_exam(rng, 1.0), left=False, right=False, central=True)
    for _ in range(10):
        for clot in draw_clots(rng, tree, exam):
            assert all(tree.level[branch] == TRUNK for branch, _, _ in clot.pieces)
