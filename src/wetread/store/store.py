"""store/store.py: the packed slices on disk, read at random by row.

A store is a folder:

    store.json        format, size (null: full size, as stored), codec
    slices.parquet    one row a slice, ordered by study, series, position (schema below)
    rejects.parquet   what could not be packed, with its reason
    parts/KEY.bin     blosc2 blobs, one a slice, one after another
    parts/KEY.sources the files of that part as they were when they were read
    (archive/index/digest.py)
    parts/KEY.parquet the rows of that part, written last: a part without it does not exist
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import blosc2
import numpy as np
import polars as pl

from wetread.archive.errors import WetreadError
from wetread.archive.files.damaged import DamagedFileError, expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import (
    Float32Array,
    Float64Array,
    Int16Array,
    Int32Array,
    Int64Array,
    IntegerArray,
    Span,
    StrPath,
)
from wetread.store.part_files import PartFiles
from wetread.study.hu import AIR_HU, to_hu

FORMAT = 3
READABLE = (2, FORMAT)  # 2: its slices do not say what their pixels show
_ANEW = "which wetread pack writes; remove the store and pack again"
TABLE_FORM = f"a table of a store, {_ANEW}"
DESCRIPTION_FORM = f"the description of a store, {_ANEW}"
PART_FORM = f"a part of a store, {_ANEW}"
MOST_SIDE = 65535  # rows or columns of a DICOM picture (PS3.5: US)
SLICE_SCHEMA: dict[str, pl.DataType] = {
    "SOPInstanceUID": pl.String(),
    "SeriesInstanceUID": pl.String(),
    "StudyInstanceUID": pl.String(),
    "patient": pl.String(),  # PatientID, or the study where the header has none
    "acquisition": pl.Int32(),  # 0, or which pass of those that one series was found to hold
    "z": pl.Int32(),  # place in the series: in its acquisitions' order, each along the normal
    "n_slices": pl.Int32(),
    "position_mm": pl.Float64(),  # along the normal; null where the header has no place
    "rows": pl.Int32(),
    "columns": pl.Int32(),
    "dtype": pl.String(),
    "slope": pl.Float64(),
    "intercept": pl.Float64(),
    "padding_low": pl.Int32(),  # stored values outside the field of view; null: none declared
    "padding_high": pl.Int32(),
    "source_rows": pl.Int32(),  # of the file's picture: what the box lies in
    "source_columns": pl.Int32(),
    "notes": pl.List(pl.String()),  # what its pixels show (study/slices.py)
    "box": pl.List(pl.Int32()),  # row0, row1, column0, column1 of the crop, in source pixels
    "digest": pl.String(),  # of the file's pixel data (archive/index/digest.py); null: not known
    "part": pl.String(),
    "offset": pl.Int64(),
    "bytes": pl.Int64(),
}

REJECT_SCHEMA: dict[str, pl.DataType] = {
    "SOPInstanceUID": pl.String(),
    "path": pl.String(),
    "member": pl.String(),
    "reason": pl.String(),
    "detail": pl.String(),
}


class StoreError(WetreadError):
    """A folder that is no store, or a store of another format."""


@dataclass(frozen=True, eq=False)
class Address:
    """Where each row lies and how it becomes HU: the columns of `slices`, as arrays of length N."""

    part: Int32Array  # index into Store.parts
    offset: Int64Array
    bytes: Int64Array
    shape: Int32Array  # (N, 2): rows, columns
    dtype: list[str]
    rescale: Float64Array  # (N, 2): slope, intercept
    padding: Float64Array  # (N, 2): lowest, highest stored value; NaN where none is declared
    is_hu: bool  # whether all stored integers are HU already, of 16 bits: those of one size are


@dataclass(frozen=True, eq=False)
class Store:
    """Packed slices.

    slices:  one row a slice (SLICE_SCHEMA); the row number is the address.
    rejects: what could not be packed (REJECT_SCHEMA).
    size:    side in pixels when packed at a size (the values are then HU, rounded to integers, of
             the cropped, area-resized slice); None at full size (the stored integers as they are).
    """

    path: Path
    slices: pl.DataFrame
    rejects: pl.DataFrame
    size: int | None
    parts: PartFiles
    address: Address

    def __len__(self) -> int:
        return self.slices.height

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the folder and the table; another process maps the parts itself."""
        return _reopen, (self.path, self.slices)

    def read(self, row: int) -> IntegerArray:
        """Read the stored integers (rows, columns) of one slice, in the type they were packed in.

        Raises DamagedFileError where they cannot be unpacked.
        """
        at = self.address
        values = np.empty(at.shape[row], at.dtype[row])
        self._unpack(row, values)
        return values

    def read_hu(self, rows: Sequence[int] | IntegerArray) -> Float32Array:
        """Read slices of one shape as HU, (N, rows, columns) float32; padding is air."""
        return self.read_compact_hu(rows).astype(np.float32, copy=False)

    def read_compact_hu(self, rows: Sequence[int] | IntegerArray) -> Int16Array | Float32Array:
        """Read slices of one shape as HU, (N, rows, columns): int16 where the store keeps HU as
        such, float32 of the same values else. A row that is wanted twice is unpacked once."""
        wanted = [int(row) for row in rows]
        if not self.address.is_hu:
            return np.stack([self._hu(row) for row in wanted])
        shapes = self.address.shape[wanted]
        if not len(wanted) or (shapes != shapes[0]).any():
            raise ValueError(f"slices of {len(np.unique(shapes, axis=0))} shapes, not of one")
        hu = np.empty((len(wanted), *shapes[0]), np.int16)
        first: dict[int, int] = {}
        self.parts.expect(self._place(row) for row in wanted)
        for place, row in enumerate(wanted):
            if row in first:
                hu[place] = hu[first[row]]
                continue
            first[row] = place
            self._unpack(row, hu[place])
            np.maximum(hu[place], np.int16(AIR_HU), out=hu[place])
        return hu

    def _unpack(self, row: int, values: IntegerArray) -> None:
        """Unpack a slice into values, (rows, columns) in its own type."""
        blob = self.parts.read(*self._place(row))
        try:
            if unpacked_bytes(blob) != values.nbytes:
                raise ValueError(f"{unpacked_bytes(blob)} bytes, not {values.nbytes}")
            blosc2.decompress2(blob, dst=values, nthreads=1)
        except (ValueError, RuntimeError) as error:
            part = self.path / "parts" / f"{self.slices['part'][row]}.bin"
            raise DamagedFileError(part, PART_FORM, f"slice {row} is damaged ({error})") from error

    def _place(self, row: int) -> tuple[int, Span]:
        """Find the number of a slice's file, and its first byte and bytes in it."""
        at = self.address
        return int(at.part[row]), (int(at.offset[row]), int(at.bytes[row]))

    def _hu(self, row: int) -> Float32Array:
        slope, intercept = self.address.rescale[row]
        low, high = self.address.padding[row]
        padding = None if np.isnan(low) else (int(low), int(high))
        return to_hu(self.read(row), float(slope), float(intercept), padding)

    @property
    def digest(self) -> str | None:
        """The digest of the packed pixels and their meaning; None in a store of an earlier
        version."""
        if self.slices["digest"].null_count():
            return None
        return digest_of(self.slices)

    @property
    def disk_bytes(self) -> int:
        """Bytes of the packed slices on disk."""
        return int(self.address.bytes.sum())


