"""tests/training/several.py: small trainings, by one process or by each of several; the latter are
python -m tests.training.several STORE OUT NAME..., started as torchrun starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import blosc2
import numpy as np
import polars as pl
import torch
from tests.training import blob_series
from tests.training.blob_series import IMAGE, STUDY, series_data
from torch.distributed import TCPStore  # type: ignore[attr-defined]

import wetread
from wetread.archive.errors import WetreadError
from wetread.labels.table import LabelTable, label_table
from wetread.models.encoders import build
from wetread.store.store import REJECT_SCHEMA, SLICE_SCHEMA, Store, open_store
from wetread.training.checkpoint import EpochScore
from wetread.training.masks import MaskTargets
from wetread.training.processes import (
    join_processes,
    leave_processes,
    process_rank,
    serve_rank_zero,
)
from wetread.training.recipe import Recipe
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run
from wetread.training.series.series import labeled_series
from wetread.training.slices.batches import train_set
from wetread.training.slices.loop import train
from wetread.training.slices.predict import predict_probabilities

FINDINGS = ("any", "left", "right")
SLICES, SIZE = 240, 32
SMALL = (
    *("size=32", "batch_size=16", "epochs=2", "negatives_per_positive=0"),
    *("runtime.threads=1", "runtime.device=cpu", "runtime.precision=float32"),
    *("runtime.batch_parts=2", "checkpoint_every_steps=3"),
)
_stores: list[TCPStore] = []  # of processes that still run
ROOT = Path(__file__).parents[2]


def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Slices (240, 32, 32) int16 HU, a quarter with a blob on one side or both, and which: (240, 3)
    of FINDINGS."""
    rng = np.random.default_rng(7)
    hu = rng.normal(35, 6, (SLICES, SIZE, SIZE)).round().astype(np.int16)
    sides = rng.random((SLICES, 2)) < 0.14
    for i, side in zip(*np.nonzero(sides), strict=True):
        row, column = rng.integers(4, SIZE - 8), 3 + side * (SIZE // 2)
        hu[i, row : row + 5, column : column + 5] += 30
    return hu, np.column_stack([sides.any(1), sides]).astype(np.float32)


def write_store(folder: Path) -> Store:
    """Write the blobs as a store of 20 studies of 10 patients, 12 slices each."""
    hu, _ = blobs()
    packed = [blosc2.compress2(one, typesize=2) for one in hu]
    ends = np.cumsum([len(blob) for blob in packed])
    number = np.arange(SLICES)
    nothing = {name: [None] * SLICES for name in SLICE_SCHEMA}
    known = {
        "SOPInstanceUID": [f"1.2.{i}" for i in number],
        "SeriesInstanceUID": [f"1.3.{i // 12}" for i in number],
        "StudyInstanceUID": [f"1.4.{i // 12}" for i in number],
        "patient": [f"p{i // 24}" for i in number],
        "acquisition": [0] * SLICES,
        "z": number % 12,
        "n_slices": [12] * SLICES,
        "position_mm": 5.0 * (number % 12),
        **{name: [SIZE] * SLICES for name in ("rows", "columns", "source_rows", "source_columns")},
        "dtype": ["<i2"] * SLICES,
        "slope": [1.0] * SLICES,
        "intercept": [0.0] * SLICES,
        "notes": [[]] * SLICES,
        "box": [[0, SIZE, 0, SIZE]] * SLICES,
        "digest": [f"{i}" for i in number],
        "part": ["whole"] * SLICES,
        "offset": ends - np.diff(ends, prepend=0),
        "bytes": np.diff(ends, prepend=0),
    }
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "whole.bin").write_bytes(b"".join(packed))
    pl.DataFrame(nothing | known, schema=SLICE_SCHEMA).write_parquet(folder / "slices.parquet")
    pl.DataFrame(schema=REJECT_SCHEMA).write_parquet(folder / "rejects.parquet")
    (folder / "store.json").write_text(f'{{"format": 3, "size": {SIZE}}}')
    return open_store(folder)


def learn_slices(store: Store, out: Path, *settings: str) -> None:
    """Learn 150 slices, score by the other 90 after each epoch."""
    _train(store, out, read_recipe("compact", [*SMALL, *settings]), None)


