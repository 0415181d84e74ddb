"""bench/scale.py: what a training holds, and how fast it is fed, whatever the number of slices.

On request: 13 GB of disk under bench/work for as long as it runs. Each figure is of a process of
its own. Page caches are dropped before each feeding where the system allows it, which the remark
says.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import polars as pl

from bench.data import WORK, packed
from bench.synthetic_store import varied, write_store
from wetread.archive.types import Float32Array
from wetread.inputs.label_file import read_label_file
from wetread.store.store import open_store
from wetread.tasks import find_task

SMALL, LARGE, DISTINCT, SIZE = 2_000, 200_000, 2_000, 256
IMAGES = 12_000  # of each feeding: as many of either store
SHARE = 0.15  # of slices with a finding
CACHE_MB = 256  # as much as a training keeps of the small store; 0.25 GiB in the budget
ROWS = (50_000, 200_000)
DROP = Path("/proc/sys/vm/drop_caches")


def compare() -> list[dict[str, Any]]:
    """GiB resident and images a second, of a large archive against a small one."""
    base = packed(SIZE)[0]
    slices = np.stack([base.read(row).astype(np.int16) for row in range(len(base))])
    distinct = varied(slices, DISTINCT, np.random.default_rng(0))
    folders = {count: WORK / f"scale-{count}" for count in (SMALL, LARGE)}
    try:
        for count, folder in folders.items():
            if not (folder / "store.json").is_file():
                write_store(folder, distinct, count, SIZE)
        fed = {count: _in_process("feed", str(folder)) for count, folder in folders.items()}
        held = {rows: _in_process("prepare", str(folders[LARGE]), str(rows)) for rows in ROWS}
    finally:
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
    return rows_of(fed[SMALL], fed[LARGE], held)


def rows_of(
    small: dict[str, float], large: dict[str, float], held: dict[int, dict[str, float]]
) -> list[dict[str, Any]]:
    """Make the rows of results of what the processes measured."""
    dropped = "page caches dropped before" if DROP.exists() and os.access(DROP, os.W_OK) else "warm"
    budget = small["start_gib"] + CACHE_MB / 1024 + 0.25
    few, many = (held[rows]["peak_gib"] for rows in ROWS)
    return [
        {
            "name": "feed_rate_large_vs_small",
            "ours": large["images_s"],
            "theirs": small["images_s"],
            "unit": "images a second",
            "ratio": large["images_s"] / small["images_s"],
            "remark": f"{LARGE} and {SMALL} slices of {SIZE} px, three neighbors; {dropped}; "
            f"in CPU time {large['images_cpu_s'] / small['images_cpu_s']:.2f}",
        },
        {
            "name": "feed_large_gib",
            "ours": large["peak_gib"],
            "theirs": budget,
            "unit": "GiB resident, at most",
            "ratio": budget / large["peak_gib"],
            "remark": f"the budget: what a process takes before it reads, {CACHE_MB} MB of cache "
            f"and 0.25 GiB; last quarter against the second {large['drift']:.2f}",
        },
        {
            "name": "train_preparation_gib",
            "ours": many,
            "theirs": few,
            "unit": f"GiB resident, at most, {ROWS[1]} and {ROWS[0]} rows",
            "ratio": few / many,
            "remark": "labels, splits, training set and identity; the process itself included",
        },
    ]


def _in_process(*words: str) -> dict[str, float]:
    printed = subprocess.run(
        [sys.executable, "-m", "bench.scale", *words],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, float] = json.loads(printed.stdout.splitlines()[-1])
    return found


def resident_gib() -> float:
    """Read what this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**30


