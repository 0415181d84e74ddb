"""bench/sequences.py: what reading a series as a whole gains, on phantoms, fold by fold.

python -m bench sequences: all ways are asked about the same slices of the same patients, out of
fold, by encoders that are the same wherever the way lets them be. Written to docs/sequences.md:
a figure and its interval over patients, and the difference to our GRU, paired.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.data import WORK
from wetread.archive.executor.workers import available_cores
from wetread.evaluation.aggregate import smooth_along_z
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.metrics import log_loss, roc_auc
from wetread.store.store import open_store
from wetread.study.boxes import PixelBox
from wetread.study.crop import whole_picture
from wetread.study.slice_sequence import SliceSequence
from wetread.tasks import TASKS, Task
from wetread.training.series import embed_series as embed_series
from wetread.training.series import fit as series_fit
from wetread.training.series.inputs import Embeddings, SequenceInputs, make_sequence_inputs
from wetread.training.series.reader import read_series_model
from wetread.training.series.sequence_fit import predict_series_logits
from wetread.training.series.series import Series
from wetread.training.series.slice_features import encode_slices
from wetread.verbs.index import index
from wetread.verbs.train.train import train

TASK, STUDIES, FOLDS, SEED, DRAWS = "embolism", 240, 2, 0, 1000
PAGE = Path(__file__).parents[1] / "docs" / "sequences.md"
OURS = "GRU"
SAME_ENCODERS: dict[str, tuple[str, ...]] = {
    "transformer": ("series.network=transformer",),
    "GRU without differences": ("series.differences=false",),
    "GRU, plain loss": ("series.loss=plain",),
    "GRU over permuted slices": (),
    "CNN-GRU of 2020, over logits": (
        "series.network=plain_gru", "series.features=logits", "series.differences=false",
        "series.mirror=false", "series.learning_rate=5e-4",
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Answers:
    """Out of fold: of slices in the store's order, and of studies by name."""

    image: NDArray[np.float64]
    study: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Truth:
    """Truth of the slices and studies, and their patients."""

    image: NDArray[np.float64]
    study: NDArray[np.float64]
    patients: list[str]
    study_patients: list[str]


def compare() -> list[dict[str, Any]]:
    """The GRU's gain by slice over the encoder alone, smoothed; the whole table on the page."""
    archive = WORK / "angiograms"
    write = TASKS[TASK].phantoms.write_to_learn  # half of the exams are positive there
    write(archive, STUDIES, SEED, workers=available_cores(), progress=lambda done, total: None)
    index([archive], WORK / "angiograms.parquet")
    base = learn(WORK / "series-gru")
    answers = {OURS: out_of_fold(base)}
    truth = truth_of(base)
    alone = slices_alone(base)
    answers["slices alone"] = alone
    answers["slices, smoothed 1-2-1"] = smoothed(base, alone)
    for name, settings in SAME_ENCODERS.items():
        run = WORK / f"series-{name.replace(' ', '-').replace(',', '')}"
        borrow_encoders(base, run)
        with permuted() if "permuted" in name else unchanged():
            answers[name] = out_of_fold(learn(run, settings))
        PAGE.write_text(page(answers, truth))  # so far
    with whole_pictures():
        answers["GRU, whole picture for lung and heart box"] = out_of_fold(
            learn(WORK / "series-whole")
        )
    PAGE.write_text(page(answers, truth))
    ours, other = (
        roc_auc(truth.image, answers[name].image) for name in (OURS, "slices, smoothed 1-2-1")
    )
    low, high = difference(answers[OURS], answers["slices, smoothed 1-2-1"], truth, by_slice)
    return [
        {
            "name": "series_auc_vs_slices", "ours": ours, "theirs": other,
            "unit": "ROC AUC by slice, out of fold", "ratio": ours / other,
            "remark": f"difference {ours - other:+.3f} [{low:+.3f}, {high:+.3f}]",
        }
    ]  # fmt: skip


