"""tests/reports/test_heat.py: heat maps of networks are averaged; drawing ones have none."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from wetread.reports.mean_heat import mean_heat_map
from wetread.store.store import Store
from wetread.training.recipe import Recipe
from wetread.training.trained_model import TrainedModel
from wetread.view.view import View
from wetread.view.window import Window

VIEW = View((Window(500, 1000),), size=8)


class Bright(nn.Module):
    """One logit: `weight` times the mean of the picture, over a map of its own."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 1, 1, bias=False), nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.conv.weight)
        nn.init.constant_(self.head.weight, weight)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.conv(x).mean((2, 3)))
        return logits


def model(weight: float) -> TrainedModel:
    return TrainedModel(Bright(weight), ("any",), (), VIEW, Recipe(), 1.0, 0, None)


@pytest.fixture
def store() -> Store:
    """One slice, its left half at 1000 HU, the right half at 0."""
    hu = np.zeros((1, 8, 8), np.float32)
    hu[:, :, :4] = 1000
    slices = pl.DataFrame({"SeriesInstanceUID": ["s"], "acquisition": [0]})
    return cast(Store, SimpleNamespace(slices=slices, read_hu=lambda rows: hu[np.asarray(rows)]))


def test_heat_lies_where_the_picture_speaks_for_the_finding(store: Store) -> None:
    heat = mean_heat_map([model(2.0)], store, 0, 0)
    assert heat is not None
    assert heat.dtype == np.float32
    np.testing.assert_allclose(heat, np.repeat([[1.0] * 4 + [0.0] * 4], 8, axis=0))
    both = mean_heat_map([model(2.0), model(1.0)], store, 0, 0)
    np.testing.assert_allclose(cast(Any, both), heat)


def test_where_nothing_speaks_for_it_or_masks_say_more_there_is_none(store: Store) -> None:
    assert mean_heat_map([model(-1.0)], store, 0, 0) is None
    drawing = replace(model(2.0), mask_findings=("any",))
    assert mean_heat_map([drawing], store, 0, 0) is None
    assert torch.is_grad_enabled()