def peak_gib() -> float:
    """Read the most that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def feed(folder: Path) -> dict[str, float]:
    """Feed batches of HU as `train` does, without windows and network, beside which a disk that is
    slow would not show."""
    from wetread.training.device import map_large_tensors
    from wetread.training.recipe import Recipe
    from wetread.training.slices.batches import batches, train_set
    from wetread.training.slices.source import cache_source

    map_large_tensors()
    recipe = Recipe(neighbors=1, size=SIZE, negatives_per_positive=0)
    store = open_store(folder)
    rows = np.sort(np.random.default_rng(1).choice(len(store), min(IMAGES, len(store)), False))
    source = cache_source(store, CACHE_MB)
    data = train_set(source, rows, _targets(len(rows)))
    if os.access(DROP, os.W_OK):
        os.sync()
        DROP.write_text("3")
    start, held, done = resident_gib(), [], 0
    clock, cpu = perf_counter(), process_time()
    for epoch in range(-(-IMAGES // len(rows))):
        for batch in batches(data, recipe, epoch):
            held.append(resident_gib())
            done += len(batch.hu)
    clock, cpu = perf_counter() - clock, process_time() - cpu
    quarter = len(held) // 4
    return {
        "images_s": done / clock,
        "images_cpu_s": done / cpu,
        "start_gib": start,
        "peak_gib": max(held),
        "drift": median(held[-quarter:]) / median(held[quarter : 2 * quarter]),
    }


def prepare(folder: Path, rows: int) -> dict[str, float]:
    """Do what `train` does between its packed archive and its first batch, on some rows of a
    store and as many labels."""
    from wetread.training.data import mirror_columns, plan_splits
    from wetread.training.recipe import Recipe
    from wetread.training.run import Run
    from wetread.training.slices.batches import batches, train_set
    from wetread.training.slices.identity import slice_identity
    from wetread.training.slices.prepare import TrainingInputs, labeled_slices
    from wetread.training.slices.spec import SliceSpec

    task = find_task("hemorrhage")
    part = folder.with_name(f"{folder.name}-of-{rows}")
    part.mkdir()
    try:
        (part / "parts").symlink_to(folder.resolve() / "parts")
        for file in ("store.json", "rejects.parquet"):
            shutil.copy(folder / file, part)
        table = pl.scan_parquet(folder / "slices.parquet").head(rows)
        table.sink_parquet(part / "slices.parquet")
        _write_labels(part / "labels.csv", folder, rows, [f.name for f in task.findings])
        start = resident_gib()
        store, labels = open_store(part), read_label_file(part / "labels.csv", task, None)
        inputs = TrainingInputs(Run(part), [store], labels, Recipe(size=SIZE), _no_stage)
        assert isinstance(task.spec, SliceSpec)
        data = labeled_slices(task.spec, inputs)
        _, (split,) = plan_splits(data, 0, 0)
        learned = train_set(
            data.store,
            data.rows[split.train],
            data.truth[split.train],
            mirror=mirror_columns(data.findings).tolist(),
        )
        slice_identity(learned, inputs.recipe, [f.name for f in data.findings])
        next(iter(batches(learned, inputs.recipe, 0)))
        return {"start_gib": start, "peak_gib": peak_gib()}
    finally:
        shutil.rmtree(part)


def _no_stage(name: str) -> Any:
    return lambda done, total: None


def _targets(count: int) -> Float32Array:
    targets = np.zeros((count, 6), np.float32)
    targets[np.random.default_rng(2).random(count) < SHARE, 0] = 1
    return targets


def _write_labels(path: Path, folder: Path, rows: int, findings: list[str]) -> None:
    """Write labels in the competition's form: ID_finding, Label."""
    ids = pl.scan_parquet(folder / "slices.parquet").select("SOPInstanceUID").head(rows).collect()
    positive = np.random.default_rng(2).random(rows) < SHARE
    frames = [
        pl.DataFrame(
            {
                "ID": ids["SOPInstanceUID"] + f"_{name}",
                "Label": (positive & (name == "any")).astype(int),
            }
        )
        for name in findings
    ]
    pl.concat(frames).write_csv(path)


if __name__ == "__main__":
    work, where, *more = sys.argv[1:]
    done = feed(Path(where)) if work == "feed" else prepare(Path(where), int(more[0]))
    print(json.dumps(done))
