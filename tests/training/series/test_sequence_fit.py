"""tests/training/series/test_sequence_fit.py: a network goes on, and knows mirror images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.training.blob_series import FLIP_INDEX, inputs_for, quick
from torch import nn

from wetread.training.checkpoint import ResumeError
from wetread.training.losses import plain_series_loss
from wetread.training.optimizer import make_optimizer
from wetread.training.run import Run
from wetread.training.series import sequence_fit
from wetread.training.series.inputs import SequenceInputs
from wetread.training.series.sequence_fit import LAST, fit_sequence, predict_series_logits
from wetread.training.series.series import Series


def train(
    inputs: SequenceInputs, validation: SequenceInputs | None, folder: Path, **more: Any
) -> nn.Module:
    return fit_sequence(
        inputs, validation, quick(), flip_index=FLIP_INDEX, loss=plain_series_loss,
        run=Run(folder), **more,
    )  # fmt: skip


def test_a_sequence_network_killed_between_epochs_ends_as_if_it_had_not_been(
    series: Series, tmp_path: Path
) -> None:
    inputs = inputs_for(series)

    class KilledError(Exception):
        pass

    def killed(done: int, total: int) -> None:
        if done == 8:
            raise KilledError

    whole = train(inputs, inputs, tmp_path / "whole")
    with pytest.raises(KilledError):
        train(inputs, inputs, tmp_path / "cut", progress=killed)
    again = train(inputs, inputs, tmp_path / "cut")
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_going_on_with_other_labels_or_settings_is_refused(series: Series, tmp_path: Path) -> None:
    inputs = inputs_for(series)
    train(inputs, None, tmp_path)
    other = replace(inputs, series=series.with_study(1 - series.study))
    with pytest.raises(ResumeError, match=f"{LAST}: .*the slices or their labels are others"):
        train(other, None, tmp_path)
    with pytest.raises(ResumeError, match=r"series\.epochs was 3, is 4"):
        fit_sequence(
            inputs, None, quick("series.epochs=4"), flip_index=FLIP_INDEX,
            loss=plain_series_loss, run=Run(tmp_path),
        )  # fmt: skip


def test_a_training_that_an_earlier_version_began_is_refused_with_what_to_do(
    series: Series, tmp_path: Path
) -> None:
    Run(tmp_path).save(LAST, {"model": {}, "optimizer": {}, "epoch": 1, "best": 0.5, "digest": "a"})
    with pytest.raises(ResumeError, match=r"an earlier version began .* Give another folder"):
        train(inputs_for(series), None, tmp_path)


def test_a_mirror_image_changes_the_sides_of_the_predictions(
    series: Series, tmp_path: Path
) -> None:
    inputs = inputs_for(series)
    model = train(inputs, None, tmp_path)
    image, study = predict_series_logits(model, inputs, FLIP_INDEX, quick())
    turned = replace(inputs, inputs=inputs.mirrored, mirrored=inputs.inputs)
    turned_image, turned_study = predict_series_logits(model, turned, FLIP_INDEX, quick())
    np.testing.assert_allclose(turned_image, image, atol=1e-6)
    np.testing.assert_allclose(turned_study, study[:, FLIP_INDEX], atol=1e-6)


def test_biases_and_norms_of_a_sequence_network_do_not_decay(
    series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[torch.optim.AdamW] = []

    def watched(*arguments: Any, **more: Any) -> torch.optim.AdamW:
        made.append(make_optimizer(*arguments, **more))
        return made[0]

    monkeypatch.setattr(sequence_fit, "make_optimizer", watched)
    train(inputs_for(series), None, tmp_path)
    decaying, free = made[0].param_groups
    assert {parameter.ndim for parameter in free["params"]} == {1}
    assert (decaying["weight_decay"], free["weight_decay"]) == (0.02, 0.0)


def test_the_recipe_s_precision_is_that_of_the_layers(series: Series, tmp_path: Path) -> None:
    inputs = inputs_for(series)
    model: Any = train(inputs, None, tmp_path)
    taken: list[torch.dtype] = []
    model.network.network.enter[0].register_forward_hook(
        lambda module, given, output: taken.append(output.dtype)
    )
    for precision in ("float32", "bfloat16"):
        recipe = quick(f"runtime.precision={precision}")
        image, _ = predict_series_logits(model, inputs, FLIP_INDEX, recipe)
        assert taken[-1] == getattr(torch, precision)
        assert image.dtype == np.float64