def acquisition_keys(slices: pl.DataFrame) -> pl.Series:
    """Return a text (N,) for each slice, equal within one acquisition of one series."""
    uid = pl.col("SeriesInstanceUID")
    if "acquisition" not in slices.columns:
        return slices["SeriesInstanceUID"]
    several = pl.col("acquisition").fill_null(0) > 0
    key = pl.concat_str(uid, pl.lit("\n"), pl.col("acquisition"))
    return slices.select(pl.when(several).then(key).otherwise(uid).alias("pass"))["pass"]


def digest_of(slices: pl.DataFrame) -> str:
    """Digest slices' ids, pixels, crops and rescales in order; not of where they lie."""
    digest = hashlib.blake2b(digest_size=16)
    for row in slices.drop("part", "offset", "bytes", "patient", strict=False).iter_rows():
        digest.update(repr(row).encode())
    return digest.hexdigest()


def open_store(path: StrPath) -> Store:
    """Open a store for reading; StoreError with what to do where the folder is none."""
    path = Path(path)
    about_file = path / "store.json"
    if not about_file.is_file():
        raise StoreError(
            f"{path} is no store (no store.json); make one with: wetread pack INDEX -o {path}"
        )
    about = read_json(about_file, DESCRIPTION_FORM, {"format": int})
    if about["format"] not in READABLE:
        raise StoreError(
            f"{path} has format {about['format']}, this version reads {FORMAT}; pack again"
        )
    size = about.get("size", "none")
    if size is not None and (not isinstance(size, int) or not 0 < size <= MOST_SIDE):
        raise DamagedFileError(about_file, DESCRIPTION_FORM, f"its size is {size!r}")
    slices = _read_slices(path / "slices.parquet")
    with expect_form(path / "slices.parquet", TABLE_FORM):
        check_slices(slices)
    names = slices["part"].unique(maintain_order=True).to_list()
    files = [path / "parts" / f"{name}.bin" for name in names]
    check_ends(path, slices, dict(zip(names, map(_file_bytes, files), strict=True)))
    blosc2.set_releasegil(True)  # else threads that read ahead unpack one after the other
    return Store(
        path=path,
        slices=slices,
        rejects=read_parquet(path / "rejects.parquet", schema=REJECT_SCHEMA, expected=TABLE_FORM),
        size=size,
        parts=PartFiles(files),
        address=_address(slices, names),
    )


