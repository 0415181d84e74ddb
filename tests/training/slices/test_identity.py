"""tests/training/slices/test_identity.py: other slices, labels or settings are another training."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.training.recipe import Recipe
from wetread.training.slices.batches import TrainSet
from wetread.training.slices.identity import pixels_digest, slice_identity, targets_digest


@pytest.fixture
def training(blobs: Any) -> TrainSet:
    made: TrainSet = blobs.train_set()
    return made


def test_equal_trainings_have_one_identity(training: TrainSet, blobs: Any) -> None:
    one = slice_identity(training, Recipe(), ("a", "b", "c"))
    assert one == slice_identity(blobs.train_set(), Recipe(), ("a", "b", "c"))
    assert one.pixels is None  # the source does not know


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, targets=1 - one.targets),
        lambda one: replace(one, weights=2 * one.weights),
        lambda one: replace(one, mirror=one.mirror[::-1]),
        lambda one: replace(one, rows=one.rows[::-1]),
    ],
    ids=["targets", "weights", "mirror", "rows"],
)
def test_whatever_is_learned_from_changes_the_digest(
    training: TrainSet, change: Callable[[TrainSet], TrainSet]
) -> None:
    assert targets_digest(change(training)) != targets_digest(training)


def test_settings_that_change_what_is_learned_are_part_of_it(training: TrainSet) -> None:
    one, other, same = (
        slice_identity(training, recipe, ("a",))
        for recipe in (Recipe(), Recipe(seed=1), Recipe(checkpoint_every_steps=3))
    )
    assert one != other
    assert one == same


def test_pixels_are_known_where_every_slice_has_a_digest(training: TrainSet) -> None:
    class Source:
        def __init__(self, digests: list[str | None]) -> None:
            self.slices = pl.DataFrame({"digest": digests}, schema={"digest": pl.String})

        def read_hu(self, rows: Any) -> np.ndarray:
            raise AssertionError("no pixel is read")

    assert pixels_digest(Source(["a", None])) is None
    known = pixels_digest(Source(["a", "b"]))
    assert known is not None
    assert known != pixels_digest(Source(["a", "c"]))
