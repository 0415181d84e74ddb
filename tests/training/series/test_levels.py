"""tests/training/series/test_levels.py: predictions of series, made consistent, by baselines."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
from tests.training.blob_series import series_data

from wetread.training.data import Split
from wetread.training.series.levels import consistent_levels, series_predictions
from wetread.training.series.series import Series

SPLIT = Split("held_out", np.arange(168), np.arange(168, 192), np.arange(192, 240))


def test_scored_series_come_back_consistent_with_baselines_of_the_train_part(
    store: Any, series: Series
) -> None:
    data = series_data(store, series)
    spec = replace(data.spec, make_consistent=lambda image, study, starts: (image / 2, study / 4))
    image, study = np.full((48, 1), 0.8), np.full((4, 2), 0.4)
    levels = series_predictions(
        data.encoders[0].data, series, SPLIT, image=image, study=study, spec=spec
    )
    images, studies = levels
    np.testing.assert_array_equal(images.probability, image)
    np.testing.assert_array_equal(studies.probability, study)
    images, studies = consistent_levels(levels, spec)
    np.testing.assert_array_equal(images.probability, image / 2)
    np.testing.assert_array_equal(studies.probability, study / 4)
    assert studies.ids == tuple(f"1.4.{n}" for n in range(16, 20))
    np.testing.assert_array_equal(images.rows, np.arange(192, 240))
    np.testing.assert_array_equal(images.truth, series.image[192:])
    np.testing.assert_allclose(images.baselines["prior"][0], series.image[:168].mean(0))
    np.testing.assert_allclose(studies.baselines["prior"][0], series.study[:14].mean(0))
    assert {name: values.shape for name, values in studies.baselines.items()} == {
        "prior": (4, 2), "position": (4, 2), "histogram": (4, 2),
    }  # fmt: skip


def test_of_a_study_with_two_series_the_longer_one_counts(store: Any, series: Series) -> None:
    """Studies 16 and 17 become one of two series, and the second has one slice more."""
    slices = store.slices.with_columns(
        StudyInstanceUID=pl.when(pl.col("StudyInstanceUID") == "1.4.17")
        .then(pl.lit("1.4.16"))
        .otherwise("StudyInstanceUID")
    )
    starts = series.starts.copy()
    starts[17] -= 1
    studies = tuple(name.replace("1.4.17", "1.4.16") for name in series.studies)
    joined = replace(series, starts=starts, studies=studies)
    data = series_data(SimpleNamespace(slices=slices, read_hu=store.read_hu), joined)
    study = np.array([[0.1, 0.1], [0.9, 0.8], [0.2, 0.2], [0.3, 0.3]])
    _, found = series_predictions(
        data.encoders[0].data, joined, SPLIT, image=np.zeros((48, 1)), study=study, spec=data.spec
    )
    assert found.ids == ("1.4.16", "1.4.18", "1.4.19")
    np.testing.assert_array_equal(found.probability[0], [0.9, 0.8])
