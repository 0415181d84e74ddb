"""tests/training/slices/test_pseudo_labels.py: answers about images without a label
are learned, and none about whom networks are scored on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from wetread.labels.finding import finding_names
from wetread.training.data import LabeledSlices, Split, mirror_columns, plan_splits
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.slices.ensemble_mean import read_mean
from wetread.training.slices.fit import fit_encoder, fit_split
from wetread.training.slices.pseudo_labels import FILE, TEACHER, unlabeled_rows, with_pseudo_labels
from wetread.training.slices.refit import refit_all
from wetread.training.trained_model import TrainedModel, read_trained_model


def quick(*settings: str) -> Recipe:
    words = ("size=24", "batch_size=16", "runtime.threads=1", "runtime.device=cpu", "epochs=1")
    return read_recipe("compact", [*words, "negatives_per_positive=0", *settings])


def silent(done: int, total: int) -> None:
    """Reports nothing."""


def same(one: TrainedModel, other: TrainedModel) -> bool:
    pairs = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture
def half(data: LabeledSlices) -> LabeledSlices:
    """Every other slice has a label."""
    return replace(data, rows=data.rows[::2], truth=data.truth[::2])


@pytest.fixture
def split(half: LabeledSlices) -> Split:
    _, (first, *_) = plan_splits(half, 2, seed=0)
    return first


def test_slices_of_patients_who_are_validated_or_scored_are_left_out(
    half: LabeledSlices, split: Split
) -> None:
    rows = unlabeled_rows(half, split)
    patient = half.store.slices["patient"].to_list()
    learned = {half.column("patient")[place] for place in split.train}
    assert len(rows) > 0
    assert set(rows).isdisjoint(half.rows)
    assert {patient[row] for row in rows} <= learned
    assert len(rows) == sum(patient[row] in learned for row in range(1, len(patient), 2))


def test_a_split_is_learned_anew_with_its_first_networks_answers(
    half: LabeledSlices, split: Split, tmp_path: Path
) -> None:
    recipe = quick("pseudo_labels=true")
    steps: list[tuple[int, int]] = []
    fit_split(
        half,
        split,
        recipe,
        run=Run(tmp_path),
        number=0,
        weights=None,
        progress=lambda done, total: steps.append((done, total)),
    )
    teacher = read_trained_model(tmp_path / "model-0" / TEACHER)
    plain = fit_encoder(
        half, split, quick(), weights=None, run=Run(tmp_path / "plain"), progress=silent
    )
    assert same(teacher, plain)
    rows = unlabeled_rows(half, split)
    joined, more = with_pseudo_labels(half, split, [teacher], tmp_path / "labels")
    read = read_mean([teacher], half.store, rows, mirror_columns(half.findings).tolist())
    np.testing.assert_array_equal(joined.truth[more.train[len(split.train) :]], read.probability)
    np.testing.assert_array_equal(joined.rows[more.train[len(split.train) :]], rows)
    np.testing.assert_array_equal(more.scored, split.scored)
    again = fit_encoder(
        joined, more, recipe, weights=None, run=Run(tmp_path / "again"), progress=silent
    )
    student = read_trained_model(tmp_path / "model-0")
    assert same(student, again)
    kept = pl.read_parquet(tmp_path / "model-0" / TEACHER / FILE)
    np.testing.assert_array_equal(kept.drop("row", "id").to_numpy(), read.probability)
    fit_split(half, split, recipe, run=Run(tmp_path), number=0, weights=None, progress=silent)
    assert not same(student, teacher)
    assert all(done <= total for done, total in steps)


def test_networks_of_all_patients_learn_the_folds_answers(
    half: LabeledSlices, tmp_path: Path
) -> None:
    recipe = quick("pseudo_labels=true", "folds=2", "refit=true")
    _, splits = plan_splits(half, 2, seed=0)
    run = Run(tmp_path)
    for number, one in enumerate(splits):
        fit_split(half, one, recipe, run=run, number=number, weights=None, progress=silent)
    refit_all(half, recipe, run=run, weights=None, mixed=None, progress=silent)
    nobody = np.empty(0, np.int64)
    everyone = Split("", np.arange(len(half.rows)), nobody, nobody)
    folds = [read_trained_model(tmp_path / f"model-{number}") for number in (0, 1)]
    joined, all_of_them = with_pseudo_labels(half, everyone, folds, tmp_path / "labels")
    assert len(all_of_them.train) == len(half.store.slices)
    again = fit_encoder(
        joined, all_of_them, recipe, weights=None, run=Run(tmp_path / "again"), progress=silent
    )
    assert same(read_trained_model(tmp_path / "refit"), again)


def test_labels_that_are_there_are_not_made_again(
    half: LabeledSlices, split: Split, tmp_path: Path
) -> None:
    rows = unlabeled_rows(half, split)
    names = finding_names(half.findings)
    ids = half.store.slices["SOPInstanceUID"].gather(rows)
    table = pl.DataFrame({"row": rows, "id": ids} | {name: [0.25] * len(rows) for name in names})
    table.write_parquet(tmp_path / FILE)
    joined, _ = with_pseudo_labels(half, split, [], tmp_path)
    assert (joined.truth[len(half.rows) :] == 0.25).all()


def test_a_split_without_such_slices_is_learned_once(data: LabeledSlices, tmp_path: Path) -> None:
    _, (split, *_) = plan_splits(data, 2, seed=0)
    recipe = quick("pseudo_labels=true")
    fit_split(data, split, recipe, run=Run(tmp_path), number=0, weights=None, progress=silent)
    assert not (tmp_path / "model-0" / TEACHER).exists()


@pytest.mark.parametrize(
    "setting", ["decoder=unet", "series.network=gru", "negatives_per_positive=0.5"]
)
def test_masks_series_and_balanced_epochs_have_none(setting: str) -> None:
    with pytest.raises(ValueError, match="pseudo_labels = true with "):
        quick("pseudo_labels=true", "size=32", setting)
