"""tests/training/series/test_embed_series.py: what is seen of series: by slice, overall, on one
scale."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wetread.models.encoders import build
from wetread.models.features import PEAKS
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.series import embed_series as embed_series
from wetread.training.series.inputs import (
    Embeddings,
    SequenceInputs,
    concatenate,
    make_sequence_inputs,
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


def recipe_with(*settings: str) -> Recipe:
    return read_recipe("compact", ["sequence=gru", *settings])


def seen_of(series: Series, seed: int, scale: float, shift: float) -> SequenceInputs:
    rng = np.random.default_rng(seed)
    sides = [
        Embeddings(
            (rng.normal(size=(len(series.rows), 3)) * scale + shift).astype(np.float32),
            (rng.normal(size=(len(series), 1)) * scale - shift).astype(np.float32),
        )
        for _ in range(2)
    ]
    return make_sequence_inputs(series, *sides, recipe_with())


def test_an_input_is_features_changes_place_and_what_is_of_the_whole_series() -> None:
    series = some_series(4)
    features = np.random.default_rng(0).normal(size=(len(series.rows), 3)).astype(np.float32)
    whole = np.arange(8, dtype=np.float32).reshape(4, 2)
    seen = make_sequence_inputs(series, Embeddings(features, whole), None, recipe_with())
    assert (seen.overall, seen.mirrored) == (2, ())
    low, high = series.starts[2:4]
    inputs, own = seen.inputs[2], features[low:high]
    assert inputs.shape == (5, 3 * 3 + PLACE + 2)
    np.testing.assert_array_equal(inputs[:, :3], own)
    np.testing.assert_allclose(inputs[:-1, 3:6], np.diff(own, axis=0), rtol=1e-6)
    np.testing.assert_allclose(inputs[1:, 6:9], np.diff(own, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(inputs[:, -2:], np.tile([4.0, 5.0], (5, 1)))


def test_several_encoders_stand_side_by_side() -> None:
    one, other = (
        Embeddings(np.zeros((4, 2)), np.zeros((2, 1))),
        Embeddings(np.ones((4, 3)), np.ones((2, 2))),
    )
    both = concatenate([one, other])
    assert both.features[0].tolist() == [0, 0, 1, 1, 1]
    assert both.overall[1].tolist() == [0, 1, 1]


def test_features_of_another_encoder_come_to_the_scale_of_ones_own() -> None:
    own, other = seen_of(some_series(20), 0, 1.0, 2.0), seen_of(some_series(12), 1, 3.0, -7.0)
    brought = rescale_to(own, other)
    mine, theirs, seen = (np.concatenate(one.inputs) for one in (own, other, brought))
    for column in (0, 1, 2, -1):  # features, and what is of the whole series
        np.testing.assert_allclose(seen[:, column].mean(), mine[:, column].mean(), atol=1e-3)
        np.testing.assert_allclose(seen[:, column].std(), mine[:, column].std(), rtol=2e-3)
    np.testing.assert_array_equal(seen[:, -PLACE - 1 : -1], theirs[:, -PLACE - 1 : -1])
    line = np.polyfit(theirs[:, 0], seen[:, 0], 1)  # mirror images follow by the same factors
    turned, was = np.concatenate(brought.mirrored)[:, 0], np.concatenate(other.mirrored)[:, 0]
    np.testing.assert_allclose(turned, np.polyval(line, was), atol=1e-4)
    assert brought.series is other.series


@pytest.mark.parametrize("mirror", ["false", "true"])
def test_what_is_drawn_is_seen_with_what_the_masks_say_of_the_whole_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: str
) -> None:
    series, rng = some_series(6), np.random.default_rng(3)
    drawn = rng.normal(size=(len(series.rows), 4 + 2 * PEAKS)).astype(np.float32)
    turned = rng.normal(size=drawn.shape).astype(np.float32)
    monkeypatch.setattr(embed_series, "encode_slices", lambda *asked: drawn)
    monkeypatch.setattr(embed_series, "encode_mirrored_slices", lambda *asked: (drawn, turned))
    recipe = recipe_with("sequence_features=drawn", f"sequence_mirror={mirror}")
    trained: Any = SimpleNamespace(model=build("slim", 3, 4, masks=2))
    seen = embed_series.embed_series(series, [trained] * 2, [None] * 2, recipe, tmp_path)
    assert seen.overall == 2 * 3
    assert len(seen.mirrored) == (len(series) if mirror == "true" else 0)
    for side, said in ((seen.inputs, drawn), (seen.mirrored, turned)):
        for inputs, low, high in zip(side, series.starts[:-1], series.starts[1:], strict=False):
            assert inputs.shape == (high - low, 3 * 2 * drawn.shape[1] + PLACE + 6)
            areas = np.exp(said[low:high, 4:].reshape(-1, 3, 3, 2)[:, :, 2]).sum(1).max(0)
            np.testing.assert_allclose(inputs[:, -4], np.log(areas[0] / areas[1]), rtol=1e-4)
            np.testing.assert_array_equal(inputs[:, -6:-3], inputs[:, -3:])


def test_features_that_are_not_drawn_say_nothing_of_the_whole_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = some_series(2)
    said = np.ones((len(series.rows), 4), np.float32)
    monkeypatch.setattr(embed_series, "encode_slices", lambda *asked: said)
    recipe = recipe_with("sequence_features=logits", "sequence_mirror=false")
    trained: Any = SimpleNamespace(model=build("slim", 3, 4, masks=2))
    seen = embed_series.embed_series(series, [trained], [None], recipe, tmp_path)
    assert seen.overall == 0
    assert seen.inputs[0].shape == (3, 3 * 4 + PLACE)
