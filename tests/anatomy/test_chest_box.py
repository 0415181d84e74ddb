"""tests/anatomy/test_chest_box.py: boxes hold the lungs, and what lies between them."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from tests.phantoms.chest_ct_phantom import ChestCt

from wetread.anatomy.chest_box import find_chest_boxes, find_heart_box
from wetread.anatomy.lungs import Lungs

Chests = Callable[..., ChestCt]


def test_the_lung_box_is_a_square_round_both_lungs(chest: Chests) -> None:
    scan = chest(101, nodules=3)
    lungs = scan.truth.lung_right | scan.truth.lung_left
    row0, row1, column0, column1 = find_chest_boxes(scan.hu)[0]
    assert row1 - row0 == column1 - column0
    outside = lungs.copy()
    outside[:, max(row0, 0) : row1, max(column0, 0) : column1] = False
    assert outside.sum() < 1e-3 * lungs.sum()
    columns = np.flatnonzero(lungs.any(axis=(0, 1)))
    assert row1 - row0 < 1.1 * (columns[-1] - columns[0])


def test_a_series_without_lungs_is_kept_whole() -> None:
    assert find_chest_boxes(np.full((3, 64, 80), -1000, np.float32)) == ((0, 64, 0, 80),) * 2


def test_the_heart_box_lies_between_the_lungs_and_holds_the_heart(chest: Chests) -> None:
    scan = chest(101, nodules=3)
    truth = scan.truth
    none = np.zeros_like(truth.airway)
    box = find_heart_box(Lungs(truth.lung_right, truth.lung_left, none, truth.airway))
    row0, row1, column0, column1 = box
    inside = truth.heart[:, row0:row1, column0:column1].sum()
    assert inside > 0.9 * truth.heart.sum()
    assert column1 - column0 < 0.6 * truth.heart.shape[2]


def test_no_heart_box_without_both_lungs() -> None:
    none = np.zeros((4, 8, 8), bool)
    with pytest.raises(ValueError, match="both lungs"):
        find_heart_box(Lungs(none, none, none, none))


class OneByOne:
    """A volume that hands out one slice at a time, and counts how often."""

    def __init__(self, hu: np.ndarray) -> None:
        self._hu, self.shape, self.asked = hu, hu.shape, 0

    def __getitem__(self, z: int) -> np.ndarray:
        self.asked += 1
        return self._hu[z]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[z] for z in range(len(self._hu)))


def test_the_boxes_of_both_looks_take_one_reading_of_the_series(chest: Chests) -> None:
    hu = chest(101, nodules=3).hu
    seen = OneByOne(hu)
    lungs, heart = find_chest_boxes(seen)
    assert seen.asked == len(hu)
    assert (lungs, heart) == find_chest_boxes(hu)
    assert lungs[0] < heart[0] < heart[1] < lungs[1]
    assert lungs[2] < heart[2] < heart[3] < lungs[3]
