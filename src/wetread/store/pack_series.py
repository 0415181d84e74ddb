"""store/pack_series.py: one series becomes records and integers, once for each of its crops.

Each slice is read once. The search for the crops looks at so many at most, spread evenly, and only
their stored integers are held until their turn comes: memory does not grow with a series.
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
from wetread.study.display import hounsfield
from wetread.study.series import positions_mm
from wetread.study.slice_sequence import SliceSequence
from wetread.study.slices import Slice, require_hu, slice_from_row
from wetread.study.split import ACQUISITION


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

SEARCHED_SLICES = (
    250  # slices of one shape, at most: the search for the crops needs no more of a body
)

Shape = tuple[int, ...]
FindBox = Callable[[SliceSequence], PixelBox]
FindBoxes = Callable[[SliceSequence], tuple[PixelBox, ...]]
Shrink = Callable[[Float32Array, PixelBox, int], Float32Array]
ValuesOf = Callable[[Row, Slice], Float32Array]  # row of the index and slice
# Rows of the index and the values of their slices -> what is wanted and not in them, in words.
FindAbsent = Callable[[Sequence[Row], SliceSequence], str | None]
ABSENT = "wrong_anatomy"


def nothing_absent(rows: Sequence[Row], values: SliceSequence) -> str | None:
    """None: nothing in particular is wanted."""
    return None


@dataclass(frozen=True)
class Packing:
    """How slices are packed.

    size:       None keeps every stored integer; a number crops to the box and resizes to that side.
    find_boxes: values of a series, or of slices spread evenly through it -> its crops (boxes are
                stored at either size), one a store.
    shrink:     (values of one slice, box, size) -> values (size, size).
    values:     what a slice's stored integers stand for: study/display.py.
    in_hu:      whether slices in another unit than HU are refused.
    absent:     what must be in the slices and is not, of the slices that find_boxes is shown; where
                it says so, all of their shape become rejects.
    """

    size: int | None
    find_boxes: FindBoxes
    shrink: Shrink
    values: ValuesOf = hounsfield
    in_hu: bool = False
    absent: FindAbsent = nothing_absent

    @property
    def codec(self) -> Codec:
        """What the slices are compressed with."""
        return AS_STORED if self.size is None else AT_SIZE


@dataclass(frozen=True)
class OneBox:
    """A search for one crop as a search for crops."""

    find_box: FindBox

    def __call__(self, values: SliceSequence) -> tuple[PixelBox, ...]:
        """(Z, rows, columns) to its one box."""
        return (self.find_box(values),)


@dataclass(frozen=True, eq=False)
class IndexedSlice:
    """A slice as it is stored, with its row of the index."""

    row: MutableRow
    one: Slice


@dataclass(frozen=True, eq=False)
class _Made:
    """Values of held slices of one shape, made when they are asked for: Planes."""

    held: Sequence[IndexedSlice]
    values: ValuesOf

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.held), *self.held[0].one.stored.shape)

    def __getitem__(self, z: int) -> Float32Array:
        still_alive()
        return self.values(self.held[z].row, self.held[z].one)

    def __iter__(self) -> Iterator[Float32Array]:
        return (self[z] for z in range(len(self.held)))


def pack_series(
    frame: pl.DataFrame, packing: Packing, rejects: list[MutableRow]
) -> Iterator[tuple[int, MutableRow, IntegerArray]]:
    """Each readable slice of a series, crop by crop: the crop's number, the slice's record, and
    the integers to store. What cannot be read is added to rejects. The records lack what only the
    last slice tells: numbered() gives it to them."""
    rows = list(frame.iter_rows(named=True))
    positions = positions_mm(frame)
    boxes, held, absent = _boxes(rows, packing, rejects)
    for place, row in enumerate(rows):
        why = absent.get((row["Rows"], row["Columns"]))
        if why is not None:
            if held.pop(place, row) is not None:  # else it is a reject already
                rejects.append(reject_row(row, ABSENT, why))
            continue
        each = held.pop(place) if place in held else _read(row, packing, rejects)
        if each is None:
            continue
        record = _record(each, float(positions[place]))
        values = None if packing.size is None else packing.values(each.row, each.one)
        for crop, box in enumerate(boxes[each.one.stored.shape]):
            boxed = record | {"box": list(box)}
            if packing.size is None or values is None:
                yield crop, boxed | _as_stored(each.one), each.one.stored
            else:
                small = np.rint(packing.shrink(values, box, packing.size)).astype(np.int16)
                yield crop, boxed | _as_hu(small), small


def number_records(records: Sequence[MutableRow]) -> list[MutableRow]:
    """The records of one crop of a series, each with its place among all that could be read."""
    return [record | {"z": z, "n_slices": len(records)} for z, record in enumerate(records)]


def _read(row: MutableRow, packing: Packing, rejects: list[MutableRow]) -> IndexedSlice | None:
    still_alive()
    try:
        one = slice_from_row(row)
        if packing.in_hu:
            require_hu(row, one)
        return IndexedSlice(row, one)
    except RejectError as error:
        rejects.append(reject_row(row, error.reason, error.detail))
        return None


def _boxes(
    rows: Sequence[MutableRow], packing: Packing, rejects: list[MutableRow]
) -> tuple[dict[Shape, tuple[PixelBox, ...]], dict[int, IndexedSlice | None], dict[Shape, str]]:
    """One box a crop for the slices of one shape (a series of mixed shapes gets one a shape); what
    was read for it, by place among the rows: None where it could not be; and the shapes in whose
    slices what is wanted is absent, with the words for it."""
    held: dict[int, IndexedSlice | None] = {}
    of_shape: dict[Shape, list[int]] = {}
    for place, row in enumerate(rows):
        of_shape.setdefault((row["Rows"], row["Columns"]), []).append(place)
    boxes: dict[Shape, tuple[PixelBox, ...]] = {}
    absent: dict[Shape, str] = {}
    for shape, places in of_shape.items():
        seen: list[IndexedSlice] = []
        for stretch in np.array_split(places, min(len(places), SEARCHED_SLICES)):
            for place in stretch.tolist():
                each = held[place] = _read(rows[place], packing, rejects)
                if each is not None:
                    seen.append(each)
                    break
        if not seen:
            continue
        made = _Made(seen, packing.values)
        why = packing.absent([each.row for each in seen], made)
        if why is None:
            boxes[shape] = packing.find_boxes(made)
        else:
            absent[shape] = why
    return boxes, held, absent


def compress(values: IntegerArray, codec: Codec) -> bytes:
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


def reject_row(row: MutableRow, reason: str, detail: str) -> MutableRow:
    """A row of the store's rejects."""
    return {name: row[name] for name in ("SOPInstanceUID", "path", "member")} | {
        "reason": reason,
        "detail": detail,
    }


def _record(each: IndexedSlice, position: float) -> MutableRow:
    row, shape = each.row, each.one.stored.shape
    return {
        "SOPInstanceUID": row["SOPInstanceUID"],
        "SeriesInstanceUID": row["SeriesInstanceUID"],
        "StudyInstanceUID": row["StudyInstanceUID"],
        "patient": row["PatientID"] or row["StudyInstanceUID"],
        "acquisition": row.get(ACQUISITION) or 0,
        "position_mm": None if np.isnan(position) else position,
        "source_rows": shape[0],
        "source_columns": shape[1],
        "notes": list(each.one.notes),
        "digest": row.get("pixels"),
    }


def _as_stored(one: Slice) -> MutableRow:
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
