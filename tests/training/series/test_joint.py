"""tests/training/series/test_joint.py: joint training goes on, and trains the encoders too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.blob_series import fit, quick, series_data

from wetread.training.series import joint
from wetread.training.series.series import Series


def test_joint_training_killed_between_epochs_ends_as_if_it_had_not_been(
    store: Any, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = quick("joint.epochs=2", "joint.slices=7", "joint.learning_rate=1e-3")
    whole = fit(tmp_path / "whole", series_data(store, series), recipe)

    class KilledError(Exception):
        pass

    real, steps = joint.joint_loss, []

    def killed(*arguments: Any) -> torch.Tensor:
        steps.append(1)
        if len(steps) > 7:  # of 14 series, two a step: the second epoch has begun
            raise KilledError
        return real(*arguments)

    monkeypatch.setattr(joint, "joint_loss", killed)
    with pytest.raises(KilledError):
        fit(tmp_path / "cut", series_data(store, series), recipe)
    monkeypatch.undo()
    again = fit(tmp_path / "cut", series_data(store, series), recipe)
    for one, other in zip(whole.levels, again.levels, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)


def test_joint_training_changes_the_encoders_too(
    store: Any, series: Series, tmp_path: Path
) -> None:
    recipe = quick("joint.epochs=3", "joint.slices=7", "joint.learning_rate=1e-3")
    fit(tmp_path, series_data(store, series), recipe, choosing=0)  # else the start may be the best
    part = tmp_path / "model-0" / "part-0"
    before, after = (torch.load(folder / "whole" / "best.pt")["model"]
                     for folder in (part, part / "together"))  # fmt: skip
    assert any(not torch.equal(before[name], after[name]) for name in before)
