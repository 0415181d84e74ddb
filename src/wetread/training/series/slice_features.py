"""training/series/slice_features.py: what an encoder sees in the slices of a store, kept on disk
by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from wetread.archive.files.atomic import atomic_path
from wetread.models.features import FeatureExtractors, feature_extractor
from wetread.store.store import Store
from wetread.training.device import choose_runtime
from wetread.training.run import TrainedModel
from wetread.training.series.series import Floats, Rows
from wetread.training.slices.predict import inference_copy, predict_batches

CHUNK = 4096  # rows that become one file; a run that stops repeats no more than these


def encode_slices(
    trained: TrainedModel, store: Store, rows: Rows, folder: Path, kind: str = "last"
) -> Floats:
    """(N, D) features of rows, of a kind that models/features.py names, float32.

    Each chunk of rows is a file of `folder`, named by the digest of the encoder's weights, of its
    view and of the packed slices: what is there already is not computed again.
    """
    cache_features([trained], store, rows, folder, kind)
    return _kept(trained, store, rows, folder, kind, mirrored=False)


def encode_mirrored_slices(
    trained: TrainedModel, store: Store, rows: Rows, folder: Path, kind: str = "last"
) -> tuple[Floats, Floats]:
    """encode_slices of rows and of their left-right mirror images, each slice read once."""
    cache_features([trained], store, rows, folder, kind, mirror=True)
    plain, mirrored = (_kept(trained, store, rows, folder, kind, side) for side in (False, True))
    return plain, mirrored


def cache_features(
    encoders: Sequence[TrainedModel],
    store: Store,
    rows: Rows,
    folder: Path,
    kind: str = "last",
    mirror: bool = False,
) -> None:
    """Have the features of rows from every encoder among the files of the folder, and with mirror
    those of the mirror images. Encoders of one view see a slice together: it is read once."""
    alike: dict[object, list[TrainedModel]] = {}
    for one in encoders:
        alike.setdefault((one.view, choose_runtime(one.recipe)), []).append(one)
    for group in alike.values():
        files = {
            (one, mirrored): _files(one, store, rows, folder, kind, mirrored)
            for one in group
            for mirrored in ((False, True) if mirror else (False,))
        }
        for number, chunk in enumerate(_chunks(rows)):
            lacking = [
                asked for asked, kept in files.items() if not _is_whole(kept[number], len(chunk))
            ]
            told = _seen(lacking, store, chunk, kind)
            for asked, features in zip(lacking, told, strict=True):
                _write(files[asked][number], features)


def _seen(
    asked: Sequence[tuple[TrainedModel, bool]], store: Store, rows: Rows, kind: str
) -> list[Floats]:
    """(N, D) of rows from each encoder, as they are or mirrored; all of one view and runtime."""
    if not asked:
        return []
    extractors = {
        one: inference_copy(feature_extractor(one.model, kind), one.recipe) for one, _ in asked
    }
    network = FeatureExtractors([extractors[one] for one, _ in asked], [side for _, side in asked])
    first, _ = asked[0]
    batches = predict_batches(network, store, rows, first.view, first.recipe)
    return [torch.cat(features).numpy() for features in zip(*batches, strict=True)]


def _kept(
    trained: TrainedModel, store: Store, rows: Rows, folder: Path, kind: str, mirrored: bool
) -> Floats:
    files = _files(trained, store, rows, folder, kind, mirrored)
    return np.concatenate([np.load(file) for file in files])


def _files(
    trained: TrainedModel, store: Store, rows: Rows, folder: Path, kind: str, mirrored: bool
) -> list[Path]:
    """Where the features of each chunk of rows lie, or will."""
    encoder = _digest_of(trained) + kind.encode() + bytes([mirrored])
    return [folder / f"{_key(encoder, store, chunk)}.npy" for chunk in _chunks(rows)]


def _is_whole(path: Path, count: int) -> bool:
    """Whether a chunk's features are there, all of them numbers; what is cut is computed again."""
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return kept.ndim == 2 and len(kept) == count and bool(np.isfinite(kept).all())


def _chunks(rows: Rows) -> list[Rows]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


def _digest_of(trained: TrainedModel) -> bytes:
    digest = hashlib.sha256(json.dumps(trained.view.to_dict()).encode())
    for name, tensor in trained.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.digest()


def _key(encoder: bytes, store: Store, rows: Rows) -> str:
    """Parts of a store are named by what was packed; a slice is a place in one."""
    digest = hashlib.sha256(encoder)
    slices = store.slices[rows]
    about = [name for name in ("part", "offset", "bytes", "digest") if name in slices.columns]
    for row in slices.select(about).iter_rows():
        digest.update(repr(row).encode())
    return digest.hexdigest()[:32]


def _write(path: Path, features: Floats) -> None:
    with atomic_path(path) as part, part.open("wb") as file:
        np.save(file, features)
