"""training/mask_table.py: a network's maps of images that it was not trained on, as one table.

One row an image and finding: what any rule of evaluation/decision.py needs, and the map itself, so
that masks are decided, scored and shown from the table alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import blosc2
import cv2
import numpy as np
import polars as pl

from wetread.archive.types import Float32Array, MutableRow
from wetread.evaluation.decision import MaskSums, mask_sums
from wetread.store.store import unpacked_bytes
from wetread.study.boxes import PixelBox
from wetread.training.masks import AnnotatedMasks
from wetread.view.uncrop import uncrop

FILE = "masks.parquet"
MOST_SIDE = 4096
PackedMaps = tuple[tuple[bytes, ...], ...]  # of one slice: of each network its M maps, packed
WANTED = "the masks of a run, which wetread train writes"
SCHEMA: dict[str, pl.DataType] = {
    "split": pl.String(),  # validation too: thresholds are chosen there
    "model": pl.Int32(),
    "id": pl.String(),
    "patient": pl.String(),
    "row": pl.Int64(),  # of the store
    "finding": pl.String(),
    "truth": pl.Float64(),  # of the image
    "head": pl.Float64(),  # probability of the image, by the network's head
    "above": pl.List(pl.Int64()),  # the sums of evaluation/decision.py
    "size": pl.List(pl.Int64()),
    "overlap": pl.List(pl.Int64()),
    "truth_pixels": pl.Float64(),  # null where the mask is unknown
    "pixels": pl.Int64(),
    "rows": pl.Int64(),
    "columns": pl.Int64(),
    "runs": pl.List(pl.String()),  # the true mask as its label file has it; null where unknown
    "form": pl.String(),
    "map": pl.Binary(),  # the map as the network gave it, share of 255
}


@dataclass(frozen=True, eq=False)
class ImageKey:
    """The image of a map: the first columns of the table."""

    split: str
    model: int
    id: str
    patient: str
    row: int


def mask_rows(
    key: ImageKey,
    masks: AnnotatedMasks,
    number: int,
    maps: Float32Array,
    truth: Sequence[float],
) -> list[MutableRow]:
    """Make the rows of one image but for `head`: maps (M, h, w) probabilities, truth (M,) of it.

    number: its place in masks.
    """
    rows: list[MutableRow] = []
    for column, finding in enumerate(masks.findings):
        drawn = masks.drawn[number][column]
        box, shape = PixelBox(*map(int, masks.boxes[number])), masks.shapes[number]
        probability = uncrop(maps[column], box, shape)
        sums = mask_sums(probability, None if drawn is None else drawn.mask())
        rows.append(
            {
                **vars(key),
                "finding": finding.name,
                "truth": truth[column],
                "above": sums.above[0].tolist(),
                "size": sums.size[0].tolist(),
                "overlap": sums.overlap[0].tolist(),
                "truth_pixels": None if drawn is None else float(sums.truth[0]),
                "pixels": int(sums.pixels[0]),
                "rows": shape[0],
                "columns": shape[1],
                "runs": None if drawn is None else list(drawn.texts),
                "form": None if drawn is None else drawn.form,
                "map": pack_map(maps[column]),
            }
        )
    return rows


def pack_map(probability: Float32Array) -> bytes:
    """Pack a map (h, h) of probabilities into few bytes, to 1/255."""
    gray = np.rint(probability * 255).astype(np.uint8)
    packed: bytes = blosc2.compress2(gray, codec=blosc2.Codec.ZSTD, typesize=1, nthreads=1)
    return packed


def unpack_map(packed: bytes) -> Float32Array:
    """Unpack a map of pack_map, (h, h) float32. ValueError or RuntimeError where it is damaged."""
    side = round(unpacked_bytes(packed) ** 0.5)
    if not 0 < side <= MOST_SIDE or side * side != unpacked_bytes(packed):
        raise ValueError(f"a map of {unpacked_bytes(packed)} bytes")
    gray = np.frombuffer(blosc2.decompress2(packed, nthreads=1), np.uint8)
    return gray.reshape(side, side).astype(np.float32) / np.float32(255)


def mean_map(maps: PackedMaps, column: int) -> Float32Array:
    """Average the networks' maps of one finding in one slice, (h, h) float32 probabilities, on the
    grid of the first: another network's mask stride may be another."""
    first, *others = [unpack_map(network[column]) for network in maps]
    resized = [cv2.resize(one, first.shape, interpolation=cv2.INTER_AREA) for one in others]
    return np.asarray(np.mean([first, *resized], axis=0), np.float32)


def sums_of(table: pl.DataFrame) -> MaskSums:
    """Read the sums of a table's rows, in their order."""
    above, size, overlap = (
        np.array(table[name].to_list(), np.int64).reshape(table.height, -1)
        for name in ("above", "size", "overlap")
    )
    truth = table["truth_pixels"].fill_null(float("nan")).to_numpy()
    return MaskSums(above, size, overlap, truth, table["pixels"].to_numpy())
