"""training/series/extract.py: features of slices by encoders in torch, and what these draw."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from wetread.archive.types import Float32Array, Int64Array
from wetread.models.features import DrawingExtractors, FeatureExtractors, feature_extractor
from wetread.training.mask_table import pack_map
from wetread.training.networks import PackedRow
from wetread.training.recipe import Recipe
from wetread.training.slices.predict import inference_copy, predict_batches
from wetread.training.slices.source import SliceSource
from wetread.view.view import View


def extract(
    keys: Sequence[tuple[nn.Module, bool]],
    source: SliceSource,
    rows: Int64Array,
    view: View,
    recipe: Recipe,
    kind: str,
) -> list[Float32Array]:
    """Compute features (N, D) of rows (N,) by each encoder, as they are or mirrored; all encoders
    have the view and run as the recipe says. kind: of models/features.py."""
    extractors = {one: inference_copy(feature_extractor(one, kind), recipe) for one, _ in keys}
    network = FeatureExtractors(
        [extractors[one] for one, _ in keys], [mirrored for _, mirrored in keys]
    )
    batches = predict_batches(network, source, rows, view, recipe)
    return [torch.cat(features).numpy() for features in zip(*batches, strict=True)]


def extract_with_maps(
    keys: Sequence[tuple[nn.Module, bool]],
    source: SliceSource,
    rows: Int64Array,
    view: View,
    recipe: Recipe,
) -> tuple[list[PackedRow], list[Float32Array]]:
    """Compute the packed mean maps of each row (N,), and the features (N, D) of each encoder, as
    they are or mirrored; all encoders have the view and run as the recipe says."""
    extractors = {one: inference_copy(feature_extractor(one, "drawn"), recipe) for one, _ in keys}
    network = DrawingExtractors(
        [extractors[one] for one, _ in keys], [mirrored for _, mirrored in keys]
    )
    maps: list[PackedRow] = []
    features: list[list[Tensor]] = [[] for _ in keys]
    for batch in predict_batches(network, source, rows, view, recipe):
        *own, mean = (part for part in batch if part is not None)
        for each, part in zip(features, own, strict=True):
            each.append(part)
        maps += [tuple(map(pack_map, row)) for row in mean.numpy()]
    return maps, [torch.cat(each).numpy() for each in features]