def learn(out: Path, settings: tuple[str, ...] = ()) -> Path:
    """A run with folds over the phantoms; one that is there goes on."""
    labels = [WORK / "angiograms" / TASKS[TASK].phantoms.labels]
    result = train(
        TASK, [WORK / "angiograms.parquet"], out, labels=labels, folds=FOLDS, seed=SEED,
        settings=settings,
    )  # fmt: skip
    return result.run


def borrow_encoders(source: Path, out: Path) -> None:
    """The encoders of a run as those of another, which then learns its sequence networks alone."""
    for look in (look.name for look in _series(TASKS[TASK]).encoders):
        for folder in source.glob(f"model-*/part-*/{look}"):
            target = out / folder.relative_to(source)
            if not target.exists():
                shutil.copytree(folder, target)
    for name in ("phantoms", "features"):  # what was learned first, and what encoders saw
        if not (out / name).exists():
            (out / name).symlink_to(source / name)


def out_of_fold(run: Path) -> Answers:
    """Read a run's probabilities of the headline, by slice and by study."""
    table = pl.read_parquet(run / "predictions.parquet")
    return Answers(_column(table, "image", "probability"), _column(table, "study", "probability"))


def truth_of(run: Path) -> Truth:
    """Read the truth of the slices and studies of a run, and their patients."""
    table = pl.read_parquet(run / "predictions.parquet")
    image, study = _rows(table, "image"), _rows(table, "study")
    return Truth(
        image["truth"].to_numpy(), study["truth"].to_numpy(),
        image["patient"].to_list(), study["patient"].to_list(),
    )  # fmt: skip


def _rows(table: pl.DataFrame, level: str) -> pl.DataFrame:
    finding = TASKS[TASK].headline if level == "study" else TASKS[TASK].at("image")[0].name
    rows = table.filter((pl.col("level") == level) & (pl.col("finding") == finding))
    return rows.sort("row" if level == "image" else "id")


def _column(table: pl.DataFrame, level: str, name: str) -> NDArray[np.float64]:
    return _rows(table, level)[name].to_numpy()


def slices_alone(run: Path) -> Answers:
    """Predict each slice by the encoders of the lungs alone, the mean of a split's parts."""
    table = pl.read_parquet(run / "predictions.parquet")
    image, store = _rows(table, "image"), open_store(run / "store")
    predicted = np.empty(image.height)
    for model in image["model"].unique().to_list():
        mine = (image["model"] == model).to_numpy()
        rows = image["row"].to_numpy()[mine]
        logits = [
            encode_slices(reader.encoders[0], store, rows, run / "features", "logits")[:, 0]
            for reader in map(read_series_model, sorted(run.glob(f"model-{model}/part-*")))
        ]
        predicted[mine] = 1 / (1 + np.exp(-np.mean(logits, axis=0)))
    return Answers(predicted, _greatest(table, predicted))


def smoothed(run: Path, alone: Answers) -> Answers:
    """Smooth the probabilities of slices along their series."""
    table, store = pl.read_parquet(run / "predictions.parquet"), open_store(run / "store")
    rows = store.slices[_rows(table, "image")["row"].to_numpy()]
    image = smooth_along_z(
        alone.image[:, None], rows["SeriesInstanceUID"].to_list(), rows["position_mm"].to_numpy()
    )[:, 0]
    return Answers(image, _greatest(table, image))


