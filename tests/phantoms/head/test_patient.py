"""tests/phantoms/head/test_patient.py: people differ, within what anatomy allows."""

from __future__ import annotations

import numpy as np

from wetread.phantoms.head.patient import Patient, draw_patient


def people(count: int) -> list[Patient]:
    return [draw_patient(np.random.default_rng([1, number])) for number in range(count)]


def test_the_generator_decides_the_person():
    one, two = (draw_patient(np.random.default_rng(4)) for _ in range(2))
    assert one.tissue == two.tissue
    assert one.calcium == two.calcium
    assert np.array_equal(one.sulci.vectors, two.sulci.vectors)


def test_tissue_has_the_order_of_hounsfield_units_that_it_has_in_heads():
    for person in people(60):
        t = person.tissue
        assert t.fat < -70 < 0 < t.fluid < t.white < t.gray < t.fold + 10
        assert t.gray - t.white > 6
        assert t.muscle < 100 < t.diploe < t.cortical
        assert 16 < t.white < 40


def test_atrophy_widens_sulci_ventricles_and_the_gap():
    drawn = people(300)
    atrophy = [person.atrophy for person in drawn]
    for name in ("sulcus_mm", "ventricle", "gap_mm"):
        assert np.corrcoef(atrophy, [getattr(person, name) for person in drawn])[0, 1] > 0.7, name


def test_calcium_lies_within_the_skull_and_is_denser_than_blood():
    stones = [stone for person in people(120) for stone in person.calcium]
    assert len(stones) > 60
    for stone in stones:
        assert np.linalg.norm(np.array(stone.center) / (70, 85, 74)) < 1
        assert stone.hu >= 60
        assert all(radius > 0 for radius in stone.radii)
