"""store/pack_series.py: one series becomes records and integers, once for each of its crops.

Of a series the stored integers are held and no more: values are made of a slice when it is looked
at, by the search for the crops and by the crops themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import blosc2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.archive.guard import still_alive
from wetread.archive.rejects import RejectError
from wetread.study.display import hounsfield
from wetread.study.planes import Planes
from wetread.study.series import positions_mm
from wetread.study.slices import Slice, read_slice


@dataclass(frozen=True)
class Codec:
    """How blosc2 compresses a slice, which is one block; what is written says so itself."""

    codec: str
    level: int
    filter: str
    block: str = "one slice"


# Both decode twice as fast as zstd. Full size takes no more disk than 16-bit PNG; packing is the
# price. At a size that would be more time than a small network takes to see the slice: here packing
# takes a fiftieth of it, and 4 % more disk.
AS_STORED = Codec("lz4hc", 9, "shuffle")
AT_SIZE = Codec("lz4", 5, "bitshuffle")

Floats = NDArray[np.float32]
Box = tuple[int, int, int, int]
FindBox = Callable[[Planes], Box]
FindBoxes = Callable[[Planes], tuple[Box, ...]]
Shrink = Callable[[Floats, Box, int], Floats]
ValuesOf = Callable[[Mapping[str, Any], Slice], Floats]  # row of the index and slice


@dataclass(frozen=True)
class Packing:
    """How slices are packed.

    size:       None keeps every stored integer; a number crops to the box and resizes to that side.
    find_boxes: values of a series -> its crops (boxes are stored at either size), one a store.
    shrink:     (values of one slice, box, size) -> values (size, size).
    values:     what a slice's stored integers stand for: study/display.py.
    """

    size: int | None
    find_boxes: FindBoxes
    shrink: Shrink
    values: ValuesOf = hounsfield

    @property
    def codec(self) -> Codec:
        """What the slices are compressed with."""
        return AS_STORED if self.size is None else AT_SIZE


@dataclass(frozen=True)
class OneBox:
    """A search for one crop as a search for crops."""

    find_box: FindBox

    def __call__(self, values: Planes) -> tuple[Box, ...]:
        """(Z, rows, columns) to its one box."""
        return (self.find_box(values),)


@dataclass(frozen=True, eq=False)
class Held:
    """A slice as it is stored, with its row of the index."""

    row: dict[str, Any]
    one: Slice


@dataclass(frozen=True, eq=False)
class _Made:
    """Values of the held slices of one shape, made when they are asked for: Planes."""

    held: Sequence[Held]
    values: ValuesOf

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.held), *self.held[0].one.stored.shape)

    def __getitem__(self, z: int) -> Floats:
        still_alive()
        return self.values(self.held[z].row, self.held[z].one)

    def __iter__(self) -> Iterator[Floats]:
        return (self[z] for z in range(len(self.held)))


def pack_series(
    frame: pl.DataFrame, packing: Packing, rejects: list[dict[str, Any]]
) -> Iterator[tuple[int, dict[str, Any], NDArray[Any]]]:
    """Each readable slice of a series, crop by crop: the crop's number, the slice's record, and
    the integers to store. What cannot be read is added to rejects, before the first of them."""
    held = _readable(frame, rejects)
    if not held:
        return
    boxes = _boxes(held, packing)
    positions = positions_mm(pl.DataFrame([each.row for each in held], schema=frame.schema))
    for z, each in enumerate(held):
        record = _record(each, z, len(held), float(positions[z]))
        values = None if packing.size is None else packing.values(each.row, each.one)
        for crop, box in enumerate(boxes[each.one.stored.shape]):
            boxed = record | {"box": list(box)}
            if packing.size is None or values is None:
                yield crop, boxed | _as_stored(each.one), each.one.stored
            else:
                small = np.rint(packing.shrink(values, box, packing.size)).astype(np.int16)
                yield crop, boxed | _as_hu(small), small


def _readable(frame: pl.DataFrame, rejects: list[dict[str, Any]]) -> list[Held]:
    held: list[Held] = []
    for row in frame.iter_rows(named=True):
        try:
            held.append(Held(row, read_slice(row)))
        except RejectError as error:
            rejects.append(reject_of(row, error.reason, error.detail))
        still_alive()
    return held


def _boxes(held: Sequence[Held], packing: Packing) -> dict[tuple[int, ...], tuple[Box, ...]]:
    """One box a crop for the slices of one shape: a series of mixed shapes gets one a shape."""
    of_shape: dict[tuple[int, ...], list[Held]] = {}
    for each in held:
        of_shape.setdefault(each.one.stored.shape, []).append(each)
    return {
        shape: packing.find_boxes(_Made(slices, packing.values))
        for shape, slices in of_shape.items()
    }


def compress(values: NDArray[Any], codec: Codec) -> bytes:
    """One slice as one blosc2 blob; a block is the slice, so one read is one decompression."""
    blob: bytes = blosc2.compress2(
        np.ascontiguousarray(values),
        codec=blosc2.Codec[codec.codec.upper()],
        clevel=codec.level,
        typesize=values.dtype.itemsize,
        filters=[blosc2.Filter[codec.filter.upper()]],
        filters_meta=[0],
        blocksize=values.nbytes,
        nthreads=1,
    )
    return blob


def reject_of(row: dict[str, Any], reason: str, detail: str) -> dict[str, Any]:
    """A row of the store's rejects."""
    return {name: row[name] for name in ("SOPInstanceUID", "path", "member")} | {
        "reason": reason,
        "detail": detail,
    }


def _record(each: Held, z: int, n: int, position: float) -> dict[str, Any]:
    row, shape = each.row, each.one.stored.shape
    return {
        "SOPInstanceUID": row["SOPInstanceUID"],
        "SeriesInstanceUID": row["SeriesInstanceUID"],
        "StudyInstanceUID": row["StudyInstanceUID"],
        "patient": row["PatientID"] or row["StudyInstanceUID"],
        "z": z,
        "n_slices": n,
        "position_mm": None if np.isnan(position) else position,
        "source_rows": shape[0],
        "source_columns": shape[1],
    }


def _as_stored(one: Slice) -> dict[str, Any]:
    low, high = one.padding or (None, None)
    return {
        "rows": one.stored.shape[0],
        "columns": one.stored.shape[1],
        "dtype": one.stored.dtype.str,
        "slope": one.slope,
        "intercept": one.intercept,
        "padding_low": low,
        "padding_high": high,
    }


def _as_hu(small: NDArray[np.int16]) -> dict[str, Any]:
    return {
        "rows": small.shape[0],
        "columns": small.shape[1],
        "dtype": small.dtype.str,
        "slope": 1.0,
        "intercept": 0.0,
        "padding_low": None,
        "padding_high": None,
    }