def _greatest(table: pl.DataFrame, image: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = _rows(table, "image").select("study").with_columns(predicted=image)
    of = dict(rows.group_by("study").agg(pl.col("predicted").max()).iter_rows())
    return np.array([of[study] for study in _rows(table, "study")["id"]])


@contextmanager
def unchanged() -> Iterator[None]:
    yield


@contextmanager
def permuted() -> Iterator[None]:
    """Inside, sequence networks get each series' slices in a random order, at the places they had;
    what is said comes back in the right one."""
    real_set, real_predict = make_sequence_inputs, predict_series_logits

    def orders(series: Series) -> NDArray[np.int64]:
        return np.concatenate([
            low + np.random.default_rng([SEED, series.rows[low]]).permutation(high - low)
            for low, high in pairwise(series.starts)
        ])  # fmt: skip

    def mixed(
        series: Series, plain: Embeddings, mirrored: Embeddings | None, recipe: Any
    ) -> SequenceInputs:
        order = orders(series)
        plain = replace(plain, features=plain.features[order])
        if mirrored is not None:
            mirrored = replace(mirrored, features=mirrored.features[order])
        return real_set(replace(series, image=series.image[order]), plain, mirrored, recipe)

    def in_order(model: Any, inputs: SequenceInputs, *rest: Any) -> Any:
        image, study = real_predict(model, inputs, *rest)
        back = np.empty_like(image)
        back[orders(inputs.series)] = image
        return back, study

    with mock.patch.object(embed_series, "make_sequence_inputs", mixed), \
            mock.patch.object(series_fit, "predict_series_logits", in_order):  # fmt: skip
        yield


@contextmanager
def whole_pictures() -> Iterator[None]:
    """Inside, every look sees whole slices."""
    task = TASKS[TASK]
    of = _series(task)
    whole = replace(of, find_boxes=_whole_pictures)
    with mock.patch.dict(TASKS, {TASK: replace(task, spec=whole)}):
        yield


def _whole_pictures(hu: SliceSequence) -> tuple[PixelBox, ...]:
    return tuple(whole_picture(hu) for _ in _series(TASKS[TASK]).encoders)


def _series(task: Task) -> Any:
    return task.spec


Figure = Callable[[Answers, Truth, NDArray[np.int64]], float]


def by_slice(predicted: Answers, truth: Truth, rows: NDArray[np.int64]) -> float:
    """ROC AUC of the slices."""
    return roc_auc(truth.image[rows], predicted.image[rows])


def loss_by_slice(predicted: Answers, truth: Truth, rows: NDArray[np.int64]) -> float:
    """Log loss of the slices."""
    return log_loss(truth.image[rows], predicted.image[rows])


def by_study(predicted: Answers, truth: Truth, rows: NDArray[np.int64]) -> float:
    """ROC AUC of the studies."""
    return roc_auc(truth.study[rows], predicted.study[rows])


FIGURES: dict[str, Figure] = {
    "ROC AUC by slice": by_slice, "log loss by slice": loss_by_slice, "ROC AUC by study": by_study,
}  # fmt: skip


def difference(one: Answers, other: Answers, truth: Truth, figure: Figure) -> tuple[float, float]:
    """95 % of one minus other over resampled patients."""
    patients = truth.study_patients if figure is by_study else truth.patients
    found = bootstrap(
        lambda rows: figure(one, truth, rows) - figure(other, truth, rows),
        patients, np.random.default_rng(SEED), draws=DRAWS,
    )  # fmt: skip
    assert found is not None
    return found


def page(answers: dict[str, Answers], truth: Truth) -> str:
    """docs/sequences.md."""
    lines = [
        "# What reading a series as a whole gains", "",
        f"Written by `python -m bench sequences`: {STUDIES} phantom angiograms, half of them "
        f"with an embolus, {FOLDS} folds by patient, out of fold. Behind each "
        "figure the difference to our GRU and its 95 % interval "
        f"over patients, paired, {DRAWS} draws. One seed.", "",
        "| way | " + " | ".join(FIGURES) + " |", "|---|" + "---|" * len(FIGURES),
    ]  # fmt: skip
    for name, predicted in answers.items():
        cells = []
        for figure in FIGURES.values():
            rows = np.arange(len(truth.study if figure is by_study else truth.image))
            cell = f"{figure(predicted, truth, rows):.3f}"
            if name != OURS:
                gap = figure(predicted, truth, rows) - figure(answers[OURS], truth, rows)
                low, high = difference(predicted, answers[OURS], truth, figure)
                cell += f" ({gap:+.3f} [{low:+.3f}, {high:+.3f}])"
            cells.append(cell)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])
