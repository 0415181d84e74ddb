"""tests/training/series/test_embed_series.py: what is seen of series: by slice, overall, on one
scale."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wetread.models.mask_peaks import PEAKS
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.series import embed_series as embed_series
from wetread.training.series.series import PLACE, Series


def some_series(count: int) -> Series:
    """Series of 3, 4, 5 ... slices, 5 mm apart."""
    starts = np.concatenate([[0], np.cumsum(np.arange(count) + 3)])
    ids = tuple(f"1.{n}" for n in range(count))
    return Series(
        rows=np.arange(starts[-1]), starts=starts, position_mm=5.0 * np.arange(starts[-1]),
        image=np.zeros((starts[-1], 1)), study=np.zeros((count, 2)), studies=ids, patients=ids,
    )  # fmt: skip


def recipe_with(*settings: str) -> Recipe:
    return read_recipe("compact", ["series.network=gru", *settings])


@pytest.mark.parametrize("mirror", ["false", "true"])
def test_what_is_drawn_is_seen_with_what_the_masks_say_of_the_whole_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: str
) -> None:
    series, rng = some_series(6), np.random.default_rng(3)
    drawn = rng.normal(size=(len(series.rows), 4 + 2 * PEAKS)).astype(np.float32)
    turned = rng.normal(size=drawn.shape).astype(np.float32)
    monkeypatch.setattr(embed_series, "encode_slices", lambda *asked: drawn)
    monkeypatch.setattr(embed_series, "encode_mirrored_slices", lambda *asked: (drawn, turned))
    recipe = recipe_with("series.features=drawn", f"series.mirror={mirror}")
    store: Any = None
    trained: Any = SimpleNamespace(mask_findings=("clot", "ventricle"))
    seen = embed_series.embed_series(series, [trained] * 2, [store] * 2, recipe, tmp_path)
    assert seen.overall == 2 * 3
    assert len(seen.mirrored) == (len(series) if mirror == "true" else 0)
    for side, said in ((seen.inputs, drawn), (seen.mirrored, turned)):
        for inputs, low, high in zip(side, series.starts[:-1], series.starts[1:], strict=False):
            assert inputs.shape == (high - low, 3 * 2 * drawn.shape[1] + PLACE + 6)
            areas = np.exp(said[low:high, 4:].reshape(-1, 3, 3, 2)[:, :, 2]).sum(1).max(0)
            np.testing.assert_allclose(inputs[:, -4], np.log(areas[0] / areas[1]), rtol=1e-4)
            np.testing.assert_array_equal(inputs[:, -6:-3], inputs[:, -3:])


def test_features_that_are_not_drawn_say_nothing_of_the_whole_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = some_series(2)
    said = np.ones((len(series.rows), 4), np.float32)
    monkeypatch.setattr(embed_series, "encode_slices", lambda *asked: said)
    recipe = recipe_with("series.features=logits", "series.mirror=false")
    store: Any = None
    trained: Any = SimpleNamespace(mask_findings=("clot", "ventricle"))
    seen = embed_series.embed_series(series, [trained], [store], recipe, tmp_path)
    assert seen.overall == 0
    assert seen.inputs[0].shape == (3, 3 * 4 + PLACE)
