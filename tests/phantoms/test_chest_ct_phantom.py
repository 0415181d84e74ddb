"""tests/phantoms/test_chest_ct_phantom.py: the tests' chest CT is as stated: parts, HU, place."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.phantoms.chest_ct_phantom import ChestCt, make_chest_ct

from wetread.study.stack import require_affine

TINY: dict[str, Any] = {"slices": 6, "spacing_mm": (5.0, 4.0, 4.0), "size": 96}


@cache
def scanned(seed: int) -> ChestCt:
    return make_chest_ct(
        np.random.default_rng(seed), slices=24, spacing_mm=(5.0, 2.4, 2.4), size=144, nodules=2
    )


def test_one_seed_gives_one_scan_and_another_seed_another() -> None:
    first, again, other = (
        make_chest_ct(np.random.default_rng(seed), **TINY, nodules=1, consolidations=1)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first.hu, again.hu)
    assert np.array_equal(first.truth.lung_right, again.truth.lung_right)
    assert not np.array_equal(first.hu, other.hu)


def test_parts_have_the_hu_of_their_tissue() -> None:
    scan = scanned(101)
    lungs = scan.truth.lung_right | scan.truth.lung_left
    assert -930 < np.median(scan.hu[lungs]) < -770
    assert 30 < np.median(scan.hu[scan.truth.heart]) < 55
    assert np.median(scan.hu[scan.truth.airway]) < -850
    assert np.median(scan.hu[scan.truth.bone]) > 150
    assert np.median(scan.hu[~scan.truth.body]) < -980


def test_lung_is_denser_towards_the_back_on_which_the_patient_lies() -> None:
    scan = scanned(111)
    lung = scan.truth.lung_right & (scan.hu < -700)
    rows = np.nonzero(lung)[1]
    front, back = np.percentile(rows, (25, 75))
    at = np.broadcast_to(np.arange(lung.shape[1])[:, None], lung.shape)
    assert scan.hu[lung & (at > back)].mean() > scan.hu[lung & (at < front)].mean() + 10


def test_parts_do_not_overlap_and_lie_on_their_side() -> None:
    truth = scanned(101).truth
    parts = (truth.lung_right, truth.lung_left, truth.airway, truth.heart, truth.bone)
    assert np.sum(parts, axis=0).max() == 1
    for part in parts:
        assert (part & ~truth.body).sum() == 0
    right, left = (np.nonzero(lung)[2].mean() for lung in parts[:2])
    assert right < left  # columns run to the patient's left


def test_the_volume_says_where_it_lies() -> None:
    scan = make_chest_ct(np.random.default_rng(3), **TINY)
    affine = require_affine(scan.volume)
    steps = np.array([[0, 0, 5.0], [0, 4.0, 0], [4.0, 0, 0]])
    assert np.allclose(affine[:3, :3].T, steps)
    assert np.isclose(affine[2, 3], scan.scan.low_mm)


def test_fluid_is_no_lung() -> None:
    dry, wet = (
        make_chest_ct(np.random.default_rng(7), **(TINY | {"slices": 20}), effusions=count)
        for count in (0, 2)
    )
    sizes = [np.count_nonzero(scan.truth.lung_right) for scan in (dry, wet)]
    assert sizes[1] > 0
    assert sizes[1] != sizes[0]
    fluid = wet.truth.body & ~(wet.truth.lung_right | wet.truth.lung_left)
    assert fluid.sum() > 0


def test_nothing_to_scan_is_refused() -> None:
    with pytest.raises(ValueError, match="0 slices"):
        make_chest_ct(np.random.default_rng(0), slices=0)
