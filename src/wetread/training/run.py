"""training/run.py: the folder of a run. The folder is the truth; nothing in it is ever half there.

recipe.json        every setting, resolved        best.pt              the model that is kept
folds.json         who is where, and the proof    out_of_fold.parquet  predictions never fitted
metrics.jsonl      one line an epoch              scores.json          what it is worth
last.pt            where to go on
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import nn

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.damaged import DamagedFileError, expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.files.table_file import read_parquet, write_table
from wetread.archive.types import Float32Array, Int64Array, StrPath
from wetread.evaluation.score import Scores
from wetread.models.checkpoint_file import load_checkpoint, require_finite
from wetread.models.encoders import build
from wetread.models.features import logits_of_features
from wetread.models.heat import heat_map
from wetread.models.pooled_maps import PooledMaps
from wetread.training import predictions
from wetread.training.about import read_run_recipe
from wetread.training.device import choose_runtime, seeded_runtime
from wetread.training.networks import PackedRow, SliceBatch
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import check_recipe
from wetread.training.series.extract import extract, extract_with_maps
from wetread.training.slices.batches import neighbor_rows, read_with_neighbors
from wetread.training.slices.predict import inference_copy, predict_batches, predict_each
from wetread.training.slices.source import SliceSource
from wetread.view.device import to_view
from wetread.view.view import View

CHECKPOINT = "a checkpoint, which wetread train writes; remove it and train again"
LAST, BEST, METRICS = "last.pt", "best.pt", "metrics.jsonl"
SCORES = "scores.json"
Content = dict[str, Any]  # of a file of torch.save: tensors and plain values by name
_OF_SCORES: dict[str, type | tuple[type, ...]] = {"scores": list}


@dataclass(frozen=True)
class Run:
    """A run's folder; every write goes beside and is then renamed."""

    folder: Path

    @property
    def recipe(self) -> Recipe:
        """Every setting of the run, resolved. Raises DamagedFileError."""
        return read_run_recipe(self.folder)

    @property
    def scores(self) -> Scores:
        """The scores of its last evaluation. Raises DamagedFileError, also where there is none."""
        path = self.folder / SCORES
        values = read_json(path, "the scores of a run, which wetread evaluate writes", _OF_SCORES)
        return Scores.from_dict(values)

    @property
    def predictions(self) -> pl.DataFrame:
        """Probabilities of slices and studies never fitted: training/predictions.py's SCHEMA."""
        return read_parquet(self.folder / predictions.FILE, expected=predictions.WANTED)

    def _repr_html_(self) -> str:
        """Return the scores as HTML, for a notebook."""
        return self.scores._repr_html_()

    def write_json(self, name: str, value: object) -> None:
        """Write a value as JSON; NaN is refused (ValueError), absent is null."""
        text = json.dumps(value, indent=1, allow_nan=False)
        write_whole(self.folder / name, f"{text}\n".encode())

    def write_lines(self, name: str, values: Sequence[Mapping[str, object]]) -> None:
        """Write values as one JSON object a line."""
        text = "".join(json.dumps(dict(v), allow_nan=False) + "\n" for v in values)
        write_whole(self.folder / name, text.encode())

    def write_table(self, name: str, table: pl.DataFrame) -> None:
        """Write a table as Parquet."""
        write_table(table, self.folder / name)

    def save(self, name: str, content: Mapping[str, object]) -> None:
        """Write tensors and plain values, as torch.load reads them with weights_only=True; equal
        values give equal bytes, in a run that was stopped and went on as in one that was not."""
        packed = BytesIO()  # torch tells of a disk that is full in words of its own
        torch.save(_rebuilt(dict(content)), packed)
        write_whole(self.folder / name, packed.getbuffer())

    def load(self, name: str) -> Content | None:
        """Read what save wrote, tensors on the CPU; None where there is no such file.
        DamagedFileError where it is cut or of another form."""
        path = self.folder / name
        if not path.exists():
            return None
        content = load_checkpoint(path, CHECKPOINT)
        if not isinstance(content, dict):
            raise DamagedFileError(path, CHECKPOINT, f"it holds a {type(content).__name__}")
        require_finite(path, CHECKPOINT, content.get("model"))
        return content

    def read(self, name: str) -> Content:
        """Read what save wrote; ValueError where there is no such file."""
        content = self.load(name)
        if content is None:
            raise ValueError(f"{self.folder / name}: no such checkpoint; train again")
        return content

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        (self.folder / name).unlink(missing_ok=True)


def _rebuilt(value: object) -> object:
    """Copy values into new containers, equal texts one object: pickle writes what it has met
    before as a reference, and what it has met differs after a file was read."""
    if type(value) is dict:
        return {_rebuilt(key): _rebuilt(one) for key, one in value.items()}
    if type(value) is list:
        return [_rebuilt(one) for one in value]
    if type(value) is tuple:
        return tuple(_rebuilt(one) for one in value)
    return sys.intern(value) if type(value) is str else value


def read_run(folder: StrPath) -> Run:
    """Open the folder of a run that `train` wrote; its recipe, scores and predictions are read
    when they are asked for. ValueError where its training has not ended, or it is no run."""
    run = Run(Path(folder))
    if not (run.folder / predictions.FILE).is_file():
        raise ValueError(f"{folder}: no {predictions.FILE} in it; no run, or one to train on")
    return run


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
    def together(self) -> Hashable:
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
        return extract(keys, source, rows, kind)

    def extract_with_maps(
        self, keys: Sequence[tuple[TrainedModel, bool]], source: SliceSource, rows: Int64Array
    ) -> tuple[list[PackedRow], list[Float32Array]]:
        """Compute features of kind "drawn", and of each row the packed mean of what the networks
        draw."""
        return extract_with_maps(keys, source, rows)

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
