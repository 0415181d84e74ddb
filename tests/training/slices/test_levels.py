"""tests/training/slices/test_levels.py: predictions of slices and studies stand by baselines."""

import numpy as np
import pytest

from wetread.evaluation.baselines import known_prior
from wetread.training.data import LabeledSlices, Split
from wetread.training.slices.levels import image_baselines, slice_predictions

SPLIT = Split("held_out", np.arange(120), np.arange(120, 144), np.arange(144, 240))


def test_a_study_has_the_largest_of_its_slices(data: LabeledSlices) -> None:
    probability = np.random.default_rng(0).random((96, 3))
    images, studies = slice_predictions(data, SPLIT, probability)
    assert (images.level, studies.level, images.split) == ("image", "study", "held_out")
    np.testing.assert_array_equal(images.probability, probability)
    np.testing.assert_array_equal(images.rows, np.arange(144, 240))
    assert studies.rows is None
    assert studies.ids == tuple(f"1.4.{n}" for n in range(12, 20))
    by_study = probability.reshape(8, 12, 3).max(axis=1)
    np.testing.assert_array_equal(studies.probability, by_study)
    np.testing.assert_array_equal(studies.truth, data.truth[144:].reshape(8, 12, 3).max(axis=1))
    assert studies.patients == tuple(f"p{n // 2}" for n in range(12, 20))


def test_the_prior_is_that_of_the_slices_and_studies_learned_from(data: LabeledSlices) -> None:
    images, studies = slice_predictions(data, SPLIT, np.full((96, 3), 0.5))
    assert images.baselines["prior"][5] == pytest.approx(data.truth[:120].mean(axis=0))
    learned = data.truth[:120].reshape(10, 12, 3).max(axis=1)
    assert studies.baselines["prior"][3] == pytest.approx(learned.mean(axis=0))


def test_baselines_are_probabilities_of_every_scored_slice(data: LabeledSlices) -> None:
    found = image_baselines(data, SPLIT)
    assert list(found) == ["prior", "position", "histogram"]
    for values in found.values():
        assert values.shape == (96, 3)
        assert ((values >= 0) & (values <= 1)).all()


def test_of_what_is_not_known_the_odds_are_even() -> None:
    truth = np.array([[1.0, np.nan], [0.0, np.nan], [np.nan, np.nan]])
    assert known_prior(truth).tolist() == [0.5, 0.5]
    assert known_prior(np.array([[1.0], [1.0], [0.0], [1.0]])).tolist() == [0.75]
