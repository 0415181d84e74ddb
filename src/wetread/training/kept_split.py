"""training/kept_split.py: what a split's model said of its patients, kept beside the model.

A run whose splits were fitted elsewhere, or that was stopped after one, ends without reading their
images again. What is kept is used only for the models, slices, labels and settings it came from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.table_file import read_parquet, write_table
from wetread.labels.finding import Finding
from wetread.store.store import Store
from wetread.training import mask_table
from wetread.training.calibration import LabeledProbabilities
from wetread.training.checkpoint import learned_settings
from wetread.training.data import LabeledSlices, Split
from wetread.training.masks import AnnotatedMasks
from wetread.training.predictions import LevelPredictions
from wetread.training.recipe import Recipe
from wetread.training.run import Content, Run
from wetread.training.slices.fit import SplitResult
from wetread.training.slices.identity import pixels_digest

FILE = "predicted.pt"
DRAWINGS = "predicted-masks.parquet"  # beside it, where masks are drawn
_OF_MODELS = (".pt", ".npz")
_PLACED = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "patient", "position_mm")
Arrays = Sequence[np.ndarray[tuple[int, ...], np.dtype[Any]]]


def digest_inputs(recipe: Recipe, data: Sequence[LabeledSlices], arrays: Arrays = ()) -> str | None:
    """Digest all that predictions of a split depend on beside its models: settings, labeled slices
    and arrays of any shape. None where a store does not know what its slices show."""
    digest = hashlib.sha256(json.dumps(learned_settings(recipe), sort_keys=True).encode())
    for one in data:
        pixels = pixels_digest(one.store)
        if pixels is None:
            return None
        digest.update(pixels.encode())
        digest.update(_digest_places(one.store))
        header = pl.DataFrame() if one.header is None else one.header.table
        digest.update(header.hash_rows().to_numpy().tobytes())
        digest.update(b"" if one.masks is None else _digest_masks(one.masks))
        for array in (one.rows, one.truth):
            digest.update(np.ascontiguousarray(array).tobytes())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def split_key(folder: Path, split: Split, inputs: str) -> str:
    """Digest a split, its inputs (digest_inputs) and the models that lie in its folder."""
    digest = hashlib.sha256(f"{inputs} {split.name}".encode())
    for places in (split.train, split.validation, split.scored):
        digest.update(np.ascontiguousarray(places).tobytes() + b"|")
    for path in sorted(folder.rglob("*")):
        if path.suffix in _OF_MODELS and path.name != FILE:
            digest.update(f"{path.relative_to(folder)} {_digest_file(path)}".encode())
    return digest.hexdigest()


def keep_split(folder: Path, key: str, result: SplitResult) -> None:
    """Write what a split's model said into its folder, under its key."""
    drawn = None
    if result.drawings.height:
        write_table(result.drawings, folder / DRAWINGS)
        drawn = _digest_file(folder / DRAWINGS)
    content = {
        "key": key,
        "levels": [_level_to_dict(one) for one in result.levels],
        "validation": [
            {
                "level": one.level,
                "truth": _tensor(one.truth),
                "probability": _tensor(one.probability),
                **{name: _texts(getattr(one, name)) for name in ("findings", "patients")},
            }
            for one in result.validation
        ],
        "drawings": drawn,
    }
    Run(folder).save(FILE, content)


def read_split(folder: Path, key: str) -> SplitResult | None:
    """Read what keep_split wrote under this key; None where nothing of it is there, or not whole:
    the models are asked again then."""
    content: Content | None = None
    with suppress(DamagedFileError):
        content = Run(folder).load(FILE)
    if content is None or content.get("key") != key:
        return None
    drawings = pl.DataFrame([], schema=mask_table.SCHEMA, orient="row")
    if content["drawings"] is not None:
        path = folder / DRAWINGS
        if not path.is_file() or _digest_file(path) != content["drawings"]:
            return None
        drawings = read_parquet(path, schema=mask_table.SCHEMA, expected=mask_table.WANTED)
    return SplitResult(
        [_level_from_dict(one) for one in content["levels"]],
        drawings,
        tuple(LabeledProbabilities(**_arrays(one)) for one in content["validation"]),
    )


def _level_to_dict(level: LevelPredictions) -> dict[str, object]:
    return {
        "level": level.level,
        "split": level.split,
        "findings": [
            {
                name: float(value) if isinstance(value, float) else value  # not one of NumPy's
                for name, value in asdict(finding).items()
            }
            for finding in level.findings
        ],
        **{name: _texts(getattr(level, name)) for name in ("ids", "studies", "patients")},
        "rows": None if level.rows is None else _tensor(level.rows),
        "truth": _tensor(level.truth),
        "probability": _tensor(level.probability),
        "baselines": {name: _tensor(array) for name, array in level.baselines.items()},
        "disagreement": None if level.disagreement is None else _tensor(level.disagreement),
    }


def _level_from_dict(values: Mapping[str, Any]) -> LevelPredictions:
    return LevelPredictions(
        **_arrays(values)
        | {
            "findings": tuple(Finding(**one) for one in values["findings"]),
            "baselines": _arrays(values["baselines"]),
        }
    )


def _arrays(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with arrays (of any shape) in place of tensors."""
    return {
        name: value.numpy() if isinstance(value, Tensor) else value
        for name, value in values.items()
    }


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(str, values))  # not those of NumPy, which no door of ours reads


def _tensor(array: np.ndarray[tuple[int, ...], np.dtype[Any]]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array).copy())


def _digest_places(store: Store) -> bytes:
    """Digest whose the slices are and where they lie, by which they are parted and smoothed."""
    names = [name for name in _PLACED if name in store.slices.columns]
    hashed: bytes = store.slices.select(names).hash_rows().to_numpy().tobytes()
    return hashed


def _digest_masks(masks: AnnotatedMasks) -> bytes:
    digest = hashlib.sha256(repr((masks.findings, masks.shapes)).encode())
    digest.update(np.ascontiguousarray(masks.boxes).tobytes())
    for row in masks.drawn:
        digest.update(
            repr([None if one is None else (one.texts, one.form) for one in row]).encode()
        )
    return digest.digest()
