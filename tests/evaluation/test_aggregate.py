"""tests/evaluation/test_aggregate.py: from slices to studies."""

import numpy as np
import pytest

from wetread.evaluation.aggregate import (
    at_study_maximum,
    smooth_along_z,
    study_maximum,
    study_truth,
)


def test_smoothing_weighs_one_two_one_and_at_the_ends_two_one() -> None:
    smoothed = smooth_along_z(np.array([[0.0], [1.0], [0.5]]), ["s"] * 3, np.arange(3.0))
    np.testing.assert_allclose(smoothed[:, 0], [1 / 3, 2.5 / 4, 2 / 3])


def test_rows_in_any_order_are_smoothed_by_position_and_come_back_in_their_order() -> None:
    rng = np.random.default_rng(0)
    values, z = rng.random((30, 2)), np.tile(np.arange(10.0), 3)
    series = [f"s{i // 10}" for i in range(30)]
    ordered = smooth_along_z(values, series, z)
    shuffle = rng.permutation(30)
    shuffled = smooth_along_z(values[shuffle], [series[i] for i in shuffle], z[shuffle])
    np.testing.assert_allclose(shuffled, ordered[shuffle])


def test_a_series_does_not_smooth_into_the_next() -> None:
    smoothed = smooth_along_z(np.array([[0.0], [1.0]]), ["a", "b"], np.array([0, 1]))
    np.testing.assert_array_equal(smoothed, [[0.0], [1.0]])


def test_slices_far_apart_or_without_a_place_say_nothing_of_each_other() -> None:
    values, place = np.array([[0.0], [1.0], [0.5], [0.2]]), np.array([0.0, 5.0, 18.0, np.nan])
    smoothed = smooth_along_z(values, ["s"] * 4, place)
    np.testing.assert_allclose(smoothed[:, 0], [1 / 3, 2 / 3, 0.5, 0.2])


def test_a_slice_without_probability_is_left_out_of_its_neighbors() -> None:
    smoothed = smooth_along_z(np.array([[0.6], [np.nan], [0.3]]), ["s"] * 3, np.arange(3.0))
    np.testing.assert_allclose(smoothed[:, 0], [0.6, 0.45, 0.3])


def test_a_study_is_its_most_suspicious_place_in_order_of_appearance() -> None:
    values = np.array([[0.1, 0.9], [0.3, np.nan], [0.2, np.nan], [0.4, np.nan]])
    ids, largest = study_maximum(values, ["b", "a", "b", "a"])
    assert ids == ("b", "a")
    np.testing.assert_array_equal(largest, [[0.2, 0.9], [0.4, np.nan]])


@pytest.mark.parametrize(
    ("images", "study"),
    [([0, 0], 0), ([0, 1], 1), ([np.nan, 1], 1), ([0, np.nan], np.nan), ([np.nan], np.nan)],
)
def test_a_study_is_negative_only_when_all_its_images_are_known_to_be(
    images: list[float], study: float
) -> None:
    _, truth = study_truth(np.array(images, dtype=float)[:, None], ["s"] * len(images))
    np.testing.assert_array_equal(truth, [[study]])


def test_no_slices_are_no_studies() -> None:
    smoothed = smooth_along_z(np.empty((0, 2)), [], np.empty(0))
    ids, values = study_maximum(smoothed, [])
    assert ids == ()
    assert values.shape == (0, 2)


def test_values_are_those_of_the_slice_with_the_largest_of_another() -> None:
    values = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 7.0]])
    of = np.array([[0.2, 0.9], [0.8, 0.9], [0.5, 0.1]])
    found = at_study_maximum(values, of, ["b", "b", "a"])
    np.testing.assert_array_equal(found, [[2.0, 5.0], [3.0, 7.0]])
