"""tests/verbs/segment/test_organs.py: the table of organs finds a chest's, and boxes that no
mask has."""

import numpy as np
import pytest
from tests.phantoms.chest_ct_phantom import ChestCt, make_chest_ct

from wetread.verbs.segment.organs import ORGANS


@pytest.fixture(scope="module")
def chest() -> ChestCt:
    rng = np.random.default_rng(102)
    return make_chest_ct(rng, slices=45, spacing_mm=(2.5, 2.4, 2.4), size=144)


def test_lungs_come_by_side_and_the_heart_s_box_lies_between_them(chest: ChestCt) -> None:
    volume, way = chest.volume, ORGANS["lungs"]["ball"]
    masks = way.find(volume, closing_mm=10.0)
    assert [mask.name for mask in masks] == ["lung_right", "lung_left", "dense_in_lung"]
    truth = (chest.truth.lung_right, chest.truth.lung_left)
    for mask, true in zip(masks, truth, strict=False):
        overlap = 2 * np.count_nonzero(mask.inside & true)
        assert overlap / (np.count_nonzero(mask.inside) + np.count_nonzero(true)) > 0.95
    box = way.boxes(volume, masks)["heart"]
    heart = np.argwhere(chest.truth.heart).mean(axis=0)
    assert all(low <= at < high for at, low, high in zip(heart, box[::2], box[1::2], strict=True))
    size = volume.hu.shape[2]
    assert box[5] - box[4] < 0.6 * size


def test_without_lungs_there_is_no_box_of_a_heart(chest: ChestCt) -> None:
    volume = chest.volume
    nothing = ORGANS["lungs"]["ball"].find(volume)
    for mask in nothing:
        mask.inside[:] = False
    assert ORGANS["lungs"]["ball"].boxes(volume, nothing) == {}


def test_clusters_of_grey_give_the_same_lungs_in_every_run(chest: ChestCt) -> None:
    first, second = (ORGANS["lungs"]["kmeans"].find(chest.volume)[0].inside for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.any()


def test_the_airway_is_one_of_the_organs(chest: ChestCt) -> None:
    (airway,) = ORGANS["airway"]["trachea"].find(chest.volume)
    assert airway.name == "airway"
    assert np.count_nonzero(airway.inside & chest.truth.airway) > 0.5 * airway.inside.sum() > 0
