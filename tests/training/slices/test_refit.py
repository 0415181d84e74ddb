"""tests/training/slices/test_refit.py: after folds, networks of all patients read alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from wetread.training.data import LabeledSlices, Split, plan_splits
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.slices.fit import fit_encoder, fit_split
from wetread.training.slices.members import fold_checkpoints, refit_checkpoints
from wetread.training.slices.refit import NOBODY, refit_all
from wetread.training.trained_model import read_trained_model


def quick(*settings: str) -> Recipe:
    words = ("size=24", "batch_size=16", "runtime.threads=1", "runtime.device=cpu", "folds=2")
    return read_recipe("compact", [*words, *settings])


def silent(done: int, total: int) -> None:
    """Reports nothing."""


def test_they_learn_all_patients_for_the_median_of_the_epochs_that_folds_kept(
    data: LabeledSlices, tmp_path: Path
) -> None:
    recipe = quick("epochs=3", "members=2", "refit=true")
    _, splits = plan_splits(data, 2, seed=0)
    for number, split in enumerate(splits):
        fit_split(
            data, split, recipe, run=Run(tmp_path), number=number, weights=None, progress=silent
        )
    folds = fold_checkpoints(tmp_path)
    assert refit_checkpoints(tmp_path) == []
    steps: list[tuple[int, int]] = []
    epochs = refit_all(
        data,
        recipe,
        run=Run(tmp_path),
        weights=None,
        mixed=None,
        progress=lambda done, total: steps.append((done, total)),
    )
    kept = sorted(read_trained_model(file).epoch + 1 for file in folds)
    assert epochs == (kept[1] + kept[2] + 1) // 2  # of four; half an epoch is a whole one
    names = [file.relative_to(tmp_path).as_posix() for file in refit_checkpoints(tmp_path)]
    assert names == ["refit/best.pt", "refit/member-1/best.pt"]
    assert fold_checkpoints(tmp_path) == folds
    assert steps[-1][0] == steps[-1][1]
    everyone = Split("", np.arange(len(data.rows)), NOBODY, NOBODY)
    own = quick(f"epochs={epochs}")
    alone = fit_encoder(
        data, everyone, own, weights=None, run=Run(tmp_path / "alone"), progress=silent
    )
    again = read_trained_model(tmp_path / "refit")
    for one, other in zip(
        alone.model.state_dict().values(), again.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize("settings", [("folds=0",), ("folds=1",), ("series.network=gru",)])
def test_without_folds_of_slices_there_are_no_epochs_to_take(settings: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="refit = true with folds = "):
        quick("refit=true", *settings)
