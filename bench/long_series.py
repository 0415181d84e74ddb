"""bench/long_series.py: a series of 1,200 slices from files to an answer: memory and time.

python -m bench long_series: a phantom angiogram, its slices interpolated along z to 1,200 of
512 x 512 pixels, uncompressed, and runs that learned next to nothing: what they say does not
matter, how long they take does. Commands are run as a user runs them, start and imports included.

Memory is PSS (a page that processes share counts once), summed over a command's processes and
sampled every 50 ms; Linux. Time is CPU seconds of all processes beside those of the bare forward
passes the answer needs: every slice through each encoder, as it is and mirrored, from tensors that
are ready, in the same batches.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pydicom
import torch
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from bench.data import WORK
from wetread.phantoms.embolism_archive import write_ctpa_archive
from wetread.store.store import Store, open_store
from wetread.training.batches import read_seen
from wetread.training.device import choose_runtime, threads_and_chance
from wetread.training.predict import CPU_BATCH
from wetread.training.run import Trained
from wetread.training.series_run import read_series_reader
from wetread.verbs.index import index
from wetread.verbs.phantom import phantom
from wetread.verbs.train import train
from wetread.view.device import to_view

TASK, SLICES, SIDE, STEP_MM, SEED = "embolism", 1200, 512, 0.3, 0
BUDGET_GIB = 2.0
PRECISIONS = ("auto", "float32")
STUDIES = 16  # to learn from
ROUNDS = 2
EVERY_S = 0.05
Row = dict[str, Any]


@dataclass(frozen=True)
class Taken:
    """What a command took: highest PSS and RSS of its processes together, CPU and wall seconds."""

    gib: float
    rss_gib: float
    cpu_s: float
    wall_s: float


def compare() -> list[Row]:
    """Memory against the budget, and time against bare forward passes, in turn."""
    source = WORK / "long"
    if not source.is_dir():
        write_long_series(source)
    table = WORK / "long-index.parquet"
    indexed = taken_by(["index", str(source), "-o", str(table)], [table])
    rows = [_memory("long_series_index_gib", indexed, "one worker a core")]
    for precision in PRECISIONS:
        run, out = learned(precision), WORK / "long-out"
        ours: dict[int, list[Taken]] = {1: [], 2: []}
        bare = []
        for _ in range(ROUNDS):
            for workers, found in ours.items():
                words = ["predict", str(source), "--run", str(run), "-o", str(out)]
                found.append(taken_by([*words, "--workers", str(workers)], [out]))
            bare.append(forward_passes(run, out))
        rows += [
            _memory(
                f"long_series_predict_gib_{precision}_{workers}",
                max(found, key=lambda taken: taken.gib),
                f"--workers {workers}",
            )
            for workers, found in ours.items()
        ]
        rows.append(_time(precision, ours, bare))
    return rows


def _memory(name: str, taken: Taken, remark: str) -> Row:
    return {
        "name": name,
        "ours": taken.gib,
        "theirs": BUDGET_GIB,
        "unit": "GiB, PSS of all processes, at most",
        "ratio": BUDGET_GIB / taken.gib,
        "remark": f"the other is the budget; {remark}; RSS {taken.rss_gib:.2f}",
    }


def _time(
    precision: str, ours: dict[int, list[Taken]], bare: Sequence[tuple[int, float, str]]
) -> Row:
    seconds = median(taken.cpu_s for taken in ours[1])
    forward = median(cpu for _, cpu, _ in bare)
    passes, _, used = bare[0]
    walls = ", ".join(
        f"{median(taken.wall_s for taken in found):.1f} s with {workers}"
        for workers, found in ours.items()
    )
    return {
        "name": f"long_series_predict_vs_forward_{precision}",
        "ours": seconds,
        "theirs": forward,
        "unit": "CPU seconds a study",
        "ratio": forward / seconds,
        "remark": f"{seconds / forward:.2f} times {passes} bare passes in {used}, "
        f"{forward / passes * 1e3:.2f} ms each; by the clock {walls} workers",
    }


def write_long_series(out: Path) -> None:
    """One phantom's slices, interpolated along z, with fresh noise, as plain DICOM."""
    source = WORK / "long-source"
    write_ctpa_archive(source, 1, SEED, size=SIDE, workers=1, progress=_quiet)
    files = sorted((source / "train").rglob("*.dcm"))
    slices = sorted(map(pydicom.dcmread, files), key=lambda one: one.ImagePositionPatient[2])
    hu = [one.pixel_array.astype(np.float32) + float(one.RescaleIntercept) for one in slices]
    rng = np.random.default_rng(SEED)
    beside = out.with_suffix(".part")
    beside.mkdir(parents=True, exist_ok=True)
    for z, at in enumerate(np.linspace(0, len(hu) - 1, SLICES)):
        low = min(int(at), len(hu) - 2)
        share = np.float32(at - low)
        plane = (1 - share) * hu[low] + share * hu[low + 1] + rng.normal(0, 8, hu[0].shape)
        stored = (np.rint(plane).clip(-1024, 3071) + 1024).astype("<u2")
        _dataset(z, stored, slices[0].PixelSpacing).save_as(
            beside / f"{z:04d}.dcm", enforce_file_format=True
        )
    beside.rename(out)


def _dataset(z: int, stored: np.ndarray, spacing_mm: Any) -> pydicom.Dataset:
    one = pydicom.Dataset()
    one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, f"2.25.{10**20 + z}"
    one.StudyInstanceUID, one.SeriesInstanceUID = "2.25.1200", "2.25.1201"
    one.Modality, one.PatientID, one.BodyPartExamined = "CT", "long", "CHEST"
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
        phantom(TASK, archive, studies=STUDIES, seed=SEED)
        table = WORK / "long-phantoms.parquet"
        index([archive], table)
        quick = ("phantoms=6", "phantom_epochs=1", "epochs=1", "sequence_epochs=1")
        settings = (*quick, f"precision={precision}")
        train(TASK, [table], run, labels=[archive / "train.csv"], seed=SEED, settings=settings)
    return run


def forward_passes(run: Path, out: Path) -> tuple[int, float, str]:
    """Passes that the answer needs of the encoders, their CPU seconds, and the type they run in.

    out: where `predict` left the packed slices.
    """
    passes, seconds, used = 0, 0.0, ""
    for part in sorted(run.glob("model-*/part-*")):
        reader = read_series_reader(part)
        for encoder, name in zip(reader.encoders, ("store", "store-heart"), strict=True):
            runtime = choose_runtime(encoder.recipe)
            used = str(runtime.precision).removeprefix("torch.")
            taken = _through(
                encoder, open_store(out / name), 2 if reader.recipe.sequence_mirror else 1
            )
            passes, seconds = passes + taken[0], seconds + taken[1]
    return passes, seconds, used


def _through(encoder: Trained, store: Store, times: int) -> tuple[int, float]:
    runtime = choose_runtime(encoder.recipe)
    model = runtime.place(encoder.model).eval()
    seconds = 0.0
    with threads_and_chance(encoder.recipe, runtime.device):
        for first in range(0, len(store), CPU_BATCH):
            rows = np.arange(first, min(first + CPU_BATCH, len(store)))
            hu = torch.from_numpy(read_seen(store, rows, encoder.view.neighbours))
            ready = to_view(hu, encoder.view)
            seconds += _cpu(lambda ready=ready: _say(model, ready, times, runtime))
    return len(store) * times, seconds


def _say(model: torch.nn.Module, ready: torch.Tensor, times: int, runtime: Any) -> None:
    with torch.inference_mode(), runtime.autocast():
        for _ in range(times):
            model(ready)


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


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
