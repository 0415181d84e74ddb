"""tests/fuzz/reading.py: a batch of files through all that reads them, each accounted for."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.index import Index, build_index
from wetread.archive.index.journal import rows_to_frame
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.rejects import Reject, RejectError
from wetread.cli import text as tell
from wetread.outputs.data_frame import write_data_frame
from wetread.outputs.header_text import header_lines
from wetread.outputs.rejects import write_rejects
from wetread.study.issues import geometry_issues
from wetread.study.series import series_slices
from wetread.study.slices import slice_from_row

_REJECT = ("path", "member", "reason", "detail")
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")  # by a terminal
_BEGINS = {"=", "+", "-", "@", "\t", "\r"}
_PLAIN = re.compile(r"[-+]?[\w.+/\\ -]*=*")  # numbers and ids, which compute nothing of others


def read_batch(
    folder: Path, cases: Iterable[tuple[int, str, bytes]], limit_s: float
) -> Iterator[dict[str, object]]:
    """One entry a file: how it ended; and one a finding: what must not have happened."""
    tree = folder / "tree"
    tree.mkdir()
    what: dict[str, tuple[int, str]] = {}
    for number, told, content in cases:
        file = tree / f"{number}.dcm"
        file.write_bytes(content)
        what[str(file)] = number, told
    index = build_index([tree], folder / "index.parquet", workers=1)
    counts = index.counts()
    if counts["files"] != len(what):
        yield {"finding": f"{counts['files']} of {len(what)} files accounted for"}
    ends = dict(index.rejects.select("path", "reason").iter_rows())
    other = index.instances.filter(pl.col("state") != "image")["path"]
    ends |= dict.fromkeys(other, "not_image")
    for path, (number, told) in what.items():
        began = time.monotonic()
        try:
            for line in header_lines(path, identifiers="show"):
                if _OBEYED.search(line.value):
                    yield {"number": number, "what": told, "finding": f"prints {line.value!r}"}
            rows = index.images.filter(pl.col("path") == path)
            if ends.get(path) == "uid_conflict":  # another mutant's twin is read all the same
                rows = _alone(Path(path))
            if rows.height:
                ends[path] = _read_pixels(rows)
            elif path not in ends:
                ends[path] = "duplicate"
        except BaseException as error:
            finding = f"{type(error).__name__}: {error}"[:300]
            yield {"number": number, "what": told, "finding": finding}
        took = time.monotonic() - began
        if took > limit_s:
            yield {"number": number, "what": told, "finding": f"took {took:.0f} s"}
        yield {"number": number, "end": ends.get(path, "none")}
    yield from _in_tables(folder, index)


def _in_tables(folder: Path, index: Index) -> Iterator[dict[str, object]]:
    """A finding for each cell of the CSV files that a spreadsheet would compute."""
    refused = [Reject(*row) for row in index.rejects.select(_REJECT).iter_rows()]
    write_rejects(refused, folder / "rejects.csv")
    write_data_frame(index.instances, folder / "index.csv")
    for name in ("rejects.csv", "index.csv"):
        with (folder / name).open(newline="", encoding="utf-8") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                if cell[:1] in _BEGINS and not _PLAIN.fullmatch(cell):
                    yield {"finding": f"{name} computes {cell[:80]!r}"}
    for line in tell.wrapped(f"{one.reason}: {one.detail}" for one in refused):
        if _OBEYED.search(line):
            yield {"finding": f"prints {line[:80]!r}"}


def _alone(path: Path) -> pl.DataFrame:
    """The row of a file as if it lay alone; no row where it is no image."""
    row = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return rows_to_frame([row] if row["state"] == "image" else [], INDEX_SCHEMA)


def _read_pixels(rows: pl.DataFrame) -> str:
    """`read`, or the reason of the first frame that cannot be."""
    try:
        for frames in series_slices(rows):
            geometry_issues(frames)
            for row in frames.iter_rows(named=True):
                slice_from_row(row).values()
    except RejectError as reject:
        return f"pixels: {reject.reason}"
    return "read"
