"""tests/fuzz/reading.py: a batch of files through all that reads them, each accounted for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from wetread.archive.examine import examine
from wetread.archive.index import build_index
from wetread.archive.journal import as_frame
from wetread.archive.rejects import RejectError
from wetread.archive.schema import INDEX_SCHEMA
from wetread.archive.sources import Entry
from wetread.outputs.header_text import header_lines
from wetread.study.issues import geometry_issues
from wetread.study.series import series_slices
from wetread.study.slices import read_slice


def read_batch(
    folder: Path, cases: Iterable[tuple[int, str, bytes]], limit_s: float
) -> Iterator[dict[str, object]]:
    """One entry a file: how it ended; and one a finding: what must not have happened."""
    tree = folder / "tree"
    tree.mkdir()
    what: dict[str, tuple[int, str]] = {}
    for number, told, content in cases:
        path = tree / f"{number}.dcm"
        path.write_bytes(content)
        what[str(path)] = number, told
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
            for _ in header_lines(path):
                pass
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


def _alone(path: Path) -> pl.DataFrame:
    """The row of a file as if it lay alone; no row where it is no image."""
    row = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return as_frame([row] if row["state"] == "image" else [], INDEX_SCHEMA)


def _read_pixels(rows: pl.DataFrame) -> str:
    """`read`, or the reason of the first frame that cannot be."""
    try:
        for frames in series_slices(rows):
            geometry_issues(frames)
            for row in frames.iter_rows(named=True):
                read_slice(row).values()
    except RejectError as reject:
        return f"pixels: {reject.reason}"
    return "read"
