"""bench/export.py: DICOM to windowed PNG, against pydicom with Pillow and against dcmtk.

The same phantom files for all, 512 x 512, uncompressed; the pictures are compared first.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pydicom

from bench.busy import gain_of_two_loops, wall
from bench.data import WORK, series
from wetread.archive.executor.workers import parallel_map
from wetread.archive.index.index import build_index
from wetread.exports.folder import ExportFolder, open_export_folder
from wetread.exports.formats import ExportOptions
from wetread.exports.work import ExportJob
from wetread.study.series import series_slices
from wetread.verbs.export import plan_jobs, run_export_job

BSB = ((40, 80), (80, 200), (600, 2000))
ROUNDS = 4  # the first is not counted
A_PILLOW = 4  # every so many-th file goes through Pillow: it is slow, and each costs the same
A_DCMTK = 8
TIMES = 6  # the archive, for two workers: the start of a worker is to be little
OUT = WORK / "exported"
Row = dict[str, Any]


def compare() -> list[Row]:
    """Three windows against pydicom and Pillow, one against dcmtk, and two workers."""
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE  # its fastest way
    rows = series()
    files = [Path(path) for frame in rows for path in frame["path"]]
    found = [against_pillow(files), two_workers(rows)]
    if shutil.which("dcm2pnm") is None:
        print("export_vs_dcmtk left out: no dcm2pnm here (Debian: dcmtk)", file=sys.stderr)
        return found
    return [*found, against_dcmtk(files)]


def against_pillow(files: Sequence[Path]) -> Row:
    """CPU time a file from its name to the PNG on disk: header, pixels, three windows, encoding.

    Ours is the whole export in this process: index, manifest and checksums too.
    """
    some = files[::A_PILLOW]
    out = OUT / "pillow"
    out.mkdir(parents=True, exist_ok=True)
    ours_bytes, theirs_bytes = _same_pictures(files, some, out)
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        taken["ours"].append(_cpu(lambda: export_here(files, "bsb")) / len(files))
        taken["theirs"].append(_cpu(lambda: [_by_pillow(file, out) for file in some]) / len(some))
    ours, theirs = (median(taken[name][1:]) * 1e3 for name in ("ours", "theirs"))
    return {
        "name": "export_vs_pydicom_pillow",
        "ours": ours,
        "theirs": theirs,
        "unit": "ms a file",
        "ratio": theirs / ours,
        "remark": f"bytes a file {ours_bytes / 1e3:.0f} k and {theirs_bytes / 1e3:.0f} k "
        f"({ours_bytes / theirs_bytes:.2f} x); {len(files)} and {len(some)} files",
    }


def export_here(files: Sequence[Path], window: str) -> ExportFolder:
    """The whole export without a worker process, which would only add its start."""
    folder = open_export_folder(_empty(OUT / "ours"), ExportOptions(format="png", window=window))
    found = build_index(files, WORK / "export.parquet", workers=1)
    rows = series_slices(found.images)
    jobs = plan_jobs(folder, rows, [None] * len(rows))
    for job in jobs:
        run_export_job(job, folder)
    folder.write_tables([job.key for job in jobs], [])
    (WORK / "export.parquet").unlink()  # the next round reads the headers anew
    return folder


def _by_pillow(file: Path, out: Path) -> int:
    """The sources' way: one slice after the other, float windows, Pillow's own settings."""
    from PIL import Image

    dataset = pydicom.dcmread(file)
    hu = dataset.pixel_array * np.float32(dataset.RescaleSlope) + np.float32(
        dataset.RescaleIntercept
    )
    channels = [np.clip((hu - (c - w / 2)) / w, 0, 1) * 255 for c, w in BSB]
    picture = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    file_out = out / f"{dataset.SOPInstanceUID}.png"
    Image.fromarray(picture).save(file_out)
    return file_out.stat().st_size


def _same_pictures(files: Sequence[Path], some: Sequence[Path], out: Path) -> tuple[float, float]:
    """Mean bytes of the files of both ways, when their pixels are the same."""
    from PIL import Image

    folder = export_here(files, "bsb")
    manifest = pl.read_csv(folder.path / "manifest.csv")
    theirs = [_by_pillow(file, out) for file in some]
    ours = []
    for file in some:
        name = manifest.row(by_predicate=pl.col("SOPInstanceUID") == file.stem, named=True)["file"]
        path = folder.path / name
        ours.append(path.stat().st_size)
        own, other = (np.asarray(Image.open(one)) for one in (path, out / f"{file.stem}.png"))
        assert np.array_equal(own, other), file
    return float(np.mean(ours)), float(np.mean(theirs))


def against_dcmtk(files: Sequence[Path]) -> Row:
    """CPU time a file of dcm2pnm, one window, and of the whole command `wetread export`, one
    worker, the start of its processes included."""
    some = files[::A_DCMTK]
    out = OUT / "dcmtk"
    out.mkdir(parents=True, exist_ok=True)
    taken: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(ROUNDS):
        taken["ours"].append(_children(_our_command(files)) / len(files))
        commands = [
            ["dcm2pnm", "+on", "+Ww", "40", "80", str(file), str(out / f"{file.stem}.png")]
            for file in some
        ]
        taken["theirs"].append(sum(map(_children, commands)) / len(some))
    ours, theirs = (median(taken[name][1:]) * 1e3 for name in ("ours", "theirs"))
    return {
        "name": "export_vs_dcmtk",
        "ours": ours,
        "theirs": theirs,
        "unit": "ms a file",
        "ratio": theirs / ours,
        "remark": f"one window; a process a file, and one command for {len(files)}",
    }


def _our_command(files: Sequence[Path]) -> list[str]:
    top = files[0].parents[0]
    out = str(_empty(OUT / "command"))
    words = ["export", "png", str(top), "-o", out, "--window", "brain", "--workers", "1"]
    return [sys.executable, "-m", "wetread", *words]


def two_workers(rows: Sequence[pl.DataFrame]) -> Row:
    """Wall time: the gain of two workers over one, as a share of what two busy loops gain."""
    options = ExportOptions(format="png", window="bsb")
    ours, loops = [], []
    for _ in range(ROUNDS):
        loops.append(gain_of_two_loops())
        times = []
        for workers in (1, 2):
            folders = [
                open_export_folder(_empty(OUT / f"workers{n}"), options) for n in range(TIMES)
            ]
            items = [
                (job, folder)
                for folder in folders
                for job in plan_jobs(folder, rows, [None] * len(rows))
            ]
            times.append(wall(partial(_all_of, items, workers)))
        ours.append(times[0] / times[1])
    count = sum(frame.height for frame in rows) * TIMES
    return {
        "name": "export_two_workers",
        "ours": median(ours[1:]),
        "theirs": median(loops[1:]),
        "unit": "gain",
        "ratio": median(ours[1:]) / median(loops[1:]),
        "remark": f"{count} files, start of the workers included",
    }


def _all_of(items: Sequence[tuple[ExportJob, ExportFolder]], workers: int) -> None:
    for _ in parallel_map(_do, items, workers):
        pass


def _do(item: tuple[ExportJob, ExportFolder]) -> None:
    run_export_job(*item)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _children(command: Sequence[str]) -> float:
    """CPU seconds of a command and of what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
