"""store/pack.py: series become packed slices; each part is whole or absent, so packing resumes.

What the store does not know (where the head is, how a slice is cropped) comes in as arguments.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import blosc2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.archive.guard import Lost, still_alive
from wetread.archive.intercept import WRONG_INTERCEPT
from wetread.archive.rejects import RejectError
from wetread.archive.workers import Workers, each
from wetread.store.store import FORMAT, REJECT_SCHEMA, SLICE_SCHEMA, Store, open_store
from wetread.study.display import hounsfield
from wetread.study.series import positions_mm
from wetread.study.slices import Slice, read_slice

SERIES_PER_PART = 8
# Decodes twice as fast as zstd and still takes no more disk than 16-bit PNG; packing is the price.
CODEC = {"codec": "lz4hc", "level": 9, "filter": "shuffle", "block": "one slice"}

Box = tuple[int, int, int, int]
FindBox = Callable[[NDArray[np.float32]], Box]  # HU (Z, rows, columns) -> the crop
Shrink = Callable[[NDArray[np.float32], Box, int], NDArray[np.float32]]
ValuesOf = Callable[[Mapping[str, Any], Slice], NDArray[np.float32]]  # row of the index and slice
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Packing:
    """How slices are packed.

    size:     None keeps every stored integer; a number crops to the box and resizes to that side.
    find_box: values of a series -> its crop (the box is stored at either size).
    shrink:   (values of one slice, box, size) -> values (size, size).
    values:   what a slice's stored integers stand for: study/display.py.
    """

    size: int | None
    find_box: FindBox
    shrink: Shrink
    values: ValuesOf = hounsfield


@dataclass(frozen=True, eq=False)
class Part:
    """Some series that become one file: `target` with the endings .bin, .rejects and .parquet.

    rejects: rows of REJECT_SCHEMA that are known before it is packed.
    """

    group: tuple[pl.DataFrame, ...]
    target: Path
    rejects: tuple[dict[str, Any], ...] = ()

    @property
    def height(self) -> int:
        """Slices, rejected ones included."""
        return sum(frame.height for frame in self.group) + len(self.rejects)


def pack(
    series: Sequence[pl.DataFrame],
    out: Path,
    packing: Packing,
    *,
    workers: Workers,
    progress: Progress,
) -> Store:
    """Pack series (rows of an index in order of position) into a store at `out`.

    Parts that are already whole are kept, so a run that was killed goes on where it stopped.
    Slices that cannot be decoded, and those that take the decoding process with them, become rows
    of `rejects`; the series goes on without them.
    """
    (out / "parts").mkdir(parents=True, exist_ok=True)
    groups = [series[i : i + SERIES_PER_PART] for i in range(0, len(series), SERIES_PER_PART)]
    keys = [_part_key(group, packing) for group in groups]
    waiting = [
        Part(tuple(group), out / "parts" / key)
        for group, key in zip(groups, keys, strict=True)
        if not (out / "parts" / f"{key}.parquet").is_file()
    ]
    total = sum(frame.height for frame in series)
    done = total - sum(part.height for part in waiting)
    progress(done, total)
    packed = each(partial(_pack_part, packing=packing), waiting, workers)
    for part, answer in zip(waiting, packed, strict=True):
        if isinstance(answer, Lost):
            _pack_without_the_lost(part, packing, workers, answer)
        done += part.height
        progress(done, total)
    _write_tables(out, keys, packing)
    return open_store(out)


def _pack_without_the_lost(part: Part, packing: Packing, workers: Workers, lost: Lost) -> None:
    """Pack a part that took its process with it: without the files that do so when alone.

    Where no file does, the series do, each as a whole (their memory, the search for their box).
    """
    for without in (_without_lost_files, _without_lost_series):
        part = without(part, packing, workers)
        (answer,) = each(partial(_pack_part, packing=packing), [part], workers)
        if not isinstance(answer, Lost):
            return
        lost = answer
    uids = [str(frame["SeriesInstanceUID"][0]) for frame in part.group if frame.height]
    raise RuntimeError(
        f"packing ends its process ({lost.detail}), although each of its series can be packed: "
        f"{', '.join(uids)}; give it more memory: fewer --workers"
    )


def _without_lost_files(part: Part, packing: Packing, workers: Workers) -> Part:
    rows = [row for frame in part.group for row in frame.iter_rows(named=True)]
    answers = list(each(_decode, rows, workers))
    rejects = [
        _reject(row, answer.reason, answer.detail)
        for row, answer in zip(rows, answers, strict=True)
        if isinstance(answer, Lost)
    ]
    kept = iter([not isinstance(answer, Lost) for answer in answers])
    group = [frame.filter([next(kept) for _ in range(frame.height)]) for frame in part.group]
    return replace(part, group=tuple(group), rejects=(*part.rejects, *rejects))


def _without_lost_series(part: Part, packing: Packing, workers: Workers) -> Part:
    answers = list(each(partial(_try_series, packing=packing), part.group, workers))
    rejects = [
        _reject(row, answer.reason, f"with the rest of its series: {answer.detail}")
        for frame, answer in zip(part.group, answers, strict=True)
        if isinstance(answer, Lost)
        for row in frame.iter_rows(named=True)
    ]
    pairs = zip(part.group, answers, strict=True)
    group = tuple(frame for frame, answer in pairs if not isinstance(answer, Lost))
    return replace(part, group=group, rejects=(*part.rejects, *rejects))


def _decode(row: dict[str, Any]) -> None:
    """What packing does with a file, and nothing kept: does the process live?"""
    with contextlib.suppress(RejectError):
        read_slice(row).values()


def _try_series(frame: pl.DataFrame, packing: Packing) -> None:
    for _, values in _pack_series(frame, packing, []):
        compress(values)


def _reject(row: dict[str, Any], reason: str, detail: str) -> dict[str, Any]:
    return {name: row[name] for name in ("SOPInstanceUID", "path", "member")} | {
        "reason": reason,
        "detail": detail,
    }


def _part_key(group: Sequence[pl.DataFrame], packing: Packing) -> str:
    """Names a part by what goes into it: the same files in the same packing, the same key."""
    about = f"{FORMAT} {packing.size} {packing.values.__name__}"
    digest = hashlib.sha256(about.encode())
    for frame in group:
        repaired = pl.col("notes").list.contains(WRONG_INTERCEPT)
        for row in frame.select("path", "member", "size", "mtime_ns", "crc", repaired).iter_rows():
            digest.update(repr(row).encode())
    return digest.hexdigest()[:24]


def _pack_part(part: Part, packing: Packing) -> None:
    target = part.target
    rows: list[dict[str, Any]] = []
    rejects = list(part.rejects)
    beside = target.with_suffix(f".{uuid4().hex}.tmp")
    with beside.open("wb") as file:
        for frame in part.group:
            for record, values in _pack_series(frame, packing, rejects):
                blob = compress(values)
                record |= {"part": target.name, "offset": file.tell(), "bytes": len(blob)}
                rows.append(record)
                file.write(blob)
                still_alive()
    beside.rename(target.with_suffix(".bin"))
    _write_parquet(pl.DataFrame(rejects, schema=REJECT_SCHEMA), target.with_suffix(".rejects"))
    _write_parquet(pl.DataFrame(rows, schema=SLICE_SCHEMA), target.with_suffix(".parquet"))


def compress(values: NDArray[Any]) -> bytes:
    """One slice as one blosc2 blob; a block is the slice, so one read is one decompression."""
    blob: bytes = blosc2.compress2(
        np.ascontiguousarray(values),
        codec=blosc2.Codec.LZ4HC,
        clevel=CODEC["level"],
        typesize=values.dtype.itemsize,
        filters=[blosc2.Filter.SHUFFLE],
        filters_meta=[0],
        blocksize=values.nbytes,
        nthreads=1,
    )
    return blob


def _pack_series(
    frame: pl.DataFrame, packing: Packing, rejects: list[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], NDArray[Any]]]:
    """Each readable slice of a series as its record and the integers to store."""
    kept: list[tuple[dict[str, Any], Slice]] = []
    for row in frame.iter_rows(named=True):
        try:
            kept.append((row, read_slice(row)))
        except RejectError as error:
            rejects.append(_reject(row, error.reason, error.detail))
        still_alive()
    if not kept:
        return
    values = [packing.values(row, one) for row, one in kept]
    boxes = _boxes(values, packing.find_box)
    positions = positions_mm(pl.DataFrame([row for row, _ in kept], schema=frame.schema))
    for z, (row, one) in enumerate(kept):
        record = _record(row, z, len(kept), float(positions[z]), boxes[z], one.stored.shape)
        if packing.size is None:
            yield record | _as_stored(one), one.stored
        else:
            small = np.rint(packing.shrink(values[z], boxes[z], packing.size)).astype(np.int16)
            yield record | _as_hu(small), small


def _boxes(values: list[NDArray[np.float32]], find_box: FindBox) -> list[Box]:
    """One box for the slices of one shape: a series of mixed shapes gets one a shape."""
    found = {
        shape: find_box(np.stack([s for s in values if s.shape == shape]))
        for shape in {s.shape for s in values}
    }
    return [found[s.shape] for s in values]


def _record(
    row: dict[str, Any], z: int, n: int, position: float, box: Box, shape: tuple[int, ...]
) -> dict[str, Any]:
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
        "box": list(box),
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


def _write_tables(out: Path, keys: Sequence[str], packing: Packing) -> None:
    parts = [pl.read_parquet(out / "parts" / f"{key}.parquet") for key in keys]
    rejects = [pl.read_parquet(out / "parts" / f"{key}.rejects") for key in keys]
    _write_parquet(
        pl.concat([pl.DataFrame(schema=REJECT_SCHEMA), *rejects]), out / "rejects.parquet"
    )
    _write_parquet(pl.concat([pl.DataFrame(schema=SLICE_SCHEMA), *parts]), out / "slices.parquet")
    about = {"format": FORMAT, "size": packing.size, **CODEC}
    if packing.size is not None:
        about["values"] = f"{packing.values.__name__} as integers, cropped to the box, area-resized"
    beside = out / "store.json.tmp"
    beside.write_text(json.dumps(about, indent=2))
    beside.rename(out / "store.json")


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    beside = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    frame.write_parquet(beside)
    beside.rename(path)
