"""tests/training/slices/test_batches.py: which slices, in which order, read by whom."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.training.recipe import Recipe
from wetread.training.slices.batches import (
    Share,
    TrainSet,
    batches,
    epoch_items,
    mixed_items,
    negative_rate,
    neighbor_rows,
    read_ahead,
    read_with_neighbors,
    steps_per_epoch,
    train_set,
)
from wetread.view.view import View
from wetread.view.window import BRAIN


class Numbered:
    """Six slices in two series; every pixel of slice i is i."""

    def __init__(self) -> None:
        self.slices = pl.DataFrame({"SeriesInstanceUID": list("aaaabb")})
        self.asked: list[int] = []

    def read_hu(self, rows: Sequence[int]) -> np.ndarray:
        self.asked.extend(rows)
        return np.broadcast_to(np.asarray(rows, np.float32)[:, None, None], (len(rows), 4, 4))


def targets_of(positives: int, negatives: int) -> np.ndarray:
    return np.repeat([[1.0, 0.0], [0.0, 0.0]], [positives, negatives], 0).astype(np.float32)


def some_set(n: int = 30) -> TrainSet:
    source = Numbered()
    source.slices = pl.DataFrame({"SeriesInstanceUID": ["a"] * n})
    targets = np.zeros((n, 3), np.float32)
    targets[::4, 0], targets[::8, 1] = 1, 1
    return train_set(source, range(n), targets, mirror=[0, 2, 1])


def test_neighbours_come_in_order_and_the_ends_of_a_series_repeat() -> None:
    rows = neighbor_rows(Numbered().slices, np.array([0, 1, 3, 4, 5]), View((BRAIN,), 2))
    assert rows.tolist() == [
        [0, 0, 0, 1, 2],
        [0, 0, 1, 2, 3],
        [1, 2, 3, 3, 3],
        [4, 4, 4, 5, 5],
        [4, 4, 5, 5, 5],
    ]


def test_what_is_seen_is_each_slice_between_its_neighbours() -> None:
    source = Numbered()
    hu = read_with_neighbors(
        source, neighbor_rows(source.slices, np.array([3, 4]), View((BRAIN,), 1))
    )
    assert hu.shape == (2, 3, 4, 4)
    assert hu[:, :, 0, 0].tolist() == [[2, 3, 3], [4, 4, 5]]
    assert source.asked == [2, 3, 4, 5]  # each slice once


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(0, 90), st.integers(0, 4), st.integers(0, 5))
def test_an_epoch_holds_every_positive_once_and_its_share_of_negatives(
    positives: int, negatives: int, wanted: int, epoch: int
) -> None:
    recipe = Recipe(negatives_per_positive=wanted)
    items = epoch_items(targets_of(positives, negatives), recipe, epoch)
    assert sorted(items[items < positives]) == list(range(positives))
    expected = negatives if wanted == 0 else min(negatives, positives * wanted)
    assert (items >= positives).sum() == expected


def test_epochs_bring_fresh_negatives_until_all_were_seen() -> None:
    targets, recipe = targets_of(5, 60), Recipe(negatives_per_positive=3)
    epochs = [epoch_items(targets, recipe, e) for e in range(8)]
    negatives = [set(items[items >= 5].tolist()) for items in epochs]
    assert set.union(*negatives[:4]) == set.union(*negatives[4:]) == set(range(5, 65))
    assert epochs[0].tolist() == epoch_items(targets, recipe, 0).tolist()
    other = recipe.model_copy(update={"seed": 1})
    assert epochs[0].tolist() != epoch_items(targets, other, 0).tolist()


def test_the_rate_of_negatives_is_what_an_epoch_takes_of_them() -> None:
    assert negative_rate(targets_of(5, 60), Recipe(negatives_per_positive=3)) == 0.25
    assert negative_rate(targets_of(5, 10), Recipe(negatives_per_positive=3)) == 1
    assert negative_rate(targets_of(5, 0), Recipe()) == 1


def test_a_set_without_positives_is_learned_whole() -> None:
    assert len(epoch_items(targets_of(0, 7), Recipe(), 0)) == 7


def test_batches_are_of_nearly_one_size() -> None:
    data, recipe = some_set(), Recipe(batch_size=16, negatives_per_positive=0)
    sizes = [len(batch.hu) for batch in batches(data, recipe, 0)]
    assert sizes == [15, 15]
    assert len(sizes) == steps_per_epoch(data.targets, recipe, 0)


@pytest.mark.parametrize("readers", [1, 4])
def test_an_epoch_taken_up_in_its_middle_goes_on_as_it_would_have(readers: int) -> None:
    data, recipe = some_set(), Recipe(batch_size=4)
    whole = list(batches(data, recipe, epoch=2))
    rest = list(batches(data, recipe.with_settings({"runtime.readers": readers}), epoch=2, start=3))
    assert len(rest) == len(whole) - 3
    for ours, theirs in zip(rest, whole[3:], strict=True):
        np.testing.assert_array_equal(ours.hu, theirs.hu)
        np.testing.assert_array_equal(ours.targets, theirs.targets)
        np.testing.assert_array_equal(ours.augmentation.angle, theirs.augmentation.angle)


def test_a_flipped_image_takes_the_labels_of_the_other_side() -> None:
    data = some_set()
    for batch in batches(data, Recipe(batch_size=8), 0):
        row = batch.hu[:, 0, 0, 0].astype(int)
        left, right = data.targets[row, 1], data.targets[row, 2]
        flip = batch.augmentation.flip
        np.testing.assert_array_equal(batch.targets[:, 1], np.where(flip, right, left))
        np.testing.assert_array_equal(batch.targets[:, 2], np.where(flip, left, right))


def test_a_slice_of_which_nothing_is_known_is_not_learned() -> None:
    truth = np.array([[1, 0], [np.nan, np.nan], [np.nan, 0]])
    data = train_set(Numbered(), [0, 1, 2], truth)
    assert data.rows.tolist() == [0, 2]


def test_no_label_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no image has a label"):
        train_set(Numbered(), [0, 1], np.full((2, 2), np.nan))


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 rows, targets \(2, 2\), 3 weights and 2 mirrors"):
        train_set(Numbered(), [0, 1], np.zeros((2, 2)), weights=[1, 1, 1])


def test_threads_that_read_ahead_do_not_change_the_order() -> None:
    def make(step: int) -> int:
        time.sleep(0.002 * (step % 3))
        return step

    assert list(read_ahead(make, range(20), 4)) == list(range(20))


def test_a_fault_while_reading_reaches_the_caller_and_the_threads_end() -> None:
    def make(step: int) -> int:
        if step == 3:
            raise OSError("store/0.b2: gone")
        return step

    before = threading.active_count()
    with pytest.raises(OSError, match="gone"):
        list(read_ahead(make, range(9), 2))
    assert threading.active_count() == before


def test_a_phase_sees_no_neighbour_of_another_phase_of_its_series() -> None:
    """Two acquisitions in one series: the last of one and the first of the other are far apart."""
    slices = pl.DataFrame({"SeriesInstanceUID": ["a"] * 6, "acquisition": [1, 1, 1, 2, 2, 2]})
    rows = neighbor_rows(slices, np.arange(6), View((BRAIN,), 1))
    assert rows.tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2], [3, 3, 4], [3, 4, 5], [4, 5, 5]]


def test_a_batch_has_its_share_of_other_slices_behind_its_own() -> None:
    source = Numbered()
    other = train_set(source, [4, 5], np.full((2, 3), 1.0), mirror=[0, 2, 1])
    recipe = Recipe(batch_size=8, negatives_per_positive=0).with_settings(
        {"phantoms.studies": 1, "phantoms.share": 0.75, "runtime.readers": 1}
    )
    plain = list(batches(some_set(), recipe, 0))
    mixed = list(batches(replace(some_set(), mixed=other), recipe, 0))
    assert len(mixed) == len(plain)
    for ours, theirs in zip(mixed, plain, strict=True):
        own = len(theirs.hu)
        assert len(ours.hu) == len(ours.targets) == len(ours.augmentation) == 4 * own
        np.testing.assert_array_equal(ours.hu[:own], theirs.hu)
        assert set(ours.hu[own:, 0, 0, 0].tolist()) <= {4.0, 5.0}
        assert (ours.targets[own:] == 1).all()
    again = next(iter(batches(replace(some_set(), mixed=other), recipe, 0, start=1)))
    np.testing.assert_array_equal(again.hu, mixed[1].hu)


def test_other_slices_have_a_finding_as_often_as_those_they_join() -> None:
    targets = targets_of(300, 20)
    rng = np.random.default_rng(0)
    drawn = mixed_items(targets, 4000, 0.5, 0.14, rng)
    assert len(drawn) == 4000
    assert (drawn < 300).mean() == pytest.approx(0.14, abs=0.02)  # four standard errors
    assert mixed_items(targets_of(5, 0), 3, 0.5, 0.0, rng).size == 3  # no other is there


def test_neighbors_lie_the_views_distance_apart_and_one_slice_at_least() -> None:
    position = [0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 9.0, 18.0]
    series = ["thin"] * 5 + ["thick"] * 3
    slices = pl.DataFrame(
        {"SeriesInstanceUID": series, "acquisition": [0] * 8, "position_mm": position}
    )
    view = View((BRAIN,), neighbors=2, neighbor_mm=2.1)
    rows = neighbor_rows(slices, np.array([0, 2, 4, 6]), view)
    assert rows.tolist() == [[0, 0, 0, 2, 4], [0, 0, 2, 4, 4], [0, 2, 4, 4, 4], [5, 5, 6, 7, 7]]
    nowhere = slices.with_columns(position_mm=pl.lit(None, pl.Float64))
    adjacent = neighbor_rows(nowhere, np.array([2]), view)
    assert adjacent.tolist() == [[0, 1, 2, 3, 4]]


@given(
    st.lists(st.floats(0.1, 12), min_size=1, max_size=9),
    st.integers(1, 3),
    st.floats(0.5, 15),
)
def test_a_neighbor_is_the_nearest_slice_to_its_place_among_those_far_enough(
    apart: list[float], neighbors: int, mm: float
) -> None:
    position = np.cumsum([0.0, *apart])
    slices = pl.DataFrame({"SeriesInstanceUID": ["a"] * len(position), "position_mm": position})
    slices = slices.with_columns(acquisition=pl.lit(0))
    view = View((BRAIN,), neighbors=neighbors, neighbor_mm=mm)
    found = neighbor_rows(slices, np.arange(len(position)), view)
    for row, around in enumerate(found):
        for step, chosen in zip(range(-neighbors, neighbors + 1), around, strict=True):
            allowed = [i for i in range(len(position)) if (i - row) * np.sign(step) >= abs(step)]
            if step == 0:
                allowed = [row]
            if not allowed:  # past the end: the last slice there is
                allowed = [0 if step < 0 else len(position) - 1]
            away = [abs(position[i] - position[row] - step * mm) for i in allowed]
            assert abs(position[chosen] - position[row] - step * mm) <= min(away) + 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 4))
def test_the_shares_of_processes_are_the_parts_of_one_in_order(
    size: int, count: int, parts: int
) -> None:
    whole = np.array_split(np.arange(size), min(size, count * parts))
    shares = [Share(number, count, parts).of(size) for number in range(count)]
    assert np.concatenate(shares).tolist() == list(range(size))
    within = [
        part.tolist()
        for share in shares
        if len(share)
        for part in np.array_split(share, min(parts, len(share)))
    ]
    assert within == [part.tolist() for part in whole]


@pytest.mark.parametrize("mixed", [False, True])
def test_a_process_reads_its_share_of_each_batch_and_no_other_slice(mixed: bool) -> None:
    data = some_set()
    recipe = Recipe(batch_size=7, negatives_per_positive=0)
    if mixed:
        data = replace(data, mixed=some_set(12))
        recipe = recipe.with_settings({"phantoms.share": 0.3, "phantoms.studies": 1})
    wholes = list(batches(data, recipe, 0))
    source = data.source
    assert isinstance(source, Numbered)
    read = []
    for number in range(2):
        source.asked.clear()
        shares = list(batches(data, recipe, 0, 1, Share(number, 2)))
        read.append(list(source.asked))
        for whole, share in zip(wholes[1:], shares, strict=True):
            places = Share(number, 2).of(len(whole.targets))
            np.testing.assert_array_equal(share.hu, whole.hu[places])
            np.testing.assert_array_equal(share.targets, whole.targets[places])
            np.testing.assert_array_equal(
                share.augmentation.angle, whole.augmentation.angle[places]
            )
    assert not set(read[0]) & set(read[1])