def learn_masks(store: Store, out: Path, *settings: str) -> None:
    """Learn the blobs by the pixel too; unknown where both sides have one."""
    hu, truth = blobs()
    smooth = (hu > 52).astype(np.uint8) * 255
    packed = tuple((blosc2.compress2(one, typesize=1),) for one in smooth)
    known = np.asarray(~truth[:150, 1:].all(1, keepdims=True), bool)
    masks = MaskTargets(("any",), SIZE, packed[:150], known)
    _train(store, out, read_recipe("compact", [*SMALL, "decoder=unet", *settings]), masks)


def _train(store: Store, out: Path, recipe: Recipe, masks: MaskTargets | None) -> None:
    _, truth = blobs()
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        drawn = 0 if masks is None else 1
        model = build(recipe.encoder, recipe.view.channels, len(FINDINGS), masks=drawn)
    data = train_set(store, range(150), truth[:150], [2, 1, 1], mirror=[0, 2, 1], masks=masks)
    rest = range(150, SLICES)

    def score(network: torch.nn.Module) -> EpochScore:
        probability = predict_probabilities(network, store, rest, recipe.view, recipe)
        return EpochScore(float(np.square(probability - truth[rest]).mean()))

    def progress(done: int, total: int) -> None:
        if os.environ.get("KILL") == f"{process_rank()}" and done == 14:
            os.kill(os.getpid(), signal.SIGKILL)

    train(model, data, recipe, findings=FINDINGS, run=Run(out), score=score, progress=progress)


def learn_series(store: Store, out: Path, *settings: str) -> None:
    """Learn encoders, networks without dropout over them, and both jointly; keep what is read."""
    series = labeled_series(store.slices, _labels(store), IMAGE, STUDY)
    more = ("runtime.batch_parts=2", "runtime.precision=float32", "series.network=plain_gru")
    recipe = blob_series.quick(
        *more, "epochs=1", "joint.epochs=1", "joint.slices=7", "joint.batch_size=3", *settings
    )
    result = blob_series.fit(out, series_data(store, series), recipe)
    np.savez(out / "read.npz", *(level.probability for level in result.levels))


def _labels(store: Store) -> LabelTable:
    truth = blobs()[1].astype(np.float64)
    ids = store.slices["SOPInstanceUID"]
    rows = [("image", uid, "any", truth[i, 0]) for i, uid in enumerate(ids)]
    for number, study in enumerate(store.slices["StudyInstanceUID"].unique(maintain_order=True)):
        of_study = truth[12 * number : 12 * number + 12, 1:].max(0)
        rows += [("study", study, f.name, v) for f, v in zip(STUDY, of_study, strict=True)]
    return label_table(pl.DataFrame(rows, orient="row", schema=["level", "id", "finding", "value"]))


TRAININGS: dict[str, Callable[..., None]] = {
    "slices": learn_slices,
    "masks": learn_masks,
    "series": learn_series,
}


def fail_with(text: str) -> None:
    """Fail as a damaged file makes a process fail."""
    raise WetreadError(text)


def stop() -> None:
    """Stand still."""
    os.kill(os.getpid(), signal.SIGSTOP)


def start(count: int, words: Sequence[str], **variables: str) -> list[subprocess.Popen[str]]:
    """Start python with some words as so many processes, with the variables that torchrun gives
    them; this process keeps their store, as torchrun does."""
    kept = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    _stores.append(kept)
    source = str(Path(wetread.__path__[0]).parent)
    shared = {
        **os.environ, "PYTHONPATH": f"{source}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": f"{kept.port}", "TORCHELASTIC_RUN_ID": "test",
        "TORCHELASTIC_USE_AGENT_STORE": "True", "TORCH_CPP_LOG_LEVEL": "ERROR",
        "WORLD_SIZE": f"{count}", "LOCAL_WORLD_SIZE": f"{count}", **variables,
    }  # fmt: skip
    return [
        subprocess.Popen(
            [sys.executable, *words], text=True, cwd=ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**shared, "RANK": f"{rank}", "LOCAL_RANK": f"{rank}"},
        )
        for rank in range(count)
    ]  # fmt: skip


def main(store: str, out: str, *names: str) -> None:
    """Train those of the names in the first process, and help it in the others."""
    join_processes(timeout_s=60)
    if process_rank():
        serve_rank_zero()
        return
    for name in names:
        TRAININGS[name](open_store(store), Path(out) / name)
    leave_processes()


if __name__ == "__main__":
    main(*sys.argv[1:])
