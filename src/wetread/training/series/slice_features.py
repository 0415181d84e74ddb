"""training/series/slice_features.py: an encoder's features of slices, kept on disk by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from wetread.archive.files.atomic import atomic_path
from wetread.archive.types import Float32Array, Int64Array
from wetread.models.features import FeatureExtractors, feature_extractor
from wetread.store.store import Store
from wetread.training.device import choose_runtime
from wetread.training.run import TrainedModel
from wetread.training.slices.predict import inference_copy, predict_batches

CHUNK = 4096  # rows that become one file; a run that stops repeats no more than these


@dataclass(frozen=True, eq=False)
class _Request:
    """Rows (N,) of a store, whose features of a kind (models/features.py) lie in a folder."""

    store: Store
    rows: Int64Array
    folder: Path
    kind: str

    def files(self, encoder: TrainedModel, *, mirrored: bool) -> list[Path]:
        """Name the files of an encoder's features, one for each chunk of rows."""
        digest = _digest_of(encoder) + self.kind.encode() + bytes([mirrored])
        return [
            self.folder / f"{_key(digest, self.store, chunk)}.npy" for chunk in _chunks(self.rows)
        ]

    def read(self, encoder: TrainedModel, *, mirrored: bool) -> Float32Array:
        """Read an encoder's features (N, D), which are there."""
        return np.concatenate([np.load(file) for file in self.files(encoder, mirrored=mirrored)])


def encode_slices(
    encoder: TrainedModel, store: Store, rows: Int64Array, folder: Path, kind: str = "last"
) -> Float32Array:
    """Encode rows (N,) as features (N, D) float32, of a kind that models/features.py names.

    Each chunk of rows is a file of `folder`, named by the digest of the encoder's weights, of its
    view and of the packed slices: what is there already is not computed again.
    """
    cache_features([encoder], store, rows, folder, kind)
    return _Request(store, rows, folder, kind).read(encoder, mirrored=False)


def encode_mirrored_slices(
    encoder: TrainedModel, store: Store, rows: Int64Array, folder: Path, kind: str = "last"
) -> tuple[Float32Array, Float32Array]:
    """Encode rows (N,) and their left-right mirror images, each slice read once: features (N, D)
    float32 of both, kept as encode_slices does."""
    cache_features([encoder], store, rows, folder, kind, mirror=True)
    request = _Request(store, rows, folder, kind)
    return request.read(encoder, mirrored=False), request.read(encoder, mirrored=True)


def cache_features(
    encoders: Sequence[TrainedModel],
    store: Store,
    rows: Int64Array,
    folder: Path,
    kind: str = "last",
    *,
    mirror: bool = False,
) -> None:
    """Compute the features of rows (N,) by every encoder that the folder lacks, and with mirror
    those of the mirror images. For encoders of one view a slice is read once."""
    request = _Request(store, rows, folder, kind)
    by_view: dict[object, list[TrainedModel]] = {}
    for one in encoders:
        by_view.setdefault((one.view, choose_runtime(one.recipe)), []).append(one)
    for group in by_view.values():
        files = {
            (one, mirrored): request.files(one, mirrored=mirrored)
            for one in group
            for mirrored in ((False, True) if mirror else (False,))
        }
        for number, chunk in enumerate(_chunks(rows)):
            lacking = [
                key for key, kept in files.items() if not _is_whole(kept[number], len(chunk))
            ]
            computed = _compute(lacking, store, chunk, kind)
            for key, features in zip(lacking, computed, strict=True):
                _write(files[key][number], features)


def _compute(
    lacking: Sequence[tuple[TrainedModel, bool]], store: Store, rows: Int64Array, kind: str
) -> list[Float32Array]:
    """Compute (N, D) of rows for each encoder, as they are or mirrored; all of one view and
    runtime."""
    if not lacking:
        return []
    extractors = {
        one: inference_copy(feature_extractor(one.model, kind), one.recipe) for one, _ in lacking
    }
    network = FeatureExtractors(
        [extractors[one] for one, _ in lacking], [mirrored for _, mirrored in lacking]
    )
    first, _ = lacking[0]
    batches = predict_batches(network, store, rows, first.view, first.recipe)
    return [torch.cat(features).numpy() for features in zip(*batches, strict=True)]


def _is_whole(path: Path, count: int) -> bool:
    """Whether a chunk's features are there, all of them numbers; what is cut is computed again."""
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return kept.ndim == 2 and len(kept) == count and bool(np.isfinite(kept).all())


def _chunks(rows: Int64Array) -> list[Int64Array]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


def _digest_of(trained: TrainedModel) -> bytes:
    digest = hashlib.sha256(json.dumps(trained.view.to_dict()).encode())
    for name, tensor in trained.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.digest()


def _key(encoder: bytes, store: Store, rows: Int64Array) -> str:
    """Parts of a store are named by what was packed; a slice is a place in one."""
    digest = hashlib.sha256(encoder)
    slices = store.slices[rows]
    about = [name for name in ("part", "offset", "bytes", "digest") if name in slices.columns]
    for row in slices.select(about).iter_rows():
        digest.update(repr(row).encode())
    return digest.hexdigest()[:32]


def _write(path: Path, features: Float32Array) -> None:
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, features)
