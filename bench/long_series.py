"""bench/long_series.py: series of 1,200 slices from files to an answer: memory and time.

python -m bench long_series: phantom angiograms, their slices interpolated along z to 1,200 of
512 x 512 pixels, uncompressed, and runs that learned next to nothing: what they say does not
matter, how long they take does. Commands are run as a user runs them, start and imports included.

Memory is PSS (a page that processes share counts once), summed over a command's processes and
sampled every 50 ms; Linux.

Time is that of a study among others: of three less that of one, halved, so that what a command
takes to start is not in it. Beside it stand the bare forward passes that the answer needs: every
slice through each encoder as torch runs it, as it is and mirrored, from tensors that are ready, in
batches and threads like those of the command. CPU seconds are of all processes.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from bench.bare_passes import Bare, forward_passes
from bench.data import WORK
from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.verbs.index import index
from wetread.verbs.phantom import phantom
from wetread.verbs.train.train import train

TASK, SLICES, SIDE, STEP_MM, SEED = "embolism", 1200, 512, 0.3, 0
BUDGET_GIB = 2.0
PRECISIONS = ("auto", "float32")
STUDIES, LEARNED = 3, 16  # to read, and to learn from
ROUNDS = 4
EVERY_S = 0.05
Row = dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """Resources of a command: highest PSS and RSS of all its processes, CPU and wall seconds."""

    gib: float
    rss_gib: float
    cpu_s: float
    wall_s: float


def compare() -> list[Row]:
    """Memory against the budget, and time against bare forward passes, in turn."""
    source = WORK / "long"
    if not source.is_dir():
        write_long_series(source)
    one, table = source / "0", WORK / "long-index.parquet"
    indexed = taken_by(["index", str(one), "-o", str(table)], [table])
    rows = [_memory("long_series_index_gib", indexed, "one worker a core")]
    for precision in PRECISIONS:
        run, out = learned(precision), WORK / "long-out"
        few: list[Taken] = []
        many: dict[int, list[Taken]] = {1: [], 2: []}
        bare: list[Bare] = []
        for _ in range(ROUNDS):
            few.append(_predicted(one, run, out, 1))
            bare.append(forward_passes(run, out))
            for workers, found in many.items():
                found.append(_predicted(source, run, out, workers))
        for studies, workers, found in ((1, 1, few), (STUDIES, 2, many[2])):
            most = max(found, key=lambda taken: taken.gib)
            name = f"long_series_predict_gib_{precision}_{studies}"
            rows.append(_memory(name, most, f"studies: {studies}, --workers {workers}"))
        rows += _times(precision, few, many, bare)
    return rows


def _predicted(source: Path, run: Path, out: Path, workers: int) -> Taken:
    words = ["predict", str(source), "--run", str(run), "-o", str(out)]
    return taken_by([*words, "--workers", str(workers)], [out])


def _memory(name: str, taken: Taken, remark: str) -> Row:
    return {
        "name": name,
        "ours": taken.gib,
        "theirs": BUDGET_GIB,
        "unit": "GiB, PSS of all processes, at most",
        "ratio": BUDGET_GIB / taken.gib,
        "remark": f"the other is the budget; {remark}; RSS {taken.rss_gib:.2f}",
    }


def _times(
    precision: str, few: Sequence[Taken], many: dict[int, list[Taken]], bare: Sequence[Bare]
) -> list[Row]:
    """A study among others beside bare passes, in CPU seconds and by the clock."""

    def more(of: str, workers: int) -> float:
        alone, several = (
            float(median(getattr(taken, of) for taken in found)) for found in (few, many[workers])
        )
        return (several - alone) / (STUDIES - 1)

    first, alone = bare[0], median(taken.cpu_s for taken in few)
    about = f"{first.passes} passes in {first.precision} on {first.threads} threads"
    rows = []
    for of, workers, unit in (
        ("cpu_s", 1, "CPU seconds a study"),
        ("wall_s", 2, "seconds a study by the clock"),
    ):
        ours, theirs = more(of, workers), median(getattr(one.plain, of) for one in bare)
        folded = median(getattr(one.folded, of) for one in bare)
        rows.append(
            {
                "name": f"long_series_study_vs_forward_{precision}_{of}",
                "ours": ours,
                "theirs": theirs,
                "unit": unit,
                "ratio": theirs / ours,
                "remark": f"{ours / theirs:.2f} times {about}; folded as `predict` runs them they "
                f"take {folded:.1f} s, {ours / folded:.2f} times; --workers {workers}; one study "
                f"alone, start included, {alone:.1f} CPU s",
            }
        )
    return rows


def write_long_series(out: Path) -> None:
    """A phantom's slices, interpolated along z, as plain DICOM: out/0, out/1 ..., each a study with
    noise of its own."""
    source = WORK / "long-source"
    write_angiogram_archive(source, 1, SEED, size=SIDE, workers=1, progress=_quiet)
    files = sorted((source / "train").rglob("*.dcm"))
    slices = sorted(map(pydicom.dcmread, files), key=lambda one: one.ImagePositionPatient[2])
    hu = [one.pixel_array.astype(np.float32) + float(one.RescaleIntercept) for one in slices]
    beside = out.with_suffix(".part")
    for study in range(STUDIES):
        rng = np.random.default_rng([SEED, study])
        (beside / f"{study}").mkdir(parents=True, exist_ok=True)
        for z, at in enumerate(np.linspace(0, len(hu) - 1, SLICES)):
            low = min(int(at), len(hu) - 2)
            share = np.float32(at - low)
            plane = (1 - share) * hu[low] + share * hu[low + 1] + rng.normal(0, 8, hu[0].shape)
            stored = (np.rint(plane).clip(-1024, 3071) + 1024).astype("<u2")
            _dataset(study, z, stored, slices[0].PixelSpacing).save_as(
                beside / f"{study}" / f"{z:04d}.dcm", enforce_file_format=True
            )
    beside.rename(out)


def _dataset(study: int, z: int, stored: np.ndarray, spacing_mm: Any) -> pydicom.Dataset:
    one = pydicom.Dataset()
    one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, f"2.25.{10**20 + SLICES * study + z}"
    one.StudyInstanceUID, one.SeriesInstanceUID = f"2.25.12{study}", f"2.25.13{study}"
    one.Modality, one.PatientID, one.BodyPartExamined = "CT", f"long {study}", "CHEST"
    one.InstanceNumber, one.SliceThickness = z + 1, 2 * STEP_MM
    one.ImagePositionPatient = [-150, -150, round(z * STEP_MM, 3)]
    one.ImageOrientationPatient, one.PixelSpacing = [1, 0, 0, 0, 1, 0], spacing_mm
    one.Rows, one.Columns = stored.shape
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
    one.RescaleSlope, one.RescaleIntercept = 1, -1024
    one.PixelData = stored.tobytes()
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return one


def _quiet(done: int, total: int) -> None:
    """No progress: stdout is the result."""


def learned(precision: str) -> Path:
    """A run of the task's own recipe, an epoch of each stage over few phantoms of either kind."""
    run, archive = WORK / f"long-run-{precision}", WORK / "long-phantoms"
    if not (run / "scores.json").is_file():
        phantom(TASK, archive, studies=LEARNED, seed=SEED)
        table = WORK / "long-phantoms.parquet"
        index([archive], table)
        quick = ("phantoms.studies=6", "phantoms.epochs=1", "epochs=1", "series.epochs=1")
        settings = (*quick, f"runtime.precision={precision}")
        train(TASK, [table], run, labels=[archive / "train.csv"], seed=SEED, settings=settings)
    return run


