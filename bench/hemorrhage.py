"""bench/hemorrhage.py: head phantoms that are hard enough, our networks beside others' designs.

python -m bench hemorrhage [SEED ...]: each row learns the same 300 studies and reads 300 others;
a row that is there is not learned again, and after each the page docs/experiments/benchmark.md is
written anew. Some hours on two cores for a seed.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl

from bench.data import WORK, quiet
from bench.hemorrhage_page import FINDINGS, Truth, loss, page
from bench.remap import search_threshold
from wetread.archive.executor.workers import available_cores
from wetread.archive.types import Float64Array
from wetread.evaluation.baselines import constant_prior, fit_trees, histogram_features
from wetread.evaluation.remap import remap
from wetread.store.pack_series import OneBox
from wetread.study.crop import whole_picture
from wetread.tasks import TASKS
from wetread.training import calibration
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.spec import SliceSpec
from wetread.verbs.index import index
from wetread.verbs.pack import pack
from wetread.verbs.predict.predict import predict
from wetread.verbs.train.train import train

TASK, STUDIES, LEARNED, READ = "hemorrhage", 300, 501, 502
FOLDER = WORK / "hemorrhage"
PAGE = Path(__file__).parents[1] / "docs" / "experiments" / "benchmark.md"
SERIES = ("series.network=gru",)
PLAIN_SERIES = (
    "series.network=plain_gru",
    "series.features=logits",
    "series.differences=false",
    "series.mirror=false",
    "series.epochs=2",
    "series.batch_size=16",
    "series.learning_rate=5e-4",
)
BLEND = (*SERIES, 'series.heads=["network", "slices"]')
BOOSTED = (*SERIES, 'series.heads=["network", "slices", "boosting"]')


@dataclass(frozen=True)
class Row:
    """A way to learn: a recipe and changes of it.

    crop:     of the head; else the whole picture, as others have it.
    calibrated: by the patients who chose the epoch; else probabilities are the networks' own.
    other:    of another's design.
    encoders: rows of one name here share theirs, which are learned once a seed; "": its own.
    """

    name: str
    recipe: str = "compact"
    settings: tuple[str, ...] = ()
    crop: bool = True
    calibrated: bool = True
    other: bool = False
    encoders: str = ""


OURS = "3 windows + crop"  # the default of the task
REMAPPED = "re-mapped as B does"
ROWS = (
    Row("seven convolutions (E)", "hemorrhage-seven-convolutions", ("size=128",), other=True),
    Row(
        "E's input, our network",
        settings=('windows=["brain"]', "negatives_per_positive=0", "epochs=5"),
        other=True,
    ),
    Row("three convolutions (D)", "hemorrhage-keras-cnn", other=True),
    Row(
        "D's input, our network",
        settings=('windows=["bss"]', "negatives_per_positive=4.2", "epochs=6"),
        other=True,
    ),
    Row("EfficientNet-B0 (B)", "hemorrhage-efficientnet", ("size=128",), other=True),
    Row("CNN-GRU (A)", "hemorrhage-cnn-gru", ("size=128",), other=True),
    Row("A's series, our network", settings=PLAIN_SERIES, other=True),
    Row("1 window", settings=('windows=["brain"]',), crop=False),
    Row("3 windows", crop=False),
    Row("3 windows, 2.5-D", settings=("neighbors=1",), crop=False),
    Row(OURS),
    Row("without calibration", calibrated=False),
    Row("+ series", settings=SERIES, encoders="series"),
    Row("+ blend", settings=BLEND, encoders="series"),
    Row("+ boosting", settings=BOOSTED, encoders="series"),
    Row("without mirror images", settings=(*BOOSTED, "series.mirror=false"), encoders="series"),
    Row("3 windows + crop, three networks", settings=("members=3",)),
    Row("3 windows + crop, five folds", settings=("folds=5",)),
)


def compare() -> list[dict[str, Any]]:
    """Log loss of our best way under that of each other design, for the seeds on the command line;
    0 alone where none is named."""
    seeds = [int(text) for text in sys.argv[2:]] or [0]
    learned, read = archive(LEARNED), archive(READ)
    truth = labels_of(READ)
    prior = np.tile(constant_prior(labels_of(LEARNED).image), (len(truth.patients), 1))
    answers = {"prior": {0: prior}, "histogram": {0: histogram_answers()}}
    for seed in seeds:
        for row in ROWS:
            answers.setdefault(row.name, {})[seed] = answer(row, seed, learned, read)
            PAGE.write_text(page(answers, truth, OURS, STUDIES))
        answers.setdefault(REMAPPED, {})[seed] = remapped(answers[OURS][seed], truth)
    PAGE.write_text(page(answers, truth, OURS, STUDIES))
    everything = np.arange(len(truth.patients))
    ours = loss(answers[OURS][seeds[0]], truth, everything)
    others = [(row, answers[row.name][seeds[0]]) for row in ROWS if row.other]
    return [
        {
            "name": f"hemorrhage_loss_vs_{row.name}",
            "ours": ours,
            "theirs": (theirs := loss(probability, truth, everything)),
            "unit": "weighted log loss by slice",
            "ratio": theirs / ours,
            "remark": "",
        }
        for row, probability in others
    ]


def archive(seed: int) -> Path:
    """Phantoms of a seed and their index, FOLDER/SEED.parquet."""
    folder, table = FOLDER / f"archive-{seed}", FOLDER / f"{seed}.parquet"
    if not table.is_file():
        TASKS[TASK].phantoms.write(folder, STUDIES, seed, workers=available_cores(), progress=quiet)
        index([folder], table)
    return folder


def answer(row: Row, seed: int, learned: Path, read: Path) -> Float64Array:
    """Probabilities (N, F) of a row, which are learned once and kept."""
    name = "".join(c if c.isalnum() else "-" for c in row.name.lower()).strip("-")
    kept, run = FOLDER / f"{name}-{seed}.npy", FOLDER / f"{name}-{seed}"
    if not kept.is_file():
        shared = FOLDER / f"encoders-{row.encoders}-{seed}"
        if row.encoders and shared.is_dir() and not run.is_dir():
            shutil.copytree(shared, run)
        with nullcontext() if row.crop and not row.other else whole_pictures():
            train(
                TASK,
                [FOLDER / f"{LEARNED}.parquet"],
                run,
                labels=[learned / TASKS[TASK].phantoms.labels],
                recipe=row.recipe,
                seed=seed,
                settings=row.settings,
            )
            if not row.calibrated:
                (run / calibration.FILE).unlink()
            predict([FOLDER / f"{READ}.parquet"], [run], run / "read")
        table = pl.read_csv(run / "read" / "probabilities.csv", schema_overrides={"id": pl.String})
        np.save(kept, in_order(table.filter(pl.col("level") == "image")))
        if row.encoders and not shared.is_dir():
            for folder in run.glob(f"model-*/part-*/{TASK}"):
                shutil.copytree(folder, shared / folder.relative_to(run))
        shutil.rmtree(run)
    return np.load(kept)


def remapped(probability: Float64Array, truth: Truth) -> Float64Array:
    """Remap probabilities (N, F), half of the patients by the thresholds that suit the others best,
    as an ensemble of B's does."""
    half = np.unique(truth.patients, return_inverse=True)[1] % 2
    found = probability.copy()
    for number in (0, 1):
        inside = half == number
        for column in range(probability.shape[1]):
            by = search_threshold(truth.image[~inside, column], probability[~inside, column])
            found[inside, column] = remap(probability[inside, column], by)
    return found


