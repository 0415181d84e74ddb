"""bench/radiographs.py: 623 real chest films out of fold: our recipes, MONAI's, a plain Lite0.

python -m bench radiographs       every row below, three seeds each; hours on two cores
python -m bench.radiographs ROW.. some of them: `small 0`, `plain`, `monai 2`

Rows of one seed share their five folds by patient. A row that is there is not made again, and a
training that was stopped goes on; scores are of all rows that are there. WETREAD_DATA names the
folder that holds `pneumothorax/` and `pneumothorax_more/` (images, patients.csv, masks).
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import logit
from sklearn.metrics import roc_curve

from bench.data import WORK
from bench.monai_recipe import fit_predict
from wetread.evaluation.calibration import expected_calibration_error, perfect_ece
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.metrics import roc_auc
from wetread.store.store import open_store
from wetread.training.mask_table import FILE as MASKS
from wetread.verbs.train.train import train

FOLDS, SEEDS = 5, (0, 1, 2)
TASK = "pneumothorax"
OUT = WORK / "radiographs"
SPECIFICITY = 0.9
AGES = (0, 40, 60, 200)  # bounds of the age bands, years
FOLDERS = {"pneumothorax": "train-rle-stage2.csv", "pneumothorax_more": "train-rle.csv"}
CLIP = 1e-6  # of probabilities that become logits
PHANTOMS = "phantoms.studies=800"
ROWS: dict[str, tuple[str, tuple[str, ...]] | None] = {
    "small": ("pneumothorax-small", ()),  # the task's default, three networks of each split
    "one network": ("pneumothorax-small", ("members=1",)),
    "masks": ("pneumothorax-masks", ()),
    "masks without grafts": ("pneumothorax-masks", ("grafts.share=0.0",)),
    "phantoms first": ("pneumothorax-small", ("members=1", PHANTOMS)),
    "plain": ("pneumothorax-small", ("members=1", "size=224", "top_checkpoints=1")),
    "monai": None,
}
RIVALS = ("plain", "monai")


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Probabilities of one row of the bench and the truth of every film, (N,) each, by image."""

    images: tuple[str, ...]
    patients: tuple[str, ...]
    truth: np.ndarray
    probability: np.ndarray


def compare() -> list[dict[str, Any]]:
    """Make every row that is not there, and score all."""
    for seed in SEEDS:
        for name in ROWS:
            make_row(name, seed)
    return scores()


def make_row(name: str, seed: int) -> None:
    """Train a row, or take up where it stopped; MONAI's takes the folds of the plain row."""
    chosen = ROWS[name]
    if chosen is None:
        make_row("plain", seed)
        learn_monai(folder("plain", seed), folder(name, seed), seed)
    elif not (folder(name, seed) / "predictions.parquet").is_file():
        recipe, settings = chosen
        learn(folder(name, seed), recipe, settings, seed)


def folder(name: str, seed: int) -> Path:
    """Where a row lies."""
    return OUT / f"{name.replace(' ', '-')}-{seed}"


def data() -> Path:
    """The folder of real files."""
    return Path(os.environ.get("WETREAD_DATA", "../shared/data"))


def film_table() -> pl.DataFrame:
    """ImageId, PatientID, view, sex, age of all films, as their patients.csv has them."""
    columns = ("ImageId", "PatientID", "view", "sex", "age")
    return pl.concat(
        [
            pl.read_csv(data() / one / "patients.csv", infer_schema_length=0).select(columns)
            for one in FOLDERS
        ]
    )


def learn(out: Path, recipe: str, settings: Sequence[str], seed: int) -> None:
    """Our run with folds over the real patients."""
    OUT.mkdir(parents=True, exist_ok=True)
    patients = OUT / "patients.csv"
    film_table().select(image="ImageId", patient="PatientID").write_csv(patients)
    train(
        TASK,
        [data() / one / "images" for one in FOLDERS],
        out,
        labels=[data() / one / masks for one, masks in FOLDERS.items()],
        patients=patients,
        folds=FOLDS,
        seed=seed,
        recipe=recipe,
        settings=[*settings, "runtime.batch_parts=1"],
        workers=1,
    )


