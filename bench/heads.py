"""bench/heads.py: a network of phantoms fine-tuned on real head slices, each way of keeping what it
learned alone and together, out of fold by patient.

python -m bench heads: phantoms are learned once; then every row of WAYS is fine-tuned from there in
five folds and scored on the patients that it did not see, paired against the network of phantoms on
the same slices. A row that is done is not done again. WETREAD_DATA names the folder of the labeled
slices; WETREAD_PHANTOM_RUN a run to start from in place of one learned here.
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
WAYS: dict[str, tuple[str, ...]] = {
    "rate 2e-3": PLAIN,
    "rate 2e-4": LOW,
    "rate 2e-4, encoder a tenth": (*LOW, "optimizer.encoder_rate=0.1"),
    "rate 2e-4, norms frozen": (*LOW, "optimizer.freeze_norms=true"),
    "rate 2e-4, half the weights of the start": (*LOW, "average_with_start=0.5"),
    "rate 2e-4, half of each batch phantoms": (*LOW, "phantoms.share=0.5"),
    "rate 2e-4, a third of the negatives grafted": (*LOW, "grafts.share=0.33"),
    "the recipe": (),
}
SEEDS = {"the recipe": (0, 1, 2)}


def compare() -> list[dict[str, Any]]:
    """Scores by slice of every way, and of the network of phantoms that all start from."""
    folder = WORK / "heads"
    start = Path(os.environ.get("WETREAD_PHANTOM_RUN", folder / "phantoms"))
    if not (start / FILE).is_file():
        learn_phantoms(start)
    archive = folder / "real.parquet"
    index([data() / source for source in SOURCES], archive, workers=1)
    ids = pl.read_parquet(archive)["SOPInstanceUID"]
    before = of_phantoms(start, archive, folder / "before")
    rows: list[dict[str, Any]] = []
    for way, settings in WAYS.items():
        for seed in SEEDS.get(way, (0,)):
            out = folder / f"{'-'.join(way.replace(',', '').split())}-{seed}"
            table = fine_tuned(out, archive, start, seed, settings)
            table = table.filter(pl.col("id").is_in(ids.implode())).join(before, on="id")
            if not rows:
                rows.append(row("phantoms alone", 0, table, "before"))
            rows.append(row(way, seed, table, "probability"))
    return rows


def data() -> Path:
    """The folder of real data."""
    return Path(os.environ.get("WETREAD_DATA", "../shared/data"))


def learn_phantoms(out: Path) -> None:
    """Learn phantoms as the recipe does before it is fine-tuned."""
    archive = out.with_name("phantom-archive")
    phantom(TASK, archive, studies=370, seed=1_000_003, workers=1)
    train(TASK, archive, out, labels=archive / "stage_2_train.csv", recipe=RECIPE, workers=1)


def of_phantoms(run: Path, archive: Path, out: Path) -> pl.DataFrame:
    """Read every slice with the network of phantoms: id, before."""
    file = out / "probabilities.csv"
    if not file.is_file():
        predict(archive, run, out, workers=1)
    table = pl.read_csv(file, infer_schema_length=0)
    table = table.filter(pl.col("level") == "image", pl.col("finding") == "any")
    return table.select("id", before=pl.col("probability").cast(pl.Float64))


def fine_tuned(
    out: Path, archive: Path, start: Path, seed: int, settings: Sequence[str]
) -> pl.DataFrame:
    """Fine-tune in folds from the phantoms: id, patient, truth and probability of `any`."""
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
            weights=start / "model-0" / "best.pt",
            workers=1,
        )
    table = pl.read_parquet(out / FILE)
    return table.filter(pl.col("level") == "image", pl.col("finding") == "any")


def row(way: str, seed: int, table: pl.DataFrame, column: str) -> dict[str, Any]:
    """AUC with its interval over patients and its difference to phantoms alone, paired; log loss
    beside that of the share; what is given on average beside that share."""
    truth, given = table["truth"].to_numpy(), table[column].to_numpy().clip(1e-6, 1 - 1e-6)
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
