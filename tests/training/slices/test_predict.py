"""tests/training/slices/test_predict.py: probabilities in the order asked for, mirrored,
unbalanced."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from wetread.training.balance import undo_balance
from wetread.training.recipe import Recipe, RuntimeSettings
from wetread.training.slices.predict import predict_probabilities
from wetread.view.view import View
from wetread.view.window import Window

VIEW = View((Window(500, 1000),), size=8)
RECIPE = Recipe(runtime=RuntimeSettings(precision="float32", threads=1, device="cpu"))


class Halves(nn.Module):
    """Logits: the mean grey of the left half and of the right half."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 2)
        self.head.weight.data = torch.eye(2)
        self.head.bias.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        halves = [part.mean((1, 2, 3)) for part in (x[..., :4], x[..., 4:])]
        logits: Tensor = self.head(torch.stack(halves, 1))
        return logits


class Brightening:
    """150 slices; the left half of slice i is i HU, the right half 2 i."""

    slices = pl.DataFrame({"SeriesInstanceUID": ["a"] * 150})

    def read_hu(self, rows: Sequence[int]) -> np.ndarray:
        hu = np.asarray(rows, np.float32)[:, None, None] * np.ones((1, 8, 8), np.float32)
        hu[:, :, 4:] *= 2
        return hu


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_probabilities_stand_in_the_order_of_the_rows() -> None:
    rows = np.random.default_rng(0).permutation(150)
    said = predict_probabilities(Halves(), Brightening(), rows, VIEW, RECIPE)
    np.testing.assert_allclose(said, sigmoid(rows[:, None] * [0.001, 0.002]), atol=1e-6)
    assert said.dtype == np.float64


def test_the_mirror_image_speaks_for_the_other_side() -> None:
    rows = [3, 100]
    same = predict_probabilities(Halves(), Brightening(), rows, VIEW, RECIPE, mirror=[1, 0])
    np.testing.assert_allclose(same, sigmoid(np.outer(rows, [0.001, 0.002])), atol=1e-6)
    mean = predict_probabilities(Halves(), Brightening(), rows, VIEW, RECIPE, mirror=[0, 1])
    np.testing.assert_allclose(mean, sigmoid(np.outer(rows, [0.0015, 0.0015])), atol=1e-6)


def test_balanced_epochs_are_undone() -> None:
    raw = predict_probabilities(Halves(), Brightening(), [5, 9], VIEW, RECIPE)
    said = predict_probabilities(Halves(), Brightening(), [5, 9], VIEW, RECIPE, negative_rate=0.2)
    np.testing.assert_allclose(said, undo_balance(raw, 0.2))


def test_no_rows_give_no_probabilities_for_each_finding() -> None:
    assert predict_probabilities(Halves(), Brightening(), [], VIEW, RECIPE).shape == (0, 2)