def predictions(run: Path) -> pl.DataFrame:
    """The images of a run, in the order of the store's rows."""
    table = pl.read_parquet(run / "predictions.parquet").filter(pl.col("level") == "image")
    return table.sort("row")


def learn_monai(run: Path, out: Path, seed: int) -> None:
    """MONAI's recipe on the folds of a run, each read by a model of all others; a file a fold."""
    table = predictions(run)
    part = json.loads((run / "folds.json").read_text())["assignment"]
    fold = np.array([part[patient] for patient in table["patient"]])
    truth, out_of_fold = table["truth"].to_numpy(), np.full(table.height, np.nan)
    pictures = open_store(run / "store").read_hu(table["row"].to_numpy())
    out.mkdir(parents=True, exist_ok=True)
    for name in np.unique(fold):
        inside, file = fold == name, out / f"{name}.npy"
        if not file.is_file():
            np.save(file, fit_predict(pictures[~inside], truth[~inside], pictures[inside], seed))
        out_of_fold[inside] = np.load(file)
    table.with_columns(probability=pl.Series(out_of_fold)).write_parquet(
        out / "predictions.parquet"
    )


def read_row(name: str, seed: int) -> OutOfFold | None:
    """Read the probabilities of a row; None where it has not been trained."""
    if not (folder(name, seed) / "predictions.parquet").is_file():
        return None
    table = predictions(folder(name, seed)).sort("id")
    return OutOfFold(
        tuple(table["id"]),
        tuple(table["patient"]),
        table["truth"].to_numpy(),
        table["probability"].to_numpy(),
    )


def scores() -> list[dict[str, Any]]:
    """Score the rows that are there: the mean over seeds of each number, and the AUC's spread."""
    found = {
        name: {seed: row for seed in SEEDS if (row := read_row(name, seed)) is not None}
        for name in ROWS
    }
    groups = film_groups()
    return [
        {"name": name, "seeds": list(rows)}
        | score_row(rows, groups)
        | {f"minus {other}": difference(rows, found[other]) for other in RIVALS if other != name}
        | {"mean of its networks": averaged(rows, found["plain"])}
        | drawn(name, list(rows))
        for name, rows in found.items()
        if rows
    ]


def film_groups() -> dict[str, dict[str, str]]:
    """Image to its view, its sex and its age band."""
    table = film_table().with_columns(pl.col("age").cast(pl.Float64, strict=False))
    groups: dict[str, dict[str, str]] = {"view": {}, "sex": {}, "age": {}}
    for row in table.iter_rows(named=True):
        for one in ("view", "sex"):
            groups[one][row["ImageId"]] = row[one] or ""
        band = sum((row["age"] or 0) >= bound for bound in AGES) - 1
        groups["age"][row["ImageId"]] = f"{AGES[band]}-{AGES[band + 1]}" if row["age"] else ""
    return groups


