"""store/pack.py: series become packed slices; each part is whole or absent, so packing resumes.

What the store does not know (where the head is) comes in as arguments.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from wetread.archive.executor.isolated_process import LostItem, still_alive
from wetread.archive.executor.workers import Workers, parallel_map
from wetread.archive.files.atomic import atomic_path, write_whole
from wetread.archive.files.table_file import read_parquet, write_table
from wetread.archive.index.digest import RECORD_SCHEMA, record_files
from wetread.archive.index.intercept import WRONG_INTERCEPT
from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow, Progress
from wetread.store.fresh import SOURCES, keep_fresh, remove_others, with_digests
from wetread.store.pack_series import Packing, compress, number_records, pack_series, reject_row
from wetread.store.store import FORMAT, REJECT_SCHEMA, SLICE_SCHEMA, Store, check_slices, open_store
from wetread.study.slices import slice_from_row
from wetread.study.unit import TAKEN_AS_HU

SERIES_PER_PART, SLICES_PER_PART = 8, 400  # few long series are work for several processes, too


@dataclass(frozen=True, eq=False)
class StorePart:
    """Some series that become one file of each store: a target with the endings .bin, .rejects and
    .parquet.

    rejects: rows of REJECT_SCHEMA that are known before it is packed.
    """

    group: tuple[pl.DataFrame, ...]
    targets: tuple[Path, ...]
    rejects: tuple[MutableRow, ...] = ()

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
    verify: bool = False,
) -> Store:
    """Pack series into one store at out, for a packing of one crop; see pack_crops."""
    (store,) = pack_crops(
        series, (out,), packing, workers=workers, progress=progress, verify=verify
    )
    return store


def pack_crops(
    series: Sequence[pl.DataFrame],
    outs: Sequence[Path],
    packing: Packing,
    *,
    workers: Workers,
    progress: Progress,
    verify: bool = False,
) -> tuple[Store, ...]:
    """Pack series (rows of an index in order of position) into a store for each crop, at `outs`:
    the same slices in each, decoded once.

    Parts that are already whole are kept, so a run that was killed goes on where it stopped; but
    for those whose files' pixels are others than were packed (archive/index/digest.py: renewed,
    which
    looks at all of them with `verify`): these are packed again. Parts of other files are removed.
    Slices that cannot be decoded, and those that take the decoding process with them, become rows
    of `rejects`; the series goes on without them.
    """
    for out in outs:
        (out / "parts").mkdir(parents=True, exist_ok=True)
    groups = _grouped(series)
    keys = [_part_key(group, packing) for group in groups]
    whole = keep_fresh(
        [out / "parts" for out in outs],
        [key for key in keys if all(is_whole_part(out / "parts", key) for out in outs)],
        workers,
        verify,
    )
    waiting = [
        StorePart(tuple(group), tuple(out / "parts" / key for out in outs))
        for group, key in zip(groups, keys, strict=True)
        if key not in whole
    ]
    total = sum(frame.height for frame in series)
    done = total - sum(part.height for part in waiting)
    progress(done, total)
    packed = parallel_map(partial(_pack_part, packing=packing), waiting, workers)
    for part, answer in zip(waiting, packed, strict=True):
        if isinstance(answer, LostItem):
            _pack_survivors(part, packing, workers, answer)
        done += part.height
        progress(done, total)
    for out in outs:
        write_tables(out, keys, packing)
        remove_others(out / "parts", keys)
    return tuple(open_store(out) for out in outs)


def is_whole_part(parts: Path, key: str) -> bool:
    """Whether a part exists with all the slices its table lists; a cut or foreign one is made
    anew."""
    try:
        rows = read_parquet(parts / f"{key}.parquet", schema=SLICE_SCHEMA)
        read_parquet(parts / f"{key}.rejects", schema=REJECT_SCHEMA)
        check_slices(rows)
        size = (parts / f"{key}.bin").stat().st_size
    except (OSError, ValueError):
        return False
    ends: list[int] = (rows["offset"] + rows["bytes"]).to_list()
    return max(ends, default=0) == size


def _grouped(series: Sequence[pl.DataFrame]) -> list[list[pl.DataFrame]]:
    """Group series into parts, in order; the number of workers does not change the parts."""
    groups: list[list[pl.DataFrame]] = []
    room = 0  # slices that the last part can still take
    for frame in series:
        if not groups or room < frame.height or len(groups[-1]) == SERIES_PER_PART:
            groups.append([])
            room = SLICES_PER_PART
        groups[-1].append(frame)
        room -= frame.height
    return groups


def _pack_survivors(part: StorePart, packing: Packing, workers: Workers, lost: LostItem) -> None:
    """Pack a part that took its process with it: without the files that do so when alone.

    Where no file does, the series do, each as a whole (their memory, the search for their box).
    """
    for without in (_without_lost_files, _without_lost_series):
        part = without(part, packing, workers)
        (answer,) = parallel_map(partial(_pack_part, packing=packing), [part], workers)
        if not isinstance(answer, LostItem):
            return
        lost = answer
    uids = [str(frame["SeriesInstanceUID"][0]) for frame in part.group if frame.height]
    raise RuntimeError(
        f"packing ends its process ({lost.detail}), although each of its series can be packed: "
        f"{', '.join(uids)}; give it more memory: fewer `workers`"
    )


def _without_lost_files(part: StorePart, packing: Packing, workers: Workers) -> StorePart:
    rows = [row for frame in part.group for row in frame.iter_rows(named=True)]
    answers = list(parallel_map(_decode, rows, workers))
    rejects = [
        reject_row(row, answer.reason, answer.detail)
        for row, answer in zip(rows, answers, strict=True)
        if isinstance(answer, LostItem)
    ]
    kept = iter([not isinstance(answer, LostItem) for answer in answers])
    group = [frame.filter([next(kept) for _ in range(frame.height)]) for frame in part.group]
    return replace(part, group=tuple(group), rejects=(*part.rejects, *rejects))


def _without_lost_series(part: StorePart, packing: Packing, workers: Workers) -> StorePart:
    answers = list(parallel_map(partial(_try_series, packing=packing), part.group, workers))
    rejects = [
        reject_row(row, answer.reason, f"with the rest of its series: {answer.detail}")
        for frame, answer in zip(part.group, answers, strict=True)
        if isinstance(answer, LostItem)
        for row in frame.iter_rows(named=True)
    ]
    pairs = zip(part.group, answers, strict=True)
    group = tuple(frame for frame, answer in pairs if not isinstance(answer, LostItem))
    return replace(part, group=group, rejects=(*part.rejects, *rejects))


def _decode(row: MutableRow) -> None:
    """Decode one file as packing does and keep nothing: whether the process survives it."""
    with contextlib.suppress(RejectError):
        slice_from_row(row).values()


def _try_series(frame: pl.DataFrame, packing: Packing) -> None:
    for _, _, values in pack_series(frame, packing, []):
        compress(values, packing.codec)


def _part_key(group: Sequence[pl.DataFrame], packing: Packing) -> str:
    """Name a part by what goes into it: equal files in an equal packing have an equal key."""
    about = f"{FORMAT} digests {packing.size} {packing.values.__name__} {packing.in_hu} "
    about += f"{packing.absent.__name__} {packing.find_boxes.__name__}"
    digest = hashlib.sha256(about.encode())
    for frame in group:
        noted = [
            pl.col("notes").list.contains(note).alias(note)
            for note in (WRONG_INTERCEPT, TAKEN_AS_HU)
        ]
        marks = frame.select("path", "member", "size", "mtime_ns", "crc", *noted, "PatientID")
        for row in marks.iter_rows():
            digest.update(repr(row).encode())
    return digest.hexdigest()[:24]


def _pack_part(part: StorePart, packing: Packing) -> None:
    rejects = list(part.rejects)
    sources = [pl.DataFrame(schema=RECORD_SCHEMA)]
    rows: list[list[MutableRow]] = [[] for _ in part.targets]
    with contextlib.ExitStack() as opened:
        unfinished = [atomic_path(target.with_suffix(".bin")) for target in part.targets]
        paths = [opened.enter_context(file) for file in unfinished]
        files = [opened.enter_context(path.open("wb")) for path in paths]
        for frame in part.group:
            sources.append(record_files(frame.iter_rows(named=True)))
            frame = with_digests(frame, sources[-1])
            records: list[list[MutableRow]] = [[] for _ in part.targets]
            for crop, record, values in pack_series(frame, packing, rejects):
                blob = compress(values, packing.codec)
                place = {"offset": files[crop].tell(), "bytes": len(blob)}
                records[crop].append(record | {"part": part.targets[crop].name} | place)
                files[crop].write(blob)
                still_alive()
            for crop_rows, crop_records in zip(rows, records, strict=True):
                crop_rows += number_records(crop_records)
    for target, crop_rows in zip(part.targets, rows, strict=True):
        write_table(pl.DataFrame(rejects, schema=REJECT_SCHEMA), target.with_suffix(".rejects"))
        write_table(pl.concat(sources).unique(maintain_order=True), target.with_suffix(SOURCES))
        write_table(pl.DataFrame(crop_rows, schema=SLICE_SCHEMA), target.with_suffix(".parquet"))


def write_tables(out: Path, keys: Sequence[str], packing: Packing) -> None:
    """Write what makes whole parts, by their keys, a store: its tables and its description."""
    parts = [read_parquet(out / "parts" / f"{key}.parquet") for key in keys]
    rejects = [read_parquet(out / "parts" / f"{key}.rejects") for key in keys]
    write_table(pl.concat([pl.DataFrame(schema=REJECT_SCHEMA), *rejects]), out / "rejects.parquet")
    write_table(pl.concat([pl.DataFrame(schema=SLICE_SCHEMA), *parts]), out / "slices.parquet")
    about = {"format": FORMAT, "size": packing.size, **asdict(packing.codec)}
    if packing.size is not None:
        about["values"] = f"{packing.values.__name__} as integers, cropped to the box, area-resized"
    write_whole(out / "store.json", json.dumps(about, indent=2).encode())