def taken_by(words: Sequence[str], made: Sequence[Path]) -> Taken:
    """`wetread words`, which makes those files or folders anew."""
    for path in made:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "wetread", *words], stdout=subprocess.DEVNULL)
    ended = threading.Event()
    peak = [0, 0]

    def watch() -> None:
        while not ended.wait(EVERY_S):
            for place, now in enumerate(_resident(process.pid)):
                peak[place] = max(peak[place], now)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    ended.set()
    watcher.join()
    wall = time.perf_counter() - started
    if code:
        raise RuntimeError(f"wetread {' '.join(words)} ended with {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(peak[0] / 2**20, peak[1] / 2**20, cpu, wall)


def _resident(root: int) -> tuple[int, int]:
    """KiB, PSS and RSS, of a process and all it started."""
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        stat = _text(f"/proc/{name}/stat")
        if stat:
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(name))
    family = [root]
    for one in family:
        family += children.get(one, [])
    sums = {"Pss:": 0, "Rss:": 0}
    for one in family:
        for line in _text(f"/proc/{one}/smaps_rollup").splitlines()[1:]:
            name, number, *_ = line.split()
            if name in sums:
                sums[name] += int(number)
    return sums["Pss:"], sums["Rss:"]


def _text(path: str) -> str:
    """The file's text; nothing where its process has ended."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
