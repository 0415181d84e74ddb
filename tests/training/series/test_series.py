"""tests/training/series/test_series.py: series parted, joined, sampled, with their labels."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from tests.training.blob_series import IMAGE, STUDY

from wetread.labels.table import label_table
from wetread.training.series.batches import series_batches
from wetread.training.series.series import (
    PLACE,
    Series,
    join_series,
    labeled_series,
    place_features,
    sequence_features,
    series_containing,
)


def test_a_store_becomes_series_with_the_labels_of_their_studies(series: Series) -> None:
    assert len(series) == 20
    assert series.starts.tolist() == list(range(0, 241, 12))
    assert series.studies[3] == "1.4.3"
    two = series.of(np.array([3, 1]))
    assert two.rows.tolist() == [*range(36, 48), *range(12, 24)]
    assert two.starts.tolist() == [0, 12, 24]
    np.testing.assert_array_equal(two.spread()[:12], np.tile(series.study[3], (12, 1)))
    assert series_containing(series, np.array([0, 11, 12, 239])).tolist() == [0, 1, 19]


def test_two_series_of_a_study_stay_apart_with_the_study_s_labels(store: Any) -> None:
    slices = store.slices.with_columns(StudyInstanceUID=pl.lit("one"))
    labels = label_table(
        pl.DataFrame([("study", "one", "left", 1.0)], orient="row",
                     schema=["level", "id", "finding", "value"])
    )  # fmt: skip
    series = labeled_series(slices, labels, IMAGE, STUDY)
    assert len(series) == 20
    assert (series.study[:, 0] == 1.0).all()
    assert np.isnan(series.study[:, 1]).all()
    assert np.isnan(series.image).all()


def test_series_parted_and_joined_are_the_series(series: Series) -> None:
    parts = [series.of(np.array(places)) for places in ([0, 2], [1], range(3, len(series)))]
    whole = series.of(np.array([0, 2, 1, *range(3, len(series))]))
    join_inputs = join_series(parts)
    for name in ("rows", "starts", "position_mm", "image", "study"):
        np.testing.assert_array_equal(getattr(join_inputs, name), getattr(whole, name))
    assert (join_inputs.studies, join_inputs.patients) == (whole.studies, whole.patients)


@pytest.mark.parametrize("xp", [np, torch])
def test_inputs_hold_features_changes_and_the_place_in_mm(xp: Any) -> None:
    features = xp.asarray(np.array([[1.0], [4.0], [2.0]], np.float32))
    place = xp.asarray(place_features(np.array([10.0, 15.0, 40.0])))
    inputs = sequence_features(features, place, True, xp)
    assert inputs[:, 0].tolist() == [1.0, 4.0, 2.0]
    assert inputs[:, 1].tolist() == [3.0, -2.0, 0.0]  # to the next
    assert inputs[:, 2].tolist() == [0.0, 3.0, -2.0]  # from the one before
    np.testing.assert_allclose(inputs[:, 3], [-0.15, -0.10, 0.15])  # from the middle, 25 mm
    np.testing.assert_allclose(inputs[:, 4], [0.5, 2.5, 0.0])  # to the next
    np.testing.assert_allclose(inputs[:, 5], np.sin(2 * np.pi * np.array([-15, -10, 15]) / 20),
                               atol=1e-6)  # fmt: skip
    assert sequence_features(features, place, False, xp).shape == (3, 1 + PLACE)


def test_of_a_long_series_a_sample_stands_for_all(series: Series) -> None:
    lengths = [3, 40, 400]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    inputs = [np.arange(a, b, dtype=np.float32)[:, None] for a, b in pairwise(starts)]
    numbers = np.arange(443.0)[:, None]
    named = replace(
        series.of(np.arange(3)), rows=np.arange(443), starts=starts, position_mm=numbers[:, 0],
        image=numbers,
    )  # fmt: skip
    one, two = series_batches(
        named, inputs, np.arange(3), batch_size=2, most_slices=50, rng=np.random.default_rng(0)
    )
    assert one.valid.sum(1).tolist() == [3, 40]
    assert one.positives is None  # all are there
    assert two.inputs.shape == (1, 50, 1)
    assert torch.equal(two.inputs[..., 0], two.image[..., 0])  # the truth of those slices
    assert two.positives == numbers[43:].sum()
    eighths = (two.inputs[0, :, 0] - 43) // 8
    assert eighths.tolist() == list(range(50))  # one of each stretch of eight
