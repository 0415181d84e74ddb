"""bench/heads.py: a network of phantoms fine-tuned on real head slices, each way of keeping what it
learned alone and together, out of fold by patient.

python -m bench heads: the demo's network learns phantoms, a seed each; then the recipe learns
others and fine-tunes them in five folds, scored on the patients that it did not see, and the other
WAYS start from its phantoms. All are paired against a network of phantoms on the same slices. What
is done is not done again. WETREAD_DATA names the folder of the labeled slices; WETREAD_HEAD_RUN a
run that all are compared with, in place of the network of phantoms of their seed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.data import WORK
from wetread.archive.types import Float64Array
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.metrics import log_loss, roc_auc
from wetread.inputs.label_file import read_label_file
from wetread.labels.table import merge_labels
from wetread.tasks import TASKS
from wetread.training.predictions import FILE
from wetread.verbs.index import index
from wetread.verbs.phantom import phantom
from wetread.verbs.predict.predict import predict
from wetread.verbs.train.train import train

TASK, RECIPE, FOLDS, DRAWS = "hemorrhage", "hemorrhage-small", 5, 1000
SOURCES = (
    "hemorrhage/stage_2_train",
    "hemorrhage_singles/singles.zip",
    "hemorrhage_series/5f8484c3e0.zip",
    "hemorrhage_series/99fc6d2b76.zip",
)
LABELS = (
    "hemorrhage/stage_2_train.csv",
    "hemorrhage/complement_negatives.csv",
    "hemorrhage_singles/stage_2_train.csv",
    "hemorrhage_series/labels.csv",
    "hemorrhage_series/labels_other_images.csv",
)
# Nothing that keeps what was learned, at the rate of a training from random weights.
PLAIN = (
    "optimizer.learning_rate=2e-3", "average_with_start=0", "optimizer.freeze_norms=false",
    "optimizer.encoder_rate=1", "phantoms.share=0", "grafts.share=0",
)  # fmt: skip
LOW = (*PLAIN, "optimizer.learning_rate=2e-4")
PHANTOMS = 370
WAYS: dict[str, tuple[str, ...]] = {
    "the recipe": (),
    "the recipe, a third of the negatives grafted": ("grafts.share=0.33",),
    "rate 2e-3": PLAIN,
    "rate 2e-4": LOW,
    "rate 2e-4, encoder a tenth": (*LOW, "optimizer.encoder_rate=0.1"),
    "rate 2e-4, norms frozen": (*LOW, "optimizer.freeze_norms=true"),
    "rate 2e-4, half the weights of the start": (*LOW, "average_with_start=0.5"),
    "rate 2e-4, half of each batch phantoms": (*LOW, "phantoms.share=0.5"),
    "rate 2e-4, a third of the negatives grafted": (*LOW, "grafts.share=0.33"),
}
SEEDS = (0, 1, 2)
EACH_SEED = tuple(WAYS)[:2]  # the other ways: the first seed alone


def compare() -> list[dict[str, Any]]:
    """Scores by slice of every way, and of the networks of phantoms that they start from."""
    folder = WORK / "heads"
    archive = folder / "real.parquet"
    index([data() / source for source in SOURCES], archive, workers=1)
    labels = true_any()
    given = os.environ.get("WETREAD_HEAD_RUN")
    first = read_with(Path(given), archive, folder / "first") if given else None
    rows: list[dict[str, Any]] = []
    for seed in SEEDS:
        run = folder / f"phantoms-{seed}"
        learn_phantoms(run, seed)
        alone = read_with(run, archive, folder / f"alone-{seed}")
        before = (alone if first is None else first).rename({"probability": "before"})
        before = before.select("id", "before")
        rows.append(row("phantoms alone", seed, labels.join(alone, on="id").join(before, on="id")))
        start = None
        for way, settings in WAYS.items():
            if seed and way not in EACH_SEED:
                continue
            out = folder / f"{'-'.join(way.replace(',', '').split())}-{seed}"
            tuned = fine_tuned(out, archive, start, seed, settings)
            start = start or out / "phantoms" / "run" / "model-0" / "best.pt"
            rows.append(row(way, seed, tuned.join(before, on="id")))
    return rows


def data() -> Path:
    """The folder of real data."""
    return Path(os.environ.get("WETREAD_DATA", "../shared/data"))


def true_any() -> pl.DataFrame:
    """The labeled slices: id, truth of `any`."""
    table = merge_labels([read_label_file(data() / name, TASKS[TASK], None) for name in LABELS])
    known = table.frame.filter(pl.col("level") == "image", pl.col("finding") == "any")
    return known.select("id", truth="value").drop_nulls()


def learn_phantoms(out: Path, seed: int) -> None:
    """Learn phantoms of a seed as the demo does."""
    if (out / FILE).is_file():
        return
    archive = out.with_name(f"{out.name}-archive")
    phantom(TASK, archive, studies=PHANTOMS, seed=seed, workers=2)
    labels = archive / TASKS[TASK].phantoms.labels
    train(TASK, archive, out, labels=labels, seed=seed, workers=2)


def read_with(run: Path, archive: Path, out: Path) -> pl.DataFrame:
    """Read every slice with a run of phantoms: id, patient, probability of `any`."""
    file = out / "probabilities.csv"
    if not file.is_file():
        predict(archive, run, out, workers=2)
    table = pl.read_csv(file, infer_schema_length=0)
    table = table.filter(pl.col("level") == "image", pl.col("finding") == "any")
    patients = pl.read_parquet(archive).select(id="SOPInstanceUID", patient="PatientID")
    return table.select("id", pl.col("probability").cast(pl.Float64)).join(patients, on="id")


def fine_tuned(
    out: Path, archive: Path, start: Path | None, seed: int, settings: Sequence[str]
) -> pl.DataFrame:
    """Fine-tune in folds from weights, or from phantoms that are learned before: id, patient, truth
    and probability of `any`."""
    if not (out / FILE).is_file():
        train(
            TASK,
            archive,
            out,
            labels=[data() / name for name in LABELS],
            recipe=RECIPE,
            settings=settings,
            folds=FOLDS,
            seed=seed,
            weights=start,
            workers=2,
        )
    table = pl.read_parquet(out / FILE)
    table = table.filter(pl.col("level") == "image", pl.col("finding") == "any")
    return table.select("id", "patient", "truth", "probability").drop_nulls("truth")


def row(way: str, seed: int, table: pl.DataFrame) -> dict[str, Any]:
    """AUC with its interval over patients and its difference to the other network, paired; log loss
    beside that of the share; what is given on average beside that share."""
    truth = table["truth"].to_numpy()
    given = table["probability"].to_numpy().clip(1e-6, 1 - 1e-6)
    before, patients = table["before"].to_numpy(), table["patient"].to_list()
    share = np.full(len(truth), truth.mean())

    def auc(rows: np.ndarray, values: Float64Array = given) -> float:
        return roc_auc(truth[rows], values[rows])

    everything = np.arange(len(truth))
    rng = np.random.default_rng(0)
    return {
        "name": f"heads_{way}",
        "seed": seed,
        "slices": len(truth),
        "positive": int(truth.sum()),
        "auc": auc(everything),
        "interval": bootstrap(auc, patients, rng, draws=DRAWS),
        "difference": auc(everything) - auc(everything, before),
        "difference_interval": bootstrap(
            lambda rows: auc(rows) - auc(rows, before), patients, rng, draws=DRAWS
        ),
        "log_loss": log_loss(truth, given),
        "log_loss_of_share": log_loss(truth, share),
        "mean": float(given.mean()),
        "share": float(truth.mean()),
    }
