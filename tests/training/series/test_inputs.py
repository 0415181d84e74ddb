"""tests/training/series/test_inputs.py: embeddings become inputs, joined and on one scale."""

import numpy as np

from wetread.training.recipe import Recipe
from wetread.training.series.inputs import (
    Embeddings,
    SequenceInputs,
    concatenate,
    join_inputs,
    make_sequence_inputs,
    mean_and_deviation,
    rescale_to,
)
from wetread.training.series.series import PLACE, Series


def some_series(count: int) -> Series:
    """Series of 3, 4, 5 ... slices, 5 mm apart."""
    starts = np.concatenate([[0], np.cumsum(np.arange(count) + 3)])
    ids = tuple(f"1.{n}" for n in range(count))
    return Series(
        rows=np.arange(starts[-1]), starts=starts, position_mm=5.0 * np.arange(starts[-1]),
        image=np.zeros((starts[-1], 1)), study=np.zeros((count, 2)), studies=ids, patients=ids,
    )  # fmt: skip


def inputs_of(series: Series, seed: int, scale: float, shift: float) -> SequenceInputs:
    rng = np.random.default_rng(seed)
    plain, mirrored = (
        Embeddings(
            (rng.normal(size=(len(series.rows), 3)) * scale + shift).astype(np.float32),
            (rng.normal(size=(len(series), 1)) * scale - shift).astype(np.float32),
        )
        for _ in range(2)
    )
    return make_sequence_inputs(series, plain, mirrored, Recipe())


def test_an_input_is_features_changes_place_and_what_is_of_the_whole_series() -> None:
    series = some_series(4)
    features = np.random.default_rng(0).normal(size=(len(series.rows), 3)).astype(np.float32)
    whole = np.arange(8, dtype=np.float32).reshape(4, 2)
    inputs = make_sequence_inputs(series, Embeddings(features, whole), None, Recipe())
    assert (inputs.overall, inputs.mirrored) == (2, ())
    low, high = series.starts[2:4]
    third, own = inputs.inputs[2], features[low:high]
    assert third.shape == (5, 3 * 3 + PLACE + 2)
    np.testing.assert_array_equal(third[:, :3], own)
    np.testing.assert_allclose(third[:-1, 3:6], np.diff(own, axis=0), rtol=1e-6)
    np.testing.assert_allclose(third[1:, 6:9], np.diff(own, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(third[:, -2:], np.tile([4.0, 5.0], (5, 1)))


def test_several_encoders_stand_side_by_side() -> None:
    one, other = (
        Embeddings(np.zeros((4, 2), np.float32), np.zeros((2, 1), np.float32)),
        Embeddings(np.ones((4, 3), np.float32), np.ones((2, 2), np.float32)),
    )
    both = concatenate([one, other])
    assert both.features[0].tolist() == [0, 0, 1, 1, 1]
    assert both.overall[1].tolist() == [0, 1, 1]


def test_features_of_another_encoder_come_to_the_scale_of_ones_own() -> None:
    own, other = inputs_of(some_series(20), 0, 1.0, 2.0), inputs_of(some_series(12), 1, 3.0, -7.0)
    brought = rescale_to(own, other)
    mine, theirs, inputs = (np.concatenate(one.inputs) for one in (own, other, brought))
    for column in (0, 1, 2, -1):  # features, and what is of the whole series
        np.testing.assert_allclose(inputs[:, column].mean(), mine[:, column].mean(), atol=1e-3)
        np.testing.assert_allclose(inputs[:, column].std(), mine[:, column].std(), rtol=2e-3)
    np.testing.assert_array_equal(inputs[:, -PLACE - 1 : -1], theirs[:, -PLACE - 1 : -1])
    line = np.polyfit(theirs[:, 0], inputs[:, 0], 1)  # mirror images follow by the same factors
    turned, was = np.concatenate(brought.mirrored)[:, 0], np.concatenate(other.mirrored)[:, 0]
    np.testing.assert_allclose(turned, np.polyval(line, was), atol=1e-4)
    assert brought.series is other.series


def test_joined_sets_are_their_series_one_after_the_other() -> None:
    one, other = inputs_of(some_series(2), 0, 1.0, 0.0), inputs_of(some_series(3), 1, 1.0, 0.0)
    joined = join_inputs([one, other])
    assert joined.series.studies == (*one.series.studies, *other.series.studies)
    assert [len(part) for part in joined.inputs] == [3, 4, 3, 4, 5]
    np.testing.assert_array_equal(joined.inputs[2], other.inputs[0])
    np.testing.assert_array_equal(joined.mirrored[1], one.mirrored[1])


def test_mean_and_deviation_are_those_of_all_slices() -> None:
    parts = [np.array([[1.0, 5.0]], np.float32), np.array([[2.0, 5.0], [6.0, 5.0]], np.float32)]
    mean, deviation = mean_and_deviation(parts)
    np.testing.assert_allclose(mean, [3.0, 5.0])
    np.testing.assert_allclose(deviation, [float(np.std([1, 2, 6])) + 1e-3, 1e-3], rtol=1e-5)
