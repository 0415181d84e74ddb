"""tests/training/test_study_features.py: slices sampled along studies; distance and order."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.training.conftest import Blobs, fresh, quick

from wetread.evaluation.feature_distance import fit_reference
from wetread.training.study_features import (
    SAMPLED,
    References,
    fit_references,
    pooled_features,
    sample_studies,
    study_scores,
)
from wetread.training.trained_model import TrainedModel


def slices(lengths: list[int]) -> pl.DataFrame:
    rows = [("s" + str(k), z) for k, n in enumerate(lengths) for z in reversed(range(n))]
    frame = pl.DataFrame(rows, schema=["StudyInstanceUID", "z"], orient="row")
    return frame.with_columns(SeriesInstanceUID=pl.lit("1")).with_row_index("row")


def test_slices_are_sampled_evenly_in_the_order_of_their_places() -> None:
    sampled = sample_studies(slices([1, 5, 100]))
    assert sampled["s0"].tolist() == [0]
    assert sampled["s1"].tolist() == [5, 4, 3, 2, 1]  # z counts backwards in the table
    assert len(sampled["s2"]) == SAMPLED
    assert sampled["s2"][[0, -1]].tolist() == [105, 6]
    steps = -np.diff(sampled["s2"])
    assert steps.min() == 9
    assert steps.max() == 9


def smooth_walk(n: int, rng: np.random.Generator) -> np.ndarray:
    at = np.linspace(0, 1, n)[:, None]
    return np.asarray(np.hstack([at, np.sin(3 * at), np.cos(3 * at)]) + rng.normal(0, 0.01, (n, 3)))


def test_a_study_in_order_has_smaller_steps_than_a_shuffled_one() -> None:
    rng = np.random.default_rng(0)
    walk = smooth_walk(12, rng)
    features = np.vstack([walk, walk[rng.permutation(12)]]).astype(np.float32)
    sampled = {"in order": np.arange(12), "shuffled": np.arange(12, 24)}
    scores = study_scores(features, sampled, References(fit_reference(features), None))
    assert scores["in order"]["order"] < 0.35
    assert scores["shuffled"]["order"] > 0.7
    assert scores["in order"]["pictures"] == pytest.approx(scores["shuffled"]["pictures"], 1e-4)


def test_order_is_the_mean_step_over_the_mean_of_all_differences() -> None:
    features = np.random.default_rng(1).normal(size=(7, 4)).astype(np.float32)
    references = References(fit_reference(features), None)
    found = study_scores(features, {"s": np.arange(7)}, references)["s"]["order"]
    values = (features - features.mean(axis=0)) / features.std(axis=0)
    pairs = [np.linalg.norm(values[a] - values[b]) for a in range(7) for b in range(a)]
    steps = [np.linalg.norm(values[a] - values[a + 1]) for a in range(6)]
    assert found == pytest.approx(np.mean(steps) / np.mean(pairs), rel=1e-4)


def test_few_slices_have_no_order() -> None:
    features = np.random.default_rng(2).normal(size=(9, 4)).astype(np.float32)
    sampled = {"s": np.arange(5), "t": np.arange(5, 9)}
    scores = study_scores(features, sampled, fit_references(features, sampled, 1))
    assert set(scores["s"]) == {"pictures"}


def test_a_study_upside_down_is_far_by_its_course_alone() -> None:
    rng = np.random.default_rng(4)
    walks = np.array([smooth_walk(12, rng) for _ in range(40)], np.float32)
    sampled = {str(k): np.arange(12) for k in range(40)}
    references = fit_references(np.concatenate(walks), sampled, 12)
    turned = walks[0][::-1]
    both = study_scores(
        np.concatenate([walks[0], turned]), {"a": np.arange(12), "b": np.arange(12)}, references
    )
    assert both["b"]["pictures"] == pytest.approx(both["a"]["pictures"], rel=1e-4)
    assert both["b"]["order"] == pytest.approx(both["a"]["order"], rel=1e-4)
    assert both["b"]["course"] > 20 * both["a"]["course"]


def test_a_course_is_the_means_of_the_thirds() -> None:
    rng = np.random.default_rng(6)
    features = rng.normal(size=(15 * 6, 2)).astype(np.float32)
    sampled = {str(k): np.arange(6) for k in range(15)}
    references = fit_references(features, sampled, 12)
    courses = np.array(
        [[*f[:2].mean(0), *f[2:4].mean(0), *f[4:].mean(0)] for f in features.reshape(15, 6, 2)]
    )
    assert references.courses is not None
    expected = fit_reference(courses).distances(courses[:1])[0]
    assert study_scores(features, sampled, references)["0"]["course"] == pytest.approx(
        expected, rel=1e-3
    )
    assert fit_references(features, sampled, 16).courses is None


def test_features_of_a_store_do_not_depend_on_what_they_are_computed_with(
    blobs: Blobs, tmp_path: Path
) -> None:
    recipe = quick("runtime.device=cpu", "runtime.precision=float32")
    model = TrainedModel(fresh(recipe).eval(), ("any",), (), recipe.view, recipe, 1.0, 0, None)
    rows = np.array([3, 200, 41])
    features = pooled_features(model, blobs, rows)  # type: ignore[arg-type]
    alone = pooled_features(model, blobs, rows[1:2])  # type: ignore[arg-type]
    assert len(features) == 3
    assert np.allclose(features[1], alone[0], atol=1e-4)
