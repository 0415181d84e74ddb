"""tests/phantoms/angiogram/test_arteries.py: the lungs' vessels obey their laws and stay in the
chest."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.angiogram.arteries import (
    INTERLOBAR,
    LARGE,
    LOBAR,
    MAIN,
    MAX_ANGLE_DEGREES,
    SEGMENTAL,
    SMALL,
    SUBSEGMENTAL,
    TRUNK,
    Branches,
    draw_arteries,
    draw_veins,
)
from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.chest.lesions import Lesions
from wetread.phantoms.chest.organs import draw_organs
from wetread.phantoms.chest.parts import ChestBody, ChestPart, plane_at
from wetread.phantoms.chest.plane import PlanePoints
from wetread.phantoms.shapes.implicit import draw_waves

PEOPLE = range(5)
HOLDS_VESSELS = {
    ChestPart.LUNG,
    ChestPart.MEDIASTINUM,
    ChestPart.HEART,
    ChestPart.VESSEL,
    ChestPart.AIRWAY,
}
HOLDS_VESSELS |= {ChestPart.AIRWAY_WALL, ChestPart.GULLET}


def person(number: int) -> tuple[np.random.Generator, Chest, Branches]:
    rng = np.random.default_rng(number)
    chest = draw_chest(rng, bool(number % 2), 60)
    return rng, chest, draw_arteries(rng, chest, 27.0)


@pytest.fixture(scope="module")
def people() -> list[tuple[np.random.Generator, Chest, Branches]]:
    return [person(number) for number in PEOPLE]


def test_a_person_decides_the_tree():
    one, two = person(3)[2], person(3)[2]
    pairs = zip(vars(one).values(), vars(two).values(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_every_branch_begins_where_its_parent_ends_and_leads_to_the_trunk(people):
    for _, _, tree in people:
        assert (tree.parent < np.arange(len(tree))).all()
        assert (np.flatnonzero(tree.parent < 0) == 0).all()
        children = np.flatnonzero(tree.parent >= 0)
        assert np.array_equal(tree.start[children], tree.end[tree.parent[children]])


def test_radii_obey_the_stated_law_at_every_fork(people):
    """The flows of what leaves a fork add up; so do the radii's powers, by hand."""
    forks = {LARGE: 0, SMALL: 0}
    for _, _, tree in people:
        for parent in range(len(tree)):
            ways = np.flatnonzero(tree.parent == parent)
            if len(ways) < 2 or not np.isclose(tree.flow[ways].sum(), tree.flow[parent]):
                continue  # a fork from which a thin branch was left out
            if (tree.level[ways] == SUBSEGMENTAL).all():
                power = SMALL
            elif (tree.level[ways] < SUBSEGMENTAL).all():
                power = LARGE
            else:
                continue
            forks[power] += 1
            sum_of_powers = (tree.radius[ways].astype(float) ** power).sum()
            assert sum_of_powers == pytest.approx(float(tree.radius[parent]) ** power, rel=1e-4)
    assert forks[LARGE] > 20
    assert forks[SMALL] > 500


def test_diameters_are_those_of_anatomy(people):
    ranges = {MAIN: (17, 22), INTERLOBAR: (13.5, 18), LOBAR: (7, 13), SEGMENTAL: (4, 7.5)}
    for _, _, tree in people:
        assert tree.radius[0] == 13.5
        for level, (low, high) in ranges.items():
            assert low < 2 * np.median(tree.radius[tree.level == level]) < high
        fine = 2 * tree.radius[tree.level == SUBSEGMENTAL]
        assert 2 < np.median(fine) < 4
        assert fine.min() < 2.6


def test_there_are_ten_segments_on_the_right_and_eight_to_ten_on_the_left(people):
    found = []
    for _, _, tree in people:
        right, left = (set(tree.segment[tree.side == side]) - {0} for side in (-1, 1))
        assert right == set(range(1, 11))
        found.append(len(left))
        assert left >= {3, 4, 5, 6, 9, 10}
        assert (tree.level[tree.segment > 0] >= SEGMENTAL).all()
    assert set(found) <= {8, 9, 10}
    assert len(set(found)) > 1


def test_branches_stay_on_their_side_and_turn_no_further_than_stated(people):
    for _, _, tree in people:
        outer = tree.level >= SEGMENTAL
        assert (np.sign(tree.end[outer, 0]) == tree.side[outer]).all()
        assert (tree.side[tree.level == TRUNK] == 0).all()
        # a branch is two rods that bow, of one flow; its course runs from end to end
        for last in np.flatnonzero(tree.level == SUBSEGMENTAL):
            first = int(tree.parent[last])
            above = int(tree.parent[first])
            if tree.flow[first] != tree.flow[last] or tree.level[above] != SUBSEGMENTAL:
                continue
            course = tree.end[last] - tree.start[first]
            before = tree.end[above] - tree.start[int(tree.parent[above])]
            cosine = course @ before / np.linalg.norm(course) / np.linalg.norm(before)
            assert np.degrees(np.arccos(cosine)) < MAX_ANGLE_DEGREES + 0.1


def test_vessels_lie_in_lungs_and_mediastinum_of_the_painted_chest(people):
    for number in PEOPLE[:2]:
        rng, chest, tree = person(number)
        veins = draw_veins(rng, chest, 27.0)
        body = ChestBody(chest, draw_organs(rng, chest), Lesions(), False, draw_waves(rng, 8, 60))
        ends = np.concatenate([tree.end, veins.end])
        x = np.arange(-150, 151, 1.5, dtype=np.float32)
        y = np.arange(-120, 121, 1.5, dtype=np.float32)
        height = np.round(ends[:, 2] / 6) * 6
        inside = 0
        for z in np.unique(height):
            plane = plane_at(body, PlanePoints(x, y, float(z))).part
            for point in ends[height == z]:
                row, column = np.abs(y - point[1]).argmin(), np.abs(x - point[0]).argmin()
                inside += ChestPart(int(plane[row, column])) in HOLDS_VESSELS
        assert inside / len(ends) > 0.985  # planes 6 mm apart: a few ends near the domes
