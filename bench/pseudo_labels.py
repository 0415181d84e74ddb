"""bench/pseudo_labels.py: do films without a label help, labeled by the networks themselves?

python -m bench.pseudo_labels [SEED ...]: the films of `pneumothorax` with labels, half of the
patients of `pneumothorax_more` without; two networks, that of the labels alone and the one that
learned with its answers too, read the other half. WETREAD_DATA as for bench/radiographs.py.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import polars as pl

from bench.data import WORK
from bench.radiographs import FOLDERS, SEEDS, TASK, data, film_table
from wetread.archive.types import Int64Array
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.metrics import log_loss, roc_auc
from wetread.tasks import find_task
from wetread.training import calibration
from wetread.training.run import BEST
from wetread.training.slices.pseudo_labels import TEACHER
from wetread.verbs.predict.predict import predict
from wetread.verbs.train.train import train

OUT = WORK / "pseudo-labels"
LABELED, OTHERS = FOLDERS
SETTINGS = ("members=1", "size=224", "top_checkpoints=1", "runtime.batch_parts=1")


def halves() -> tuple[list[Path], list[Path]]:
    """The files of every other patient of OTHERS, and those of the rest."""
    of = dict(film_table().select("ImageId", "PatientID").iter_rows())
    files = sorted((data() / OTHERS / "images").rglob("*.dcm"))
    names = sorted({of[file.stem] for file in files})
    first = set(names[::2])
    return [f for f in files if of[f.stem] in first], [f for f in files if of[f.stem] not in first]


def learn(seed: int, unlabeled: list[Path], read: list[Path]) -> dict[str, pl.DataFrame]:
    """Probabilities by image of the network without and with pseudo-labels."""
    run = OUT / str(seed)
    patients = OUT / "patients.csv"
    OUT.mkdir(parents=True, exist_ok=True)
    film_table().select(image="ImageId", patient="PatientID").write_csv(patients)
    train(
        TASK,
        [data() / LABELED / "images", *unlabeled],
        run,
        labels=[data() / LABELED / FOLDERS[LABELED]],
        patients=patients,
        seed=seed,
        recipe="pneumothorax-small",
        settings=[*SETTINGS, "pseudo_labels=true"],
        workers=1,
    )
    alone = OUT / f"{seed}-alone"
    shutil.rmtree(alone, ignore_errors=True)
    shutil.copytree(run, alone)
    shutil.copy(run / "model-0" / TEACHER / BEST, alone / "model-0" / BEST)
    found = {}
    for name, one in (("labels alone", alone), ("pseudo-labels", run)):
        (one / calibration.FILE).unlink(missing_ok=True)  # it was fitted to one of the two
        predict(read, [one], one / "read", workers=1)
        table = pl.read_csv(one / "read" / "probabilities.csv")
        found[name] = table.filter(pl.col("level") == "image").select("id", "probability")
    return found


def main(seeds: list[int]) -> None:
    """Print ROC AUC and log loss of both, and the paired gain with its interval over patients."""
    unlabeled, read = halves()
    tables = [learn(seed, unlabeled, read) for seed in seeds]
    ids = tables[0]["labels alone"]["id"].to_list()
    task = find_task(TASK)
    labels = task.read_labels(data() / OTHERS / FOLDERS[OTHERS], task.findings)
    truth = labels.matrix_float64(ids, task.findings)[:, 0]
    of = dict(film_table().select("ImageId", "PatientID").iter_rows())
    values = {name: [dict(table[name].iter_rows()) for table in tables] for name in tables[0]}
    answers = {
        name: np.array([[one[uid] for uid in ids] for one in given])
        for name, given in values.items()
    }

    def gain(rows: Int64Array) -> float:
        """Mean over seeds of the ROC AUC with minus without, on some rows."""
        pairs = zip(answers["pseudo-labels"], answers["labels alone"], strict=True)
        return float(
            np.mean(
                [roc_auc(truth[rows], a[rows]) - roc_auc(truth[rows], b[rows]) for a, b in pairs]
            )
        )

    everyone = np.arange(len(ids))
    found = {
        "films": len(ids),
        "positive": int(truth.sum()),
        "unlabeled": len(unlabeled),
        "roc_auc": {name: [roc_auc(truth, one) for one in a] for name, a in answers.items()},
        "log_loss": {name: [log_loss(truth, one) for one in a] for name, a in answers.items()},
        "gain": gain(everyone),
        "interval": bootstrap(gain, [of[uid] for uid in ids], np.random.default_rng(0)),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or list(SEEDS))
