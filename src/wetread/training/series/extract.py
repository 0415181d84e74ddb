"""training/series/extract.py: features of slices by encoders in torch, and what these draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from wetread.archive.types import Float32Array, Int64Array
from wetread.models.features import DrawingExtractors, FeatureExtractors, feature_extractor
from wetread.training.mask_table import pack_map
from wetread.training.networks import PackedRow
from wetread.training.slices.predict import inference_copy, predict_batches
from wetread.training.slices.source import SliceSource

if TYPE_CHECKING:  # whose method calls what is here
    from wetread.training.run import TrainedModel


def extract(
    keys: Sequence[tuple[TrainedModel, bool]], source: SliceSource, rows: Int64Array, kind: str
) -> list[Float32Array]:
    """Compute (N, D) of rows for each encoder, as they are or mirrored; all of one view and
    runtime."""
    extractors = {
        one: inference_copy(feature_extractor(one.model, kind), one.recipe) for one, _ in keys
    }
    network = FeatureExtractors(
        [extractors[one] for one, _ in keys], [mirrored for _, mirrored in keys]
    )
    first, _ = keys[0]
    batches = predict_batches(network, source, rows, first.view, first.recipe)
    return [torch.cat(features).numpy() for features in zip(*batches, strict=True)]


def extract_with_maps(
    keys: Sequence[tuple[TrainedModel, bool]], source: SliceSource, rows: Int64Array
) -> tuple[list[PackedRow], list[Float32Array]]:
    """Compute the packed mean maps of each row, and the features (N, D) of each encoder and side;
    all are of one view and runtime."""
    first, _ = keys[0]
    extractors = {
        id(one): inference_copy(feature_extractor(one.model, "drawn"), one.recipe)
        for one, _ in keys
    }
    network = DrawingExtractors(
        [extractors[id(one)] for one, _ in keys], [mirrored for _, mirrored in keys]
    )
    maps: list[PackedRow] = []
    features: list[list[Tensor]] = [[] for _ in keys]
    for batch in predict_batches(network, source, rows, first.view, first.recipe):
        *own, mean = (part for part in batch if part is not None)
        for each, part in zip(features, own, strict=True):
            each.append(part)
        maps += [tuple(map(pack_map, row)) for row in mean.numpy()]
    return maps, [torch.cat(each).numpy() for each in features]
