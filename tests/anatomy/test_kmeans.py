"""tests/anatomy/test_kmeans.py: the two-cluster mask is what notebooks make, seeded, and with the
box rules that they lost."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.cluster import KMeans
from tests.phantoms.chest_ct_phantom import ChestCt

from wetread.anatomy.kmeans import kmeans_lungs, two_centers

Chests = Callable[..., ChestCt]


@pytest.mark.parametrize("seed", range(5))
def test_the_two_centers_are_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.concatenate([rng.normal(-1, 0.3, 400), rng.normal(1.2, 0.4, 250)])
    values = values.astype(np.float32)
    theirs = KMeans(2, n_init=3, random_state=0).fit(values[:, None]).cluster_centers_
    assert two_centers(values, rng) == pytest.approx(np.sort(theirs.ravel()), abs=1e-3)


def test_lung_is_inside_and_the_room_is_not(chest: Chests) -> None:
    scan = chest(101, nodules=3)
    middle = scan.hu[20:26]
    found = kmeans_lungs(middle, np.random.default_rng(0))
    lungs = (scan.truth.lung_right | scan.truth.lung_left)[20:26]
    assert found[lungs & (middle < -600)].mean() > 0.85
    assert not found[:, :4].any()
    assert not found[:, -4:].any()
    assert found.sum() > lungs.sum()  # it widens, over the airway too


def test_the_same_generator_gives_the_same_mask(chest: Chests) -> None:
    plane = chest(101, nodules=3).hu[20:22]
    first, again = (kmeans_lungs(plane, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, again)


def test_a_slice_of_one_value_is_empty() -> None:
    flat = np.full((1, 32, 32), -1000, np.float32)
    assert not kmeans_lungs(flat, np.random.default_rng(0)).any()


def test_what_spans_the_picture_is_no_lung() -> None:
    plane = np.full((64, 64), 40, np.float32)
    plane[:3], plane[-3:], plane[28:36] = -1000, -990, -900
    assert not kmeans_lungs(plane[None], np.random.default_rng(0)).any()