def _file_bytes(path: Path) -> int:
    """Ask how long a part is; DamagedFileError where it is empty."""
    length = path.stat().st_size
    if not length:
        raise DamagedFileError(path, PART_FORM, "empty, 0 bytes")
    return length


def _reopen(path: Path, slices: pl.DataFrame) -> Store:
    """Open the store at path, its table in place of that on disk, whose rows are the same."""
    return replace(open_store(path), slices=slices)


def unpacked_bytes(blob: bytes) -> int:
    """Read the unpacked length, bytes, in a blosc2 blob's header; ValueError where it has none."""
    if len(blob) < 32:
        raise ValueError(f"{len(blob)} bytes are no packed slice")
    return int.from_bytes(blob[4:8], "little")


def check_slices(slices: pl.DataFrame) -> None:
    """Raise ValueError where a row of SLICE_SCHEMA can be no slice, before memory is asked for."""
    here = ("rows", "columns", "dtype", "slope", "intercept", "part", "offset", "bytes")
    if slices.select(pl.col(here).is_null().any()).row(0).count(True) and slices.height:
        raise ValueError("a slice without its place or form")
    good = (
        pl.col("rows", "columns").is_between(1, MOST_SIDE),
        pl.col("slope", "intercept").is_finite(),
        pl.col("dtype").str.contains(r"^[<>|=][iuf][1248]$"),
        pl.col("offset") >= 0,
        pl.col("bytes") > 0,
        pl.col("part").str.contains(r"^[\w.-]+$"),
    )
    wrong = slices.filter(~pl.all_horizontal(*good))
    if wrong.height:
        raise ValueError(f"{wrong.height} slices of sizes, numbers or places that cannot be")


def check_ends(path: Path, slices: pl.DataFrame, lengths: Mapping[str, int]) -> None:
    """Raise DamagedFileError where a part is shorter than its slices say."""
    ends = slices.group_by("part").agg((pl.col("offset") + pl.col("bytes")).max().alias("end"))
    for part, end in ends.iter_rows():
        if lengths[part] < end:
            found = f"cut off after {lengths[part]} of {end} bytes"
            raise DamagedFileError(path / "parts" / f"{part}.bin", PART_FORM, found)


def _read_slices(path: Path) -> pl.DataFrame:
    """Read the table of slices; stores of earlier versions lack digests, notes and acquisitions."""
    later = {
        "digest": pl.lit(None, pl.String),
        "notes": pl.lit([], SLICE_SCHEMA["notes"]),
        "acquisition": pl.lit(0, pl.Int32),
    }
    known = {name: dtype for name, dtype in SLICE_SCHEMA.items() if name not in later}
    slices = read_parquet(path, schema=known, expected=TABLE_FORM)
    absent = {name: value for name, value in later.items() if name not in slices.columns}
    slices = slices.with_columns(**absent)
    return slices.select(list(SLICE_SCHEMA))


def _address(slices: pl.DataFrame, names: list[str]) -> Address:
    number = {name: place for place, name in enumerate(names)}
    is_hu = (
        (pl.col("slope") == 1)
        & (pl.col("intercept") == 0)
        & (pl.col("dtype") == np.dtype(np.int16).str)
        & pl.col("padding_low").is_null()
    )
    return Address(
        part=slices["part"].replace_strict(number, return_dtype=pl.Int32).to_numpy(),
        offset=slices["offset"].to_numpy(),
        bytes=slices["bytes"].to_numpy(),
        shape=slices.select("rows", "columns").to_numpy(),
        dtype=slices["dtype"].to_list(),
        rescale=slices.select("slope", "intercept").to_numpy(),
        padding=slices.select(
            pl.col("padding_low", "padding_high").cast(pl.Float64).fill_null(float("nan"))
        ).to_numpy(),
        is_hu=slices.select(is_hu.all()).item(),
    )
