"""tests/phantoms/graft/test_bleeds.py: each kind of blood lies where that kind lies."""

import numpy as np
import pytest
from tests.phantoms.graft.head_slice import head_slice

from wetread.phantoms.graft.bleeds import DRAW, Bleeding
from wetread.phantoms.graft.cranium import Cranium, find_cranium


@pytest.fixture(scope="module")
def cranium() -> Cranium:
    found = find_cranium(head_slice())
    assert found is not None
    return found


def drawn(cranium: Cranium, finding: str, seeds: range = range(12)) -> list[Bleeding]:
    each = [DRAW[finding](np.random.default_rng(seed), cranium) for seed in seeds]
    return [one for one in each if one is not None]


def blood(one: Bleeding) -> np.ndarray:
    return (one.solid_mm < 0) & (one.share > 0.5)


@pytest.mark.parametrize("finding", DRAW)
def test_blood_lies_within_the_skull_and_is_as_dense_as_blood(
    finding: str, cranium: Cranium
) -> None:
    found = drawn(cranium, finding)
    assert len(found) >= 10
    for one in found:
        assert one.finding == finding
        assert not (blood(one) & ~cranium.inside).any()
        assert 20 <= one.hu.min() <= one.hu.max() <= 76
    assert sum(blood(one).any() for one in found) >= 10


def test_lens_and_crescent_touch_the_skull_and_stay_on_one_side(cranium: Cranium) -> None:
    for one in drawn(cranium, "epidural") + drawn(cranium, "subdural"):
        area = blood(one)
        if not area.any() or (one.finding == "subdural" and not one.push_mm):
            continue  # beside the falx, or thin
        assert cranium.depth_mm[area].min() < 2.5 * cranium.pixel_mm
        left, right = area[:, :62].any(), area[:, 66:].any()
        assert not (left and right)


def test_a_clot_lies_in_the_tissue_and_blood_of_ventricles_in_them(cranium: Cranium) -> None:
    for one in drawn(cranium, "intraparenchymal"):
        assert cranium.depth_mm[blood(one)].min() >= 1.9
    for one in drawn(cranium, "intraventricular"):
        area = blood(one)
        near = cranium.ventricles | np.roll(cranium.ventricles, 1, 0)
        assert (area & near).sum() > 0.6 * area.sum()


def test_blood_of_a_level_lies_low_in_the_ventricle(cranium: Cranium) -> None:
    rows = np.indices(cranium.inside.shape)[0]
    middle = rows[cranium.ventricles].mean()
    below = [rows[blood(one)].mean() > middle for one in drawn(cranium, "intraventricular")]
    assert np.mean(below) > 0.5  # the rest are casts


def test_subarachnoid_blood_takes_fluid_at_the_surface_and_no_ventricle(cranium: Cranium) -> None:
    for one in drawn(cranium, "subarachnoid"):
        assert not one.share[cranium.ventricles].any()
        area = blood(one)
        assert cranium.csf[area].mean() > 0.5


def test_without_fluid_there_is_no_blood_in_it() -> None:
    hu = head_slice()
    hu[(hu > -100) & (hu < 25)] = 34
    full = find_cranium(hu)
    assert full is not None
    assert drawn(full, "intraventricular") == []
    assert drawn(full, "subarachnoid") == []
