"""training/series/slice_features.py: an encoder's features of slices, and what several draw in
them, kept on disk by content."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import atomic_path
from wetread.archive.files.table_file import read_parquet, write_table
from wetread.archive.types import Float32Array, Int64Array
from wetread.store.store import Store
from wetread.training.networks import SliceNetwork

MAPS_FORM = "maps of a network, which wetread predict keeps; remove the folder of features"
CHUNK = 4096  # rows that become one file; a run that stops repeats no more than these


@dataclass(frozen=True, eq=False)
class _Request:
    """Rows (N,) of a store, whose features of a kind (models/features.py) lie in a folder."""

    store: Store
    rows: Int64Array
    folder: Path
    kind: str

    def files(self, encoder: SliceNetwork, *, mirrored: bool) -> list[Path]:
        """Name the files of an encoder's features, one for each chunk of rows."""
        digest = encoder.digest() + self.kind.encode() + bytes([mirrored])
        return [
            self.folder / f"{_key(digest, self.store, chunk)}.npy" for chunk in _chunks(self.rows)
        ]

    def read(self, encoder: SliceNetwork, *, mirrored: bool) -> Float32Array:
        """Read an encoder's features (N, D), which are there."""
        return np.concatenate([np.load(file) for file in self.files(encoder, mirrored=mirrored)])


def encode_slices(
    encoder: SliceNetwork, store: Store, rows: Int64Array, folder: Path, kind: str = "last"
) -> Float32Array:
    """Encode rows (N,) as features (N, D) float32, of a kind that models/features.py names.

    Each chunk of rows is a file of `folder`, named by the digest of the encoder's weights, of its
    view and of the packed slices: what is there already is not computed again.
    """
    cache_features([encoder], store, rows, folder, kind)
    return _Request(store, rows, folder, kind).read(encoder, mirrored=False)


def encode_mirrored_slices(
    encoder: SliceNetwork, store: Store, rows: Int64Array, folder: Path, kind: str = "last"
) -> tuple[Float32Array, Float32Array]:
    """Encode rows (N,) and their left-right mirror images, each slice read once: features (N, D)
    float32 of both, kept as encode_slices does."""
    cache_features([encoder], store, rows, folder, kind, mirror=True)
    request = _Request(store, rows, folder, kind)
    return request.read(encoder, mirrored=False), request.read(encoder, mirrored=True)


def cache_features(
    encoders: Sequence[SliceNetwork],
    store: Store,
    rows: Int64Array,
    folder: Path,
    kind: str = "last",
    *,
    mirror: bool = False,
) -> None:
    """Compute the features of rows (N,) by every encoder that the folder lacks, and with mirror
    those of the mirror images. For encoders that read together a slice is read once."""
    request = _Request(store, rows, folder, kind)
    groups: dict[Hashable, list[SliceNetwork]] = {}
    for one in encoders:
        groups.setdefault(one.batch_key, []).append(one)
    for group in groups.values():
        files = {
            (one, mirrored): request.files(one, mirrored=mirrored)
            for one in group
            for mirrored in ((False, True) if mirror else (False,))
        }
        for number, chunk in enumerate(_chunks(rows)):
            lacking = [
                key for key, kept in files.items() if not _is_whole(kept[number], len(chunk))
            ]
            computed = group[0].extract(lacking, store, chunk, kind) if lacking else ()
            for key, features in zip(lacking, computed, strict=True):
                _write(files[key][number], features)


def cache_features_and_maps(
    encoders: Sequence[SliceNetwork], store: Store, rows: Int64Array, folder: Path, *, mirror: bool
) -> tuple[tuple[bytes, ...], ...]:
    """Compute the features of kind "drawn" of rows (N,) by every encoder, as cache_features does,
    and on the way what the encoders, which read together, draw: of each row the mean map of each of
    their M masks, packed (mask_table.py). Both are kept in the folder."""
    request = _Request(store, rows, folder, "drawn")
    keys = [(one, side) for one in encoders for side in ((False, True) if mirror else (False,))]
    files = [request.files(one, mirrored=side) for one, side in keys]
    digest = hashlib.sha256(b"maps" + bytes([mirror]))
    for one in encoders:
        digest.update(one.digest())
    found: list[tuple[bytes, ...]] = []
    for number, chunk in enumerate(_chunks(rows)):
        kept = folder / f"{_key(digest.digest(), store, chunk)}.maps.parquet"
        whole = kept.is_file() and all(_is_whole(each[number], len(chunk)) for each in files)
        if not whole:
            maps, features = encoders[0].extract_with_maps(keys, store, chunk)
            for each, own in zip(files, features, strict=True):
                _write(each[number], own)
            write_table(_maps_table(maps), kept)
        found += read_parquet(kept, expected=MAPS_FORM).iter_rows()
    return tuple(found)


def _maps_table(maps: Sequence[tuple[bytes, ...]]) -> pl.DataFrame:
    columns = {f"map_{number}": pl.Binary() for number in range(len(maps[0]) if maps else 0)}
    return pl.DataFrame(maps, schema=columns, orient="row")


def _is_whole(path: Path, count: int) -> bool:
    """Whether a chunk's features are there, all of them numbers; what is cut is computed again."""
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return kept.ndim == 2 and len(kept) == count and bool(np.isfinite(kept).all())


def _chunks(rows: Int64Array) -> list[Int64Array]:
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]


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