def in_order(table: pl.DataFrame) -> Float64Array:
    """Probabilities (N, F) of the images that are read, columns as FINDINGS."""
    wide = table.pivot("finding", index="id", values="probability")
    ids = pl.read_parquet(FOLDER / f"{READ}.parquet").select(id="SOPInstanceUID")
    wide = ids.join(wide, on="id", how="left", maintain_order="left")
    return wide.select(finding.name for finding in FINDINGS).to_numpy()


def labels_of(seed: int) -> Truth:
    """The labels of an archive, in its index's order."""
    table = pl.read_parquet(FOLDER / f"{seed}.parquet")
    labels = FOLDER / f"archive-{seed}" / TASKS[TASK].phantoms.labels
    known = TASKS[TASK].read_labels(labels, FINDINGS)
    image = known.matrix_float64(table["SOPInstanceUID"], FINDINGS)
    return Truth(image, table["StudyInstanceUID"].to_list(), table["PatientID"].to_list())


def histogram_answers() -> Float64Array:
    """The baseline without a place, fitted on the archive that is learned: (N, F)."""
    kept = FOLDER / "histogram.npy"
    if not kept.is_file():
        features = [histograms(seed) for seed in (LEARNED, READ)]
        trees = fit_trees(features[0], labels_of(LEARNED).image)
        np.save(kept, trees.predict(features[1]))
    return np.load(kept)


def histograms(seed: int) -> Float64Array:
    """Histogram features (N, D) of an archive's slices, in its index's order."""
    store = pack(FOLDER / f"{seed}.parquet", FOLDER / f"store-{seed}", size=128)
    row_of = {uid: row for row, uid in enumerate(store.slices["SOPInstanceUID"])}
    uids = pl.read_parquet(FOLDER / f"{seed}.parquet")["SOPInstanceUID"]
    slices = (store.read_hu([row_of[uid]])[0] for uid in uids)
    return np.stack([histogram_features(one) for one in slices]).astype(np.float64)


@contextmanager
def whole_pictures() -> Iterator[None]:
    """Inside, slices are taken whole."""
    task = TASKS[TASK]
    assert isinstance(task.spec, SliceSpec)
    assert isinstance(task.series_spec, SeriesSpec)
    whole = replace(
        task,
        spec=replace(task.spec, find_box=whole_picture),
        series_spec=replace(task.series_spec, find_boxes=OneBox(whole_picture)),
    )
    with mock.patch.dict(TASKS, {TASK: whole}):
        yield
