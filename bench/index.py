"""bench/index.py: the header index against pydicom's loop, and against opening the files alone.

All three are given the files' names and are done when the rows are in memory. `index_verb` is the
whole verb beside them, one worker: listing, journal, duplicates and tables on disk too.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import pydicom

from bench.busy import gain_of_two_loops, wall
from bench.data import WORK
from bench.headers import SYNTAXES, write_headers
from wetread.archive.containers.sources import list_entries
from wetread.archive.index.index import build_index
from wetread.archive.index.journal import read_rows
from wetread.archive.index.schema import INDEX_SCHEMA, MARKS

FILES, MANY = 8_000, 240_000
TASK = 2_048  # files read at a time, as the verb does
A_PYDICOM = 8  # every so many-th file is read by pydicom: it is slow, and each costs the same
ROUNDS = 6  # the first is not counted
TEXTS = (
    *("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID"),
    *("FrameOfReferenceUID", "PatientID", "PatientSex", "PatientAge", "Modality"),
    *("BodyPartExamined", "ViewPosition", "Manufacturer", "ManufacturerModelName"),
    *("ConvolutionKernel", "PhotometricInterpretation"),
)
NUMBERS = (
    *("KVP", "InstanceNumber", "AcquisitionNumber", "Rows", "Columns", "NumberOfFrames"),
    *("SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("SliceThickness", "RescaleSlope", "RescaleIntercept", "PixelPaddingValue"),
)
LISTS = ("ImageType", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient")
PAIRS = (
    ("rows", "index_vs_pydicom", "pydicom"),
    ("rows", "index_vs_limit", "limit"),
    ("verb", "index_verb_vs_pydicom", "pydicom"),
)
MARK_SCHEMA = {name: INDEX_SCHEMA[name] for name in MARKS}
Row = dict[str, Any]


def compare() -> list[Row]:
    """Lean and rich headers, the worse of explicit and implicit VR; then two workers."""
    rows = []
    for form in ("lean", "rich"):
        found = {syntax: _microseconds(form, syntax) for syntax in SYNTAXES}
        for ours, name, theirs in PAIRS:
            ratios = {syntax: times[theirs] / times[ours] for syntax, times in found.items()}
            worst = min(ratios, key=lambda syntax: ratios[syntax])
            rows.append(
                {
                    "name": f"{name}_{form}",
                    "ours": found[worst][ours],
                    "theirs": found[worst][theirs],
                    "unit": "microseconds a file",
                    "ratio": ratios[worst],
                    "remark": ", ".join(f"{key} VR {value:.2f}" for key, value in ratios.items()),
                }
            )
    return [*rows, two_workers()]


def _microseconds(form: str, syntax: str) -> dict[str, float]:
    """CPU time a file of the rows, the verb, pydicom's loop, and open + read 64 KiB + close."""
    files = write_headers(WORK / "headers", form, syntax, FILES)
    names = [str(file) for file in files]
    some = names[::A_PYDICOM]
    marks = pl.DataFrame(list(list_entries(files)), schema=MARK_SCHEMA, orient="row")
    work: dict[str, tuple[Callable[[], object], int]] = {
        "rows": (lambda: [read_rows(part) for part in marks.iter_slices(TASK)], len(names)),
        "verb": (lambda: index_afresh(files[0].parents[1], 1), len(names)),
        "pydicom": (lambda: [_read_by_pydicom(name) for name in some], len(some)),
        "limit": (lambda: [_touch(name) for name in names], len(names)),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, (run, count) in work.items():
            started = time.process_time()
            run()
            times[name].append((time.process_time() - started) / count * 1e6)
    return {name: median(taken[1:]) for name, taken in times.items()}


def index_afresh(top: Path, workers: int) -> None:
    """An index of everything below top, nothing kept from before."""
    out = WORK / "fresh"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    build_index([top], out / "i.parquet", workers=workers)


def _read_by_pydicom(name: str) -> Row:
    dataset = pydicom.dcmread(name, stop_before_pixels=True)
    row: Row = {key: str(dataset.get(key, "")) for key in TEXTS}
    row |= {key: None if (value := dataset.get(key)) is None else float(value) for key in NUMBERS}
    row |= {key: list(dataset.get(key) or ()) for key in LISTS}
    return row


def _touch(name: str) -> int:
    """Bytes that were read."""
    handle = os.open(name, os.O_RDONLY)
    data = os.pread(handle, 64 * 1024, 0)
    os.close(handle)
    return len(data)


def two_workers() -> Row:
    """Wall time: the gain of two workers over one, as a share of what two busy loops gain."""
    top = write_headers(WORK / "headers", "lean", "explicit", MANY)[0].parents[1]
    ours, loops = [], []
    for _ in range(ROUNDS - 1):
        loops.append(gain_of_two_loops())
        ours.append(wall(lambda: index_afresh(top, 1)) / wall(lambda: index_afresh(top, 2)))
    return {
        "name": "index_two_workers",
        "ours": median(ours[1:]),
        "theirs": median(loops[1:]),
        "unit": "gain",
        "ratio": median(ours[1:]) / median(loops[1:]),
        "remark": f"{MANY} files, start of the workers included",
    }