def score_row(
    rows: Mapping[int, OutOfFold], groups: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """ROC AUC with interval and spread, sensitivity, calibration and groups: means over seeds."""
    first, rng = next(iter(rows.values())), np.random.default_rng(0)
    truth = first.truth
    predicted = np.stack([row.probability for row in rows.values()])
    interval = bootstrap(
        lambda i: float(np.mean([roc_auc(truth[i], one[i]) for one in predicted])),
        list(first.patients),
        rng,
    )
    aucs = [roc_auc(truth, one) for one in predicted]
    by_group = {}
    for attribute, group_of in groups.items():
        names = np.array([group_of[image] for image in first.images])
        for group in np.unique(names[names != ""]):
            inside = names == group
            values = [roc_auc(truth[inside], one[inside]) for one in predicted]
            by_group[f"{attribute} {group}"] = [int(inside.sum()), float(np.mean(values))]
    return {
        "films": len(truth),
        "positive": int(truth.sum()),
        "roc_auc": float(np.mean(aucs)),
        "interval": interval,
        "by_seed": aucs,
        "sensitivity": float(np.mean([sensitivity(truth, one) for one in predicted])),
        "ece": float(np.mean([expected_calibration_error(truth, one) for one in predicted])),
        "perfect_ece": float(np.mean([perfect_ece(one, rng) for one in predicted])),
        "groups": by_group,
    }


def sensitivity(truth: np.ndarray, probability: np.ndarray) -> float:
    """The highest sensitivity at a specificity of 90 % or more."""
    false_positive, true_positive, _ = roc_curve(truth, probability)
    return float(true_positive[false_positive <= 1 - SPECIFICITY].max())


def difference(
    rows: Mapping[int, OutOfFold], others: Mapping[int, OutOfFold]
) -> dict[str, Any] | None:
    """The mean over common seeds of ROC AUC minus the other's, its interval over patients."""
    common = [seed for seed in rows if seed in others]
    if not common:
        return None
    first = rows[common[0]]
    pairs = [(rows[seed].probability, others[seed].probability) for seed in common]

    def gain(i: np.ndarray) -> float:
        """The mean gain on some rows."""
        truth = first.truth[i]
        return float(np.mean([roc_auc(truth, a[i]) - roc_auc(truth, b[i]) for a, b in pairs]))

    everyone = np.arange(len(first.truth))
    interval = bootstrap(gain, list(first.patients), np.random.default_rng(0))
    return {"seeds": common, "value": gain(everyone), "interval": interval}


def averaged(
    rows: Mapping[int, OutOfFold], plain: Mapping[int, OutOfFold]
) -> dict[str, Any] | None:
    """ROC AUC of the mean of the logits of a row's seeds, each film read by networks that have not
    seen its patient, and its gain over the mean AUC of single plain networks of the same seeds,
    with intervals over patients; None where there are not two."""
    common = [seed for seed in rows if seed in plain]
    if len(common) < 2:
        return None
    first = rows[common[0]]
    mean = np.mean([logit(np.clip(rows[s].probability, CLIP, 1 - CLIP)) for s in common], axis=0)

    def auc(i: np.ndarray) -> float:
        """Of some rows."""
        return float(roc_auc(first.truth[i], mean[i]))

    def gain(i: np.ndarray) -> float:
        """Over single plain networks, on some rows."""
        return auc(i) - float(
            np.mean([roc_auc(first.truth[i], plain[s].probability[i]) for s in common])
        )

    everyone, patients = np.arange(len(first.truth)), list(first.patients)
    return {
        "seeds": common,
        "roc_auc": auc(everyone),
        "interval": bootstrap(auc, patients, np.random.default_rng(0)),
        "minus single plain": gain(everyone),
        "gain's interval": bootstrap(gain, patients, np.random.default_rng(0)),
    }


def drawn(name: str, seeds: Sequence[int]) -> dict[str, Any]:
    """Dice of a row that draws, by its own decisions, beside that of drawing nothing."""
    found = [scores_of_masks(folder(name, seed)) for seed in seeds]
    known = [one for one in found if one is not None]
    return {"dice": known} if known else {}


def scores_of_masks(run: Path) -> list[dict[str, Any]] | None:
    """The rows of a run's scores that speak of masks; None where it draws none."""
    if not (run / MASKS).is_file():
        return None
    rows = json.loads((run / "scores.json").read_text())["scores"]
    return [row for row in rows if "dice" in row["metric"]]


if __name__ == "__main__":
    wanted, seeds = sys.argv[1], [int(one) for one in sys.argv[2:]] or list(SEEDS)
    for seed in seeds:
        make_row(wanted, seed)
    print(json.dumps(scores(), indent=1))
