"""store/pack_series.py: one series becomes records and integers, once for each of its crops.

Each slice is read once. The search for the crops reads so many at most, spread evenly, and only
their stored integers stay in memory until their turn comes: it does not grow with a series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import blosc2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.archive.executor.isolated_process import still_alive
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, IntegerArray, MutableRow, Row
from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize
from wetread.study.display import hounsfield
from wetread.study.series import positions_mm
from wetread.study.slice_sequence import SliceSequence
from wetread.study.slices import Slice, require_hu, slice_from_row
from wetread.study.split import ACQUISITION


@dataclass(frozen=True)
class Codec:
    """How blosc2 compresses a slice, which is one block; a blob names its codec itself."""

    codec: str
    level: int
    filter: str
    block: str = "one slice"


# Both decode twice as fast as zstd. Full size takes no more disk than 16-bit PNG; packing is the
# price. At a size that would be more time than a small network takes per slice: here packing
# takes a fiftieth of it, and 4 % more disk.
AS_STORED = Codec("lz4hc", 9, "shuffle")
AT_SIZE = Codec("lz4", 5, "bitshuffle")

SEARCHED_SLICES = 250  # of one shape, at most: the search for the crops needs no more of a body

Shape = tuple[int, ...]
FindBox = Callable[[SliceSequence], PixelBox]
FindBoxes = Callable[[SliceSequence], tuple[PixelBox, ...]]
ValuesOf = Callable[[Row, Slice], Float32Array]  # row of the index and slice
# Rows of the index and the values of their slices -> what is wanted and not in them, in words.
FindAbsent = Callable[[Sequence[Row], SliceSequence], str | None]
ABSENT = "wrong_anatomy"


def nothing_absent(rows: Sequence[Row], values: SliceSequence) -> str | None:
    """Return None: nothing in particular is wanted of values (Z, rows, columns)."""
    return None


@dataclass(frozen=True)
class Packing:
    """How slices are packed.

    size:       None keeps every stored integer; a number crops to the box and resizes to that side.
    find_boxes: values of a series, or of slices spread evenly through it -> its crops (boxes are
                stored at either size), one a store.
    values:     what a slice's stored integers stand for: study/display.py.
    in_hu:      whether slices in another unit than HU are refused.
    absent:     what must be in the slices and is not, of the slices that find_boxes is shown; where
                it says so, all of their shape become rejects.
    """

    size: int | None
    find_boxes: FindBoxes
    values: ValuesOf = hounsfield
    in_hu: bool = False
    absent: FindAbsent = nothing_absent

    @property
    def codec(self) -> Codec:
        """The codec of the slices: another one where they are stored at a size."""
        return AS_STORED if self.size is None else AT_SIZE


@dataclass(frozen=True)
class OneBox:
    """Makes a search for one crop a search for crops."""

    find_box: FindBox

    @property
    def __name__(self) -> str:
        """The name of the search, by which a store knows its crop."""
        return self.find_box.__name__

    def __call__(self, values: SliceSequence) -> tuple[PixelBox, ...]:
        """Return the one box of values (Z, rows, columns)."""
        return (self.find_box(values),)


@dataclass(frozen=True, eq=False)
class IndexedSlice:
    """A slice as it is stored, with its row of the index."""

    row: Row
    slice: Slice


@dataclass(frozen=True, eq=False)
class _LazyValues:
    """The values of slices of one shape, each made when it is asked for: a SliceSequence."""

    slices: Sequence[IndexedSlice]
    values: ValuesOf

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.slices), *self.slices[0].slice.stored.shape)

    def __getitem__(self, z: int) -> Float32Array:
        still_alive()
        return self.values(self.slices[z].row, self.slices[z].slice)

    def __iter__(self) -> Iterator[Float32Array]:
        return (self[z] for z in range(len(self.slices)))


def pack_series(
    frame: pl.DataFrame, packing: Packing, rejects: list[MutableRow]
) -> Iterator[tuple[int, MutableRow, IntegerArray]]:
    """Yield each readable slice of a series, crop by crop.

    frame: the series' rows of an index; rejects: slices that cannot be read are appended to it.
    Yields the number of the crop, the record of the slice, and the integers to store, (rows,
    columns) or (size, size). Records lack what is known after the last slice: number_records.
    """
    rows = list(frame.iter_rows(named=True))
    positions = positions_mm(frame)
    boxes, read, absent = _boxes(rows, packing, rejects)
    for place, row in enumerate(rows):
        reason = absent.get((row["Rows"], row["Columns"]))
        if reason is not None:
            if read.pop(place, row) is not None:  # else it is a reject already
                rejects.append(reject_row(row, ABSENT, reason))
            continue
        indexed = read.pop(place) if place in read else _read(row, packing, rejects)
        if indexed is None:
            continue
        record = _record(indexed, float(positions[place]))
        values = None if packing.size is None else packing.values(indexed.row, indexed.slice)
        for crop, box in enumerate(boxes[indexed.slice.stored.shape]):
            boxed = record | {"box": list(box)}
            if packing.size is None or values is None:
                yield crop, boxed | _as_stored(indexed.slice), indexed.slice.stored
            else:
                small = np.rint(crop_and_resize(values, box, packing.size)).astype(np.int16)
                yield crop, boxed | _as_hu(small), small


def number_records(records: Sequence[MutableRow]) -> list[MutableRow]:
    """Add to the records of one crop of a series their place among all that could be read."""
    return [record | {"z": z, "n_slices": len(records)} for z, record in enumerate(records)]


def _read(row: Row, packing: Packing, rejects: list[MutableRow]) -> IndexedSlice | None:
    still_alive()
    try:
        slice_ = slice_from_row(row)
        if packing.in_hu:
            require_hu(row, slice_)
        return IndexedSlice(row, slice_)
    except RejectError as error:
        rejects.append(reject_row(row, error.reason, error.detail))
        return None


def _boxes(
    rows: Sequence[Row], packing: Packing, rejects: list[MutableRow]
) -> tuple[dict[Shape, tuple[PixelBox, ...]], dict[int, IndexedSlice | None], dict[Shape, str]]:
    """Find one box a crop for the slices of one shape; a series of mixed shapes gets one a shape.

    Returns the boxes by shape; what was read for them, by place among the rows, None where it could
    not be; and by shape why its slices are refused, where what is wanted is absent.
    """
    read: dict[int, IndexedSlice | None] = {}
    places_of: dict[Shape, list[int]] = {}
    for place, row in enumerate(rows):
        places_of.setdefault((row["Rows"], row["Columns"]), []).append(place)
    boxes: dict[Shape, tuple[PixelBox, ...]] = {}
    absent: dict[Shape, str] = {}
    for shape, places in places_of.items():
        sample: list[IndexedSlice] = []
        for stretch in np.array_split(places, min(len(places), SEARCHED_SLICES)):
            for place in stretch.tolist():
                indexed = read[place] = _read(rows[place], packing, rejects)
                if indexed is not None:
                    sample.append(indexed)
                    break
        if not sample:
            continue
        values = _LazyValues(sample, packing.values)
        reason = packing.absent([indexed.row for indexed in sample], values)
        if reason is None:
            boxes[shape] = packing.find_boxes(values)
        else:
            absent[shape] = reason
    return boxes, read, absent


def compress(values: IntegerArray, codec: Codec) -> bytes:
    """Compress one slice (rows, columns) to one blosc2 blob of one block: a read is one
    decompression."""
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


def reject_row(row: Row, reason: str, detail: str) -> MutableRow:
    """Make a row of the store's rejects (store.py: REJECT_SCHEMA) of a row of the index."""
    return {name: row[name] for name in ("SOPInstanceUID", "path", "member")} | {
        "reason": reason,
        "detail": detail,
    }


