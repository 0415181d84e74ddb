"""tests/anatomy/test_airway.py: the airway is the lumen of trachea and main bronchi, and does not
leak into a lung."""

from collections.abc import Callable

import numpy as np
from tests.phantoms.chest_ct_phantom import ChestCt

from wetread.anatomy.airway import find_airway, segment_airway

Chests = Callable[..., ChestCt]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b)))


def test_trachea_and_main_bronchi_of_phantoms_are_found_and_nothing_leaks(chest: Chests) -> None:
    scans = (chest(101, nodules=3), chest(111, touching=True), chest(131, slices=80))
    for scan in scans:
        found = find_airway(scan.hu, scan.scan.spacing_mm)
        assert dice(found, scan.truth.airway) >= 0.9
        lungs = scan.truth.lung_right | scan.truth.lung_left
        assert (found & lungs).sum() < 0.05 * found.sum()


def test_a_volume_without_a_trachea_gives_an_empty_mask(chest: Chests) -> None:
    scan = chest(101, nodules=3)
    hu = np.where(scan.truth.airway, np.float32(40), scan.hu)
    assert not find_airway(hu, scan.scan.spacing_mm).any()


def test_the_mask_lies_in_the_volumes_own_voxels(chest: Chests) -> None:
    scan = chest(101, nodules=3)
    (mask,) = segment_airway(scan.volume)
    assert mask.name == "airway"
    assert np.array_equal(mask.inside, find_airway(scan.hu, scan.scan.spacing_mm))
    voxel_ml = np.prod(scan.scan.spacing_mm) / 1000
    assert np.isclose(mask.volume_ml, mask.inside.sum() * voxel_ml)
