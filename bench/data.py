"""bench/data.py: the slices that are measured on: phantoms of 512 x 512 pixels, written once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import polars as pl

from wetread.archive.index.index import build_index
from wetread.phantoms.head.archive import write_head_archive
from wetread.store.pack import pack
from wetread.store.pack_series import OneBox, Packing
from wetread.store.store import Store
from wetread.study.crop import whole_picture
from wetread.study.series import series_slices

WORK = Path(__file__).parent / "work"
STUDIES, SEED, SIZE = 8, 0, 512
ROUNDS = 7  # the first is not counted


def quiet(done: int, total: int) -> None:
    """No progress: stdout is the result."""


def series() -> list[pl.DataFrame]:
    """The phantoms' series as rows of an index."""
    archive = WORK / "archive"
    if not (archive / "stage_2_train.csv").is_file():
        write_head_archive(archive, STUDIES, SEED, size=SIZE, workers=1, progress=quiet)
    return series_slices(build_index([archive], WORK / "index.parquet", workers=1).images)


def packed(size: int | None) -> tuple[Store, float]:
    """The store at a size, and the seconds that packing it took (one worker)."""
    out = WORK / f"store-{size or 'full'}"
    rows = series()
    started = time.perf_counter()
    store = pack(rows, out, Packing(size, OneBox(whole_picture)), workers=1, progress=quiet)
    note = out / "seconds.txt"
    if not note.is_file():
        note.write_text(str(time.perf_counter() - started))
    return store, float(note.read_text())


def in_turn(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Median CPU seconds of each, round by round in turn, the first round dropped."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for work, taken in zip((ours, theirs), times, strict=True):
            started = time.process_time()
            work()
            taken.append(time.process_time() - started)
    return median(times[0][1:]), median(times[1][1:])
