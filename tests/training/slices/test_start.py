"""tests/training/slices/test_start.py: what a network gives on average before its first step."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from wetread.training.recipe import Recipe
from wetread.training.slices.batches import train_set
from wetread.training.slices.predict import predict_with_masks
from wetread.training.slices.start import bias_shift, shift_to_priors

SLICES = 60


class Means(nn.Module):
    """Its logits are 8 times the mean gray of the image, and a bias that learned elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(1, 2)
        with torch.no_grad():
            self.head.weight.fill_(8.0)
            self.head.bias.fill_(2.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(x.mean((1, 2, 3))[:, None])


def test_the_mean_of_what_is_given_becomes_the_share_and_the_order_stays() -> None:
    def read_hu(rows: Sequence[int]) -> np.ndarray:
        return np.broadcast_to(np.asarray(rows, np.float32)[:, None, None], (len(rows), 8, 8))

    source: Any = SimpleNamespace(
        slices=pl.DataFrame({"SeriesInstanceUID": ["a"] * SLICES}), read_hu=read_hu
    )
    targets = np.zeros((SLICES, 2), np.float32)
    targets[:12, 0], targets[:, 1] = 1, np.nan
    data = train_set(source, range(SLICES), targets)
    recipe = Recipe(size=8, negatives_per_positive=0).with_settings({"runtime.device": "cpu"})
    model = Means()

    def read() -> torch.Tensor:
        rows = range(SLICES)
        batches = predict_with_masks(model, source, rows, recipe.view, recipe)
        return torch.from_numpy(np.concatenate([batch.logits for batch in batches]))

    before = read()
    shift_to_priors(model, data, recipe)
    after = read()
    assert float(after[:, 0].sigmoid().mean()) == pytest.approx(12.5 / 61, abs=2e-3)  # bf16
    assert torch.equal(after[:, 0].argsort(stable=True), before[:, 0].argsort(stable=True))
    assert model.head.bias[1] == 2.0  # nothing is known of it
    assert model.training


@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_a_shift_is_the_one_root_of_the_mean(spread: float) -> None:
    logits = spread * np.random.default_rng(0).normal(size=99) + 4
    target = np.r_[np.ones(19), np.zeros(80)].astype(np.float32)
    shift = bias_shift(logits, target)
    assert np.mean(1 / (1 + np.exp(-(logits + shift)))) == pytest.approx(19.5 / 100)
    if not spread:  # the logit of the share, in closed form
        assert shift + 4 == pytest.approx(np.log(0.195 / 0.805))
