"""tests/models/test_boosted_trees.py: trees kept as arrays say what scikit-learn's say."""

import io

import numpy as np
import pytest
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from wetread.models.boosted_trees import BoostedTrees, trees_of_arrays
from wetread.models.fit_boosted_trees import SETTINGS, fit_boosted_trees


@pytest.fixture(scope="module")
def samples() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 5))
    truth = (features[:, 0] + features[:, 1] ** 2 + rng.normal(size=400) > 1).astype(float)
    features[rng.random(features.shape) < 0.2] = np.nan  # missing in training and after it
    return features, truth


def test_probabilities_are_scikit_learns(samples: tuple[np.ndarray, np.ndarray]) -> None:
    features, truth = samples
    trees = fit_boosted_trees(features[:300], truth[:300], seed=0)
    model = HistGradientBoostingClassifier(random_state=0, **SETTINGS)
    expected = model.fit(features[:300], truth[:300] > 0.5).predict_proba(features)[:, 1]
    np.testing.assert_allclose(expit(trees.logits(features)), expected, atol=1e-12)


def test_trees_come_back_from_a_file(samples: tuple[np.ndarray, np.ndarray]) -> None:
    features, truth = samples
    trees, file = fit_boosted_trees(features, truth, seed=0), io.BytesIO()
    np.savez(file, **trees.to_arrays())  # type: ignore[arg-type]
    file.seek(0)
    again = trees_of_arrays(dict(np.load(file)))
    np.testing.assert_array_equal(again.logits(features), trees.logits(features))


def test_unknown_labels_are_left_out(samples: tuple[np.ndarray, np.ndarray]) -> None:
    features, truth = samples
    partly = np.where(np.arange(400) < 300, truth, np.nan)
    known = fit_boosted_trees(features[:300], truth[:300], seed=0)
    np.testing.assert_array_equal(
        fit_boosted_trees(features, partly, seed=0).logits(features), known.logits(features)
    )


def test_one_class_alone_is_its_share() -> None:
    trees = fit_boosted_trees(np.zeros((9, 2)), np.zeros(9), seed=0)
    np.testing.assert_allclose(expit(trees.logits(np.ones((3, 2)))), 0.05)  # (0 + .5) / (9 + 1)


def test_a_tree_that_leads_in_a_circle_is_refused() -> None:
    nodes = np.zeros((2, 7))
    nodes[0, 3:5] = 0  # its children are itself
    with pytest.raises(ValueError, match="lead to a leaf"):
        trees_of_arrays(BoostedTrees(0.0, np.array([0, 2]), nodes).to_arrays())
