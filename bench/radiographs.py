"""bench/radiographs.py: real chest radiographs, the small-data recipe beside MONAI's, fold by fold.

python -m bench radiographs: both learn from the same patients and are asked about the same others;
the difference of their out-of-fold ROC AUC has a paired interval over patients. WETREAD_DATA names
the folder that holds `pneumothorax/` (203 DICOM radiographs, patients.csv, train-rle.csv).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.data import WORK
from bench.monai_recipe import fit_predict
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.metrics import roc_auc
from wetread.store.store import open_store
from wetread.verbs.train.train import train

FOLDS, SEED = 5, 0
TASK = "pneumothorax"


def compare() -> list[dict[str, Any]]:
    """ROC AUC out of fold, ours and MONAI's, and the interval of the difference."""
    run = learn(WORK / "radiographs")
    said, truth, patients = out_of_fold(run)
    theirs = monai_out_of_fold(run)
    interval = bootstrap(
        lambda rows: roc_auc(truth[rows], said[rows]) - roc_auc(truth[rows], theirs[rows]),
        patients,
        np.random.default_rng(SEED),
        draws=2_000,
    )
    assert interval is not None
    ours, other = roc_auc(truth, said), roc_auc(truth, theirs)
    difference = f"{ours - other:+.3f} [{interval[0]:+.3f}, {interval[1]:+.3f}]"
    return [
        {
            "name": "radiographs_auc_vs_monai",
            "ours": ours,
            "theirs": other,
            "unit": "ROC AUC, out of fold",
            "ratio": ours / other,
            "remark": f"difference {difference}, 95 % over patients",
        }
    ]


def learn(
    out: Path, recipe: str | None = None, settings: tuple[str, ...] = (), **words: Any
) -> Path:
    """Our run with folds over the real patients; a run that is there goes on."""
    data = Path(os.environ.get("WETREAD_DATA", "../shared/data")) / TASK
    result = train(
        TASK,
        [data / "images"],
        out,
        labels=[data / "train-rle.csv", f"{data / 'patients.csv'}:has_pneumothorax"],
        patients=data / "patients.csv",
        folds=FOLDS,
        seed=SEED,
        recipe=recipe,
        settings=settings,
        **words,
    )
    return result.run


def out_of_fold(run: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """(probability, truth, patient) of every image, in the order of the store's rows."""
    table = pl.read_parquet(run / "predictions.parquet").filter(pl.col("level") == "image")
    table = table.sort("row")
    return (
        table["probability"].to_numpy(),
        table["truth"].to_numpy(),
        table["patient"].to_list(),
    )


def monai_out_of_fold(run: Path) -> np.ndarray:
    """MONAI's recipe on the folds of a run: every fold read by a model of all others."""
    table = pl.read_parquet(run / "predictions.parquet").filter(pl.col("level") == "image")
    table = table.sort("row")
    part = json.loads((run / "folds.json").read_text())["assignment"]
    fold = np.array([part[patient] for patient in table["patient"]])
    pictures = open_store(run / "store").read_hu(table["row"].to_numpy())
    truth = table["truth"].to_numpy()
    said = np.full(len(truth), np.nan)
    for name in np.unique(fold):
        inside = fold == name
        said[inside] = fit_predict(pictures[~inside], truth[~inside], pictures[inside], SEED)
    return said
