"""verbs/train/train.py: archive and labels in, a scored Run out.

A run's folder holds, beside what training writes (training/run.py):

    task.toml             the task, where it was given as a file
    about.json            the task, the counts, the priors: what other verbs need to know
    machine.json          on which machines, in which software and when it was trained
    index.parquet, store/ the archive as it was learned from
    phantoms/             what was learned first, where the recipe says so: archive and run
    model-K/              one trained model a split (checkpoints, metrics), others in member-J/, and
                          in teacher/ those whose answers were labels
    refit/                networks of all patients, where the recipe says so
    predictions.parquet   predictions of slices and studies never fitted
    masks.parquet         what was drawn in them, and decisions.json, by which it becomes a mask
    drawings.json         how what is drawn along whole series becomes masks (training/drawings.py)
    measures.json         how far numbers measured in masks of slices are off
    in_distribution.json  what is inside of that which was learned, with in_distribution.npz
    conflicting_labels.csv  labels that stand twice with two values: unknown
    refused_masks.csv     masks that cannot be, each with its reason
    sides.json            which side of the patient is at the edges of a series' pictures
    scores.json, page.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from wetread.archive.executor.workers import Cluster, place_for, select_workers
from wetread.archive.files.lease import NO_WAIT, WAIT_FOREVER, leased, note_progress
from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.types import StrPath, StrPaths
from wetread.evaluation.score import Scores
from wetread.inputs.progress import Report, silent
from wetread.study.patients import Identity
from wetread.training.about import read_about
from wetread.training.deterministic import deterministic_operations
from wetread.training.machine import recorded_session
from wetread.training.origin import describe_origin
from wetread.training.run import Run
from wetread.verbs.evaluate.evaluate import evaluate
from wetread.verbs.train.arguments import TrainArguments
from wetread.verbs.train.decide_drawings import decide_drawings
from wetread.verbs.train.fit_fold import fit_fold, require_fold
from wetread.verbs.train.fit_on_cluster import fit_on_cluster
from wetread.verbs.train.fit_splits import fit_splits
from wetread.verbs.train.keep_bounds import keep_bounds
from wetread.verbs.train.keep_measures import keep_measure_errors
from wetread.verbs.train.pretrain import pretrain
from wetread.verbs.train.ready_run import ReadyRun, make_ready
from wetread.verbs.train.request import TrainRequest


@dataclass(frozen=True)
class TrainResult:
    """Where the run lies, what was counted, what it is worth, who was taken for one patient, and
    what it learned from and was scored on, in arguments.

    fold, missing: the fold that was fitted alone, and those that the run still lacks: it has no
         scores before it has them all.
    few: findings of which nothing can be learned, less than two labels being positive or less than
    two negative: the number of positive and of all known labels.
    """

    run: Path
    counts: dict[str, int]
    few: dict[str, tuple[int, int]]
    scores: Scores
    identity: Identity
    origin: str
    fold: int | None = None
    missing: tuple[int, ...] = ()

    @property
    def refused(self) -> int:
        """Files that are DICOM and could not be used."""
        return self.counts["refused_files"]

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {
            "run": str(self.run),
            "counts": self.counts,
            "few": {name: list(counts) for name, counts in self.few.items()},
            "identity": self.identity.to_dict(),
            "origin": self.origin,
            **({} if self.fold is None else {"fold": self.fold, "missing": list(self.missing)}),
            **self.scores.to_dict(),
        }


def train(
    task: str,
    source: StrPaths,
    out: StrPath,
    *,
    labels: StrPaths = (),
    columns: Mapping[str, str] | None = None,
    patients: StrPath | None = None,
    folds: int | None = None,
    epochs: int | None = None,
    seed: int = 0,
    recipe: StrPath | None = None,
    settings: Sequence[str] = (),
    weights: StrPath | None = None,
    pretrained: bool | None = None,
    fold: int | None = None,
    cluster: str | None = None,
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
    as_hu: bool = False,
    clear_patients: bool = False,
    verify: bool = False,
) -> TrainResult:
    """Train networks for a task on an archive and its label files, and score the run.

    task: a name of TASKS, or a TOML file that describes one.
    source: folders, zips, tars or files, one or several; or one index (.parquet).
    out: the run's folder.
    labels: files in the competition's form, one or several, united; `FILE.csv:COLUMN` takes one
        column as the headline finding of an image; NIfTI masks of whole series (FILE.nii.gz, or
        FILE.nii.gz:FINDING).
    columns: for label files of one's own: "id" and findings to the names of their columns.
    patients: a CSV of image and patient (`FILE.csv:IMAGE,PATIENT` names its columns) in place of
        the headers' PatientID; "study" takes each study for a patient.
    folds: 0 is one split (train, validation, held out), K cross-validation with out-of-fold
        predictions; None: the recipe's. epochs, pretrained: likewise in place of the recipe's.
    seed: of every random stream of the run.
    recipe: a name of the package's recipes, or a TOML file; None: the task's own.
    settings: changes of it, as "optimizer.learning_rate=1e-3".
    weights: a state dict, TorchScript or ONNX file to start from, in place of pretrained ones and
        of phantoms.
    repair: as for `index`, where files are indexed. verify: as for `pack`.
    as_hu: take CT whose header does not say HU as HU; else such slices are left out and counted.
    clear_patients: keep PatientIDs and times as they are; else the run has pseudonyms under the
        user's key in its index and store too.
    fold: fit this one of the folds alone; the call after which none is missing ends the run.
    cluster: the address of a Dask scheduler whose workers have the same paths: they index and pack
        in place of processes, and fit the folds.
    workers: processes; None: all cores. report: called with (stage, done, total).

    Stopped and called again with the same arguments, it goes on and ends with the same numbers.
    Raises ValueError, LabelError or FileNotFoundError for its inputs before the first long step,
    RejectError where no image can be read.
    """
    executor = select_workers(workers, cluster)
    arguments = TrainArguments(
        task,
        as_paths(source),
        place_for(Path(out), executor),
        tuple(as_paths(labels)),
        columns,
        patients=None if patients is None else os.fspath(patients),
        folds=folds,
        epochs=epochs,
        seed=seed,
        recipe=None if recipe is None else os.fspath(recipe),
        settings=tuple(settings),
        weights=as_path_or_none(weights),
        pretrained=pretrained,
        repair=repair,
        as_hu=as_hu,
        clear_patients=clear_patients,
        verify=verify,
    )
    if fold is not None:
        if cluster is not None:
            raise ValueError("`fold` fits one fold here, `cluster` all of them there; give one")
        require_fold(fold, arguments.resolve_recipe())
    request = arguments.check()
    with recorded_session(arguments.out, request.recipe), deterministic_operations(request.recipe):
        noted = partial(_note, report)
        if fold is not None:
            return _train_fold(arguments, request, fold, workers, noted)
        with leased(arguments.out, NO_WAIT):
            ready = make_ready(arguments, request, executor, noted)
            if cluster is None:
                return _end_run(ready, workers, noted)
        fit_on_cluster(arguments, ready, Cluster(cluster), report)
        with leased(arguments.out, WAIT_FOREVER):
            return _end_run(ready, workers, noted)


def _note(report: Report, step: str, done: int, total: int) -> None:
    note_progress(step, done, total)
    report(step, done, total)


def _train_fold(
    arguments: TrainArguments, request: TrainRequest, fold: int, workers: int | None, report: Report
) -> TrainResult:
    """Fit one fold; where none is missing then, end the run, unless another process has."""
    fitted = fit_fold(arguments, request, fold, workers=workers, report=report, timeout_s=NO_WAIT)
    ready, scores, origin = fitted.ready, Scores([]), ""
    if not fitted.missing:
        with leased(request.out, WAIT_FOREVER):
            if not is_ended(ready.run):
                return replace(_end_run(ready, workers, report), fold=fold)
            scores, origin = ready.run.scores, describe_origin(read_about(request.out))
    return replace(_result(ready, scores, origin), fold=fold, missing=fitted.missing)


def is_ended(run: Run) -> bool:
    """Whether a run has its scores and its page."""
    return all((run.folder / name).is_file() for name in ("scores.json", "page.html"))


def _end_run(ready: ReadyRun, workers: int | None, report: Report) -> TrainResult:
    """Fit what is missing of a run, and score it; its folder is held."""
    run, task, archive = ready.run, ready.request.task, ready.archive
    start = pretrain(ready.request, workers=workers, report=report)
    fit_splits(run, ready.plan, ready.prepared, start)
    decide_drawings(run.folder, task, report)
    keep_measure_errors(run, task, archive.stores[0], archive.images)
    keep_bounds(run, archive.images, archive.stores[0], task.networks[0])
    scores = evaluate(run.folder)
    return _result(ready, scores, describe_origin(read_about(run.folder)))


def _result(ready: ReadyRun, scores: Scores, origin: str) -> TrainResult:
    archive, few = ready.archive, few_labels(ready.prepared.shares)
    return TrainResult(ready.run.folder, archive.counts, few, scores, archive.identity, origin)


def few_labels(shares: Mapping[str, tuple[float, int]]) -> dict[str, tuple[int, int]]:
    """Find what has less than two positive or less than two negative labels; shares: finding to its
    share of positives and its known labels."""
    counts = {name: (round(share * known), known) for name, (share, known) in shares.items()}
    return {name: (p, known) for name, (p, known) in counts.items() if min(p, known - p) < 2}
