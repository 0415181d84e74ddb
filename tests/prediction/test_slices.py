"""tests/prediction/test_slices.py: networks of slices are averaged, smoothed along z, raised."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from wetread.labels.finding import Finding
from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.slices import SliceReader
from wetread.store.store import Store
from wetread.study.crop import whole_picture
from wetread.study.series_choice import SeriesScore
from wetread.training.balance import undo_balance
from wetread.training.slices.spec import SliceSpec
from wetread.training.trained_model import TrainedModel
from wetread.view.device import to_view

WriteRun = Callable[..., Path]
MakeStore = Callable[..., Store]
SPEC = SliceSpec(
    "t",
    (Finding("left", mirror="right"), Finding("right", mirror="left"), Finding("any")),
    find_box=whole_picture,
)


def silent(done: int, total: int) -> None:
    """Says nothing."""


def test_members_are_averaged_as_probabilities_with_each_ones_balance_undone(
    write_run: WriteRun, store: MakeStore
) -> None:
    """The oracle is the network itself, run here without batches, mirror or store."""
    noise = store(("s", 6))
    ensemble = read_ensemble([write_run("a"), write_run("b")])
    done: list[int] = []
    reader = SliceReader(ensemble, SPEC)
    answers = reader.read([noise], ranked={}, progress=lambda at, total: done.append(at))
    alone = []
    for member in ensemble.members:
        assert isinstance(member.model, TrainedModel)
        image = to_view(torch.from_numpy(noise.read_hu(range(6)))[:, None], member.model.view)
        with torch.inference_mode():
            straight = member.model.model(image)
            mirrored = member.model.model(image.flip(-1))[:, [1, 0, 2]]
        logits = ((straight + mirrored) / 2).double().numpy()
        alone.append(undo_balance(1 / (1 + np.exp(-logits)), 0.5))
    assert np.abs(alone[0] - alone[1]).mean() > 1e-3
    mean = (alone[0] + alone[1]) / 2
    around = [np.average(mean[:2], axis=0, weights=[2, 1])]
    around += [np.average(mean[i - 1 : i + 2], axis=0, weights=[1, 2, 1]) for i in range(1, 5)]
    around += [np.average(mean[4:], axis=0, weights=[1, 2])]
    assert answers.image == pytest.approx(np.array(around), abs=2e-3)  # bfloat16 where native
    assert done == [0, 2, 2]  # both read a batch together


def test_a_study_is_the_maximum_of_its_slices_and_of_its_best_series_alone(
    write_run: WriteRun, store: MakeStore
) -> None:
    reader = SliceReader(read_ensemble([write_run("a")]), SPEC)
    noise = store(("s", 3), ("t", 2))
    answers = reader.read([noise], ranked={}, progress=silent)
    assert list(answers.study) == ["s", "t"]
    np.testing.assert_array_equal(answers.study["s"], answers.image[:3].max(axis=0))
    np.testing.assert_array_equal(answers.study["t"], answers.image[3:].max(axis=0))
    two_series = noise.slices.with_columns(StudyInstanceUID=pl.lit("s"))
    best = {"s": [SeriesScore("t-series", 2, 0.0, ())]}
    judged = reader.read([replace(noise, slices=two_series)], ranked=best, progress=silent)
    np.testing.assert_array_equal(judged.study["s"], judged.image[3:].max(axis=0))
    assert (dict(judged.broken), judged.masks.findings) == ({}, ())


def test_a_store_without_slices_has_no_answers(write_run: WriteRun, store: MakeStore) -> None:
    reader = SliceReader(read_ensemble([write_run("a")]), SPEC)
    answers = reader.read([store()], ranked={}, progress=silent)
    assert (answers.image.shape, dict(answers.study)) == ((0, 3), {})
