"""training/features.py: what an encoder sees in the slices of a store, kept on disk by content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from wetread.models.features import parted
from wetread.store.store import Store
from wetread.training.predict import over_rows
from wetread.training.run import Trained
from wetread.training.whole_series import Floats, Rows

CHUNK = 4096  # rows that become one file; a run that stops repeats no more than these


def features_of(
    trained: Trained,
    store: Store,
    rows: Rows,
    folder: Path,
    *,
    mirrored: bool = False,
    logits: bool = False,
) -> Floats:
    """(N, D) features of rows, float32; mirrored: of their left-right mirror images; logits: what
    the encoder says of a slice in place of the features it says it from.

    Each chunk of rows is a file of `folder`, named by the digest of the encoder's weights, of its
    view and of the packed slices: what is there already is not computed again.
    """
    body, head = parted(trained.model)
    head = head.cpu()  # a copy; what it takes is there
    digest = _digest_of(trained) + bytes([mirrored, logits])

    def say(image: torch.Tensor) -> Floats:
        turned = image.flip(-1) if mirrored else image
        seen = body(turned).float().cpu()
        told: Floats = (head(seen) if logits else seen).numpy()
        return told

    width = head.out_features if logits else head.in_features
    parts = [np.empty((0, width), np.float32)]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        file = folder / f"{_key(digest, store, chunk)}.npy"
        if not file.is_file():
            said = over_rows(body, say, store, chunk, trained.view, trained.recipe)
            _write(file, np.concatenate(list(said)))
        parts.append(np.load(file))
    return np.concatenate(parts)


def _digest_of(trained: Trained) -> bytes:
    digest = hashlib.sha256(json.dumps(trained.view.to_dict()).encode())
    for name, tensor in trained.model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.digest()


def _key(encoder: bytes, store: Store, rows: Rows) -> str:
    """Parts of a store are named by what was packed; a slice is a place in one."""
    digest = hashlib.sha256(encoder)
    for row in store.slices[rows].select("part", "offset", "bytes").iter_rows():
        digest.update(repr(row).encode())
    return digest.hexdigest()[:32]


def _write(path: Path, features: Floats) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        np.save(file, features)
    beside.replace(path)