def _record(indexed: IndexedSlice, position: float) -> MutableRow:
    row, shape = indexed.row, indexed.slice.stored.shape
    return {
        "SOPInstanceUID": row["SOPInstanceUID"],
        "SeriesInstanceUID": row["SeriesInstanceUID"],
        "StudyInstanceUID": row["StudyInstanceUID"],
        "patient": row["PatientID"] or row["StudyInstanceUID"],
        "acquisition": row.get(ACQUISITION) or 0,
        "position_mm": None if np.isnan(position) else position,
        "source_rows": shape[0],
        "source_columns": shape[1],
        "notes": list(indexed.slice.notes),
        "digest": row.get("pixels"),
    }


def _as_stored(source: Slice) -> MutableRow:
    low, high = source.padding or (None, None)
    return {
        "rows": source.stored.shape[0],
        "columns": source.stored.shape[1],
        "dtype": source.stored.dtype.str,
        "slope": source.slope,
        "intercept": source.intercept,
        "padding_low": low,
        "padding_high": high,
    }


def _as_hu(small: NDArray[np.int16]) -> MutableRow:
    return {
        "rows": small.shape[0],
        "columns": small.shape[1],
        "dtype": small.dtype.str,
        "slope": 1.0,
        "intercept": 0.0,
        "padding_low": None,
        "padding_high": None,
    }
