"""training/features.py: what an encoder sees in the slices of a store, kept on disk by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from wetread.models.features import seer
from wetread.store.store import Store
from wetread.training.predict import over_rows
from wetread.training.run import Trained
from wetread.training.whole_series import Floats, Rows

CHUNK = 4096  # rows that become one file; a run that stops repeats no more than these


def features_of(
    trained: Trained, store: Store, rows: Rows, folder: Path, kind: str = "last"
) -> Floats:
    """(N, D) features of rows, of a kind that models/features.py names, float32.

    Each chunk of rows is a file of `folder`, named by the digest of the encoder's weights, of its
    view and of the packed slices: what is there already is not computed again.
    """
    (plain,) = _sides_of(trained, store, rows, folder, (False,), kind)
    return plain


def mirror_features_of(
    trained: Trained, store: Store, rows: Rows, folder: Path, kind: str = "last"
) -> tuple[Floats, Floats]:
    """features_of rows and of their left-right mirror images, each slice read once."""
    plain, mirrored = _sides_of(trained, store, rows, folder, (False, True), kind)
    return plain, mirrored


def _sides_of(
    trained: Trained, store: Store, rows: Rows, folder: Path, sides: Sequence[bool], kind: str
) -> list[Floats]:
    """Features for each side: False as the slices are, True as in a mirror."""
    see = seer(trained.model, kind)
    encoder = _digest_of(trained) + kind.encode()

    def say(image: torch.Tensor, sides: Sequence[bool]) -> list[Floats]:
        turned = (image.flip(-1) if mirrored else image for mirrored in sides)
        return [see(one).float().cpu().numpy() for one in turned]

    parts: list[list[Floats]] = [[] for _ in sides]
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        files = [
            folder / f"{_key(encoder + bytes([mirrored]), store, chunk)}.npy" for mirrored in sides
        ]
        lacking = [pair for pair in zip(files, sides, strict=True) if not pair[0].is_file()]
        if lacking:
            asked = partial(say, sides=[mirrored for _, mirrored in lacking])
            said = over_rows(see, asked, store, chunk, trained.view, trained.recipe)
            for (file, _), told in zip(lacking, zip(*said, strict=True), strict=True):
                _write(file, np.concatenate(told))
        for side, file in zip(parts, files, strict=True):
            side.append(np.load(file))
    return [np.concatenate(side) for side in parts]


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
