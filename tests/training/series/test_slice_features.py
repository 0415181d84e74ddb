"""tests/training/series/test_slice_features.py: what an encoder sees, and what its mirror image
would be."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from wetread.models.encoders import build, forward_with_masks
from wetread.models.features import split_head
from wetread.training.mask_table import unpack_map
from wetread.training.recipe_file import read_recipe
from wetread.training.series.slice_features import (
    cache_features,
    cache_features_and_maps,
    encode_mirrored_slices,
    encode_slices,
)
from wetread.training.trained_model import TrainedModel
from wetread.view.device import to_view


@pytest.fixture
def encoder() -> TrainedModel:
    return encoder_of(0, 24)


def encoder_of(seed: int, size: int) -> TrainedModel:
    settings = [
        f"size={size}",
        "runtime.threads=1",
        "runtime.precision=float32",
        "runtime.device=cpu",
    ]
    recipe = read_recipe("compact", settings)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build(recipe.encoder, recipe.view.channels, 2).eval()
    return TrainedModel(model, ("left", "right"), (), recipe.view, recipe, 1.0, 0, None)


class Listed:
    """The blobs as a store would list them; what is read is counted, and may be mirrored."""

    def __init__(self, blobs: Any, side: int) -> None:
        self.blobs, self.side, self.asked = blobs, side, 0
        n = len(blobs.hu)
        self.slices = blobs.slices.with_columns(
            part=pl.lit(f"side {side}"), offset=pl.Series(range(n)), bytes=pl.lit(1)
        )

    def read_hu(self, rows: list[int]) -> np.ndarray:
        self.asked += len(rows)
        return np.ascontiguousarray(self.blobs.read_hu(rows)[..., :: self.side])


def test_features_are_what_the_last_layer_takes(
    blobs: Any, encoder: TrainedModel, tmp_path: Path
) -> None:
    rows = np.arange(20, 60)
    found = encode_slices(encoder, Listed(blobs, 1), rows, tmp_path)  # type: ignore[arg-type]
    said = encode_slices(encoder, Listed(blobs, 1), rows, tmp_path, "logits")  # type: ignore[arg-type]
    with torch.inference_mode():
        seen = to_view(torch.from_numpy(blobs.hu[rows][:, None]), encoder.view)
        logits = encoder.model(seen).numpy()
        features = split_head(encoder.model)[0](seen).numpy()
    np.testing.assert_allclose(found, features, atol=1e-5)
    np.testing.assert_allclose(said, logits, atol=1e-5)


def test_features_of_both_sides_are_those_of_the_slices_and_of_mirrored_slices(
    blobs: Any, encoder: TrainedModel, tmp_path: Path
) -> None:
    rows, source = np.arange(60), Listed(blobs, 1)
    plain, mirrored = encode_mirrored_slices(encoder, source, rows, tmp_path)  # type: ignore[arg-type]
    assert source.asked == len(rows)  # each slice once for both
    turned = encode_slices(encoder, Listed(blobs, -1), rows, tmp_path)  # type: ignore[arg-type]
    np.testing.assert_allclose(mirrored, turned, atol=1e-5)
    assert not np.allclose(plain, mirrored, atol=1e-3)
    alone = encode_slices(encoder, SimpleNamespace(slices=source.slices), rows, tmp_path)  # type: ignore[arg-type]
    assert np.array_equal(alone, plain)  # from its file: the source can not be read


def test_encoders_of_one_view_see_a_slice_together(blobs: Any, tmp_path: Path) -> None:
    rows, source = np.arange(60), Listed(blobs, 1)
    encoders = [encoder_of(0, 24), encoder_of(1, 24), encoder_of(2, 16)]
    cache_features(encoders, source, rows, tmp_path / "all", mirror=True)  # type: ignore[arg-type]
    assert source.asked == 2 * len(rows)  # once for each of the two views
    deaf: Any = SimpleNamespace(slices=source.slices)
    for number, one in enumerate(encoders):
        kept = encode_mirrored_slices(one, deaf, rows, tmp_path / "all")
        alone = encode_mirrored_slices(one, source, rows, tmp_path / f"{number}")  # type: ignore[arg-type]
        for side, own in zip(kept, alone, strict=True):
            np.testing.assert_allclose(side, own, atol=1e-5)


def test_maps_and_features_are_kept_and_drawn_once(blobs: Any, tmp_path: Path) -> None:
    def drawing(seed: int) -> TrainedModel:
        recipe = read_recipe(
            "compact",
            [
                "size=32", "decoder=unet", "encoder=slim", "runtime.threads=1",
                "runtime.precision=float32", "runtime.device=cpu",
            ],
        )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = build("slim", recipe.view.channels, 2, masks=1).eval()
        return TrainedModel(model, ("a", "b"), ("a",), recipe.view, recipe, 1.0, 0, None)

    encoders, rows, source = [drawing(0), drawing(1)], np.arange(5, 12), Listed(blobs, 1)
    maps = cache_features_and_maps(encoders, source, rows, tmp_path, mirror=True)  # type: ignore[arg-type]
    assert (len(maps), source.asked) == (7, 7)
    again = cache_features_and_maps(encoders, source, rows, tmp_path, mirror=True)  # type: ignore[arg-type]
    assert (again, source.asked) == (maps, 7)
    encode_mirrored_slices(encoders[1], source, rows, tmp_path, "drawn")  # type: ignore[arg-type]
    assert source.asked == 7  # the features came with the maps
    view = to_view(torch.from_numpy(blobs.hu[rows][:, None]), encoders[0].view)
    with torch.inference_mode():
        expected = torch.zeros(())
        for one in encoders:
            for side in (False, True):
                _, logits = forward_with_masks(one.model, view.flip(-1) if side else view)
                assert logits is not None
                share = logits.sigmoid() / 4
                expected = expected + (share.flip(-1) if side else share)
    for row, (packed,) in enumerate(maps):
        np.testing.assert_allclose(unpack_map(packed), expected[row, 0].numpy(), atol=1 / 255)
