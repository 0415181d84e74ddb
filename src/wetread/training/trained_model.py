"""training/trained_model.py: a network of slices that was kept, and how it reads in torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from wetread.archive.files.damaged import expect_form
from wetread.archive.types import Float32Array, Int64Array
from wetread.models.encoders import build
from wetread.models.features import logits_of_features
from wetread.models.heat import heat_map
from wetread.models.pooled_maps import PooledMaps
from wetread.training.device import choose_runtime, seeded_runtime
from wetread.training.networks import PackedRow, SliceBatch
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import check_recipe
from wetread.training.run import BEST, CHECKPOINT, Content, Run
from wetread.training.series.extract import extract, extract_with_maps
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.training.slices.predict import inference_copy, predict_batches, predict_each
from wetread.training.slices.source import SliceSource
from wetread.view.device import to_view
from wetread.view.view import View


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model that was kept, and what is needed to read with it.

    model:         on the CPU, in evaluation mode; (B, C, size, size) to logits (B, F).
    findings:      F names, in the order of its outputs.
    mask_findings: M names, of the masks it draws (models/unet.py).
    negative_rate: the share of slices without finding in an epoch, for undo_balance.
    """

    model: nn.Module
    findings: tuple[str, ...]
    mask_findings: tuple[str, ...]
    view: View
    recipe: Recipe
    negative_rate: float
    epoch: int
    value: float | None

    @property
    def batch_key(self) -> Hashable:
        """Networks of one view that run in one place read a batch together."""
        return self.view, choose_runtime(self.recipe)

    def read(
        self,
        networks: Sequence[TrainedModel],
        source: SliceSource,
        rows: Int64Array,
        mirror: Sequence[int],
    ) -> Iterator[tuple[SliceBatch, ...]]:
        """Yield logits and masks of rows (N,) by each of some networks that read together, the
        means over image and mirror image; mirror: (F,) each finding's twin when left and right
        change places."""
        models = [one.model for one in networks]
        return predict_each(models, source, rows, self.view, self.recipe, mirror)

    def pooled_maps(self, source: SliceSource, rows: Int64Array) -> Iterator[Float32Array]:
        """Yield mean and deviation of the maps of rows (N,), (B, D) each."""
        pooled = inference_copy(PooledMaps(self.model, self.recipe.encoder), self.recipe)
        for (features,) in predict_batches(pooled, source, rows, self.view, self.recipe):
            assert features is not None
            yield features.numpy()

    def digest(self) -> bytes:
        """Digest weights and view."""
        digest = hashlib.sha256(json.dumps(self.view.to_dict()).encode())
        for name, tensor in self.model.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.digest()

    def extract(
        self,
        keys: Sequence[tuple[TrainedModel, bool]],
        source: SliceSource,
        rows: Int64Array,
        kind: str,
    ) -> list[Float32Array]:
        """Compute features of a kind of rows (N,) by each of some networks that read together, as
        they are or mirrored: (N, D) each."""
        models = [(one.model, mirrored) for one, mirrored in keys]
        return extract(models, source, rows, self.view, self.recipe, kind)

    def extract_with_maps(
        self, keys: Sequence[tuple[TrainedModel, bool]], source: SliceSource, rows: Int64Array
    ) -> tuple[list[PackedRow], list[Float32Array]]:
        """Compute features of kind "drawn", and of each row the packed mean of what the networks
        draw."""
        models = [(one.model, mirrored) for one, mirrored in keys]
        return extract_with_maps(models, source, rows, self.view, self.recipe)

    def logits_of_features(self, features: Float32Array, kind: str) -> Float32Array:
        """Compute the logits (N, F) by features (N, D) of a kind."""
        return logits_of_features(self.model, torch.from_numpy(features), kind).numpy()

    def heat_map(self, source: SliceSource, row: int, column: int) -> Float32Array:
        """Compute where a slice speaks for an output, (h, w) float32 >= 0."""
        rows = neighbor_rows(source.slices, np.array([row]), self.view)
        view = to_view(torch.from_numpy(read_with_neighbors(source, rows)), self.view)
        with seeded_runtime(self.recipe, torch.device("cpu")):
            return heat_map(self.model, view, column)[0].numpy()


def build_network(recipe: Recipe, outputs: int, masks: int) -> nn.Module:
    """Build the recipe's network, its weights random, with `outputs` logits; where it has a
    decoder, it draws `masks`."""
    channels, drawn = recipe.view.channels, masks if recipe.decoder != "none" else 0
    return build(
        recipe.encoder,
        channels,
        outputs,
        masks=drawn,
        mask_stride=recipe.masks.stride,
        mask_pixels=recipe.masks.image_pixels,
    )


def read_trained_model(path: Path) -> TrainedModel:
    """Read the model of a best.pt, or of the best.pt of a run's folder. ValueError where there is
    none."""
    file = path / BEST if path.is_dir() else path
    content = Run(file.parent).load(file.name)
    if content is None:
        raise ValueError(f"{file}: no such checkpoint; a run writes it after its first epoch")
    with expect_form(file, CHECKPOINT, RuntimeError):
        return _trained(content, file)


def _trained(content: Content, file: Path) -> TrainedModel:
    recipe = check_recipe(content["recipe"], f"{file} (its recipe)")
    view = View.from_dict(content["view"])
    drawn = tuple(content.get("mask_findings", ()))  # older runs draw nothing
    model = build_network(recipe, len(content["findings"]), len(drawn))
    model.load_state_dict(content["model"])
    return TrainedModel(
        model=model.eval(),
        findings=tuple(content["findings"]),
        mask_findings=drawn,
        view=view,
        recipe=recipe,
        negative_rate=float(content["negative_rate"]),
        epoch=int(content["epoch"]),
        value=content["value"],
    )
