"""verbs/train/train.py: archive and labels in, a scored Run out: index, pack, fold, train,
evaluate.

A run's folder holds, beside what training writes (training/run.py):

    about.json            the task, the counts, the priors: what other verbs need to know
    index.parquet, store/ the archive as it was learned from
    phantoms/             what was learned first, where the recipe says so: archive and run
    model-K/              one trained model a split (checkpoints, metrics)
    predictions.parquet   what was said of slices and studies never fitted
    masks.parquet         what was drawn in them, and decisions.json, by which it becomes a mask
    conflicting_labels.csv  labels that stand twice with two values: unknown
    refused_masks.csv     masks that cannot be, each with its reason
    sides.json            which side of the patient is at the edges of a series' pictures
    scores.json, page.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.archive.files.lock import exclusive_output, locked
from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.identity.user_key import UserKey, user_key
from wetread.archive.index.index import Index, read_index
from wetread.archive.rejects import RejectError
from wetread.archive.types import StrPath, StrPaths
from wetread.inputs.label_file import read_label_file
from wetread.inputs.patients import by_study, fold_file, with_patients
from wetread.inputs.progress import Report, silent
from wetread.inputs.sources import given_index, in_hu
from wetread.labels.finding import finding_names, finding_weights
from wetread.labels.mask_check import check_masks
from wetread.labels.patients_csv import read_patients
from wetread.labels.repair import repair_labels
from wetread.labels.table import LabelTable, match, merge_labels
from wetread.models.encoders import pretrained_weights
from wetread.reports.slice_panels import write_sides
from wetread.store.store import Store
from wetread.study.patients import Identity
from wetread.study.series import series_slices
from wetread.tasks import Task, find_task
from wetread.training import decide, mask_table
from wetread.training.data import plan_splits
from wetread.training.decide import decide_finding, with_calibrated
from wetread.training.origin import count_origins, phantom_studies
from wetread.training.predictions import FILE, to_table
from wetread.training.recipe import Recipe, read_recipe
from wetread.training.run import Run
from wetread.verbs.evaluate import evaluate
from wetread.verbs.index import index
from wetread.verbs.pack import pack_looks
from wetread.verbs.predict.study_answers import refuse_nameless
from wetread.verbs.train.prepare import Ready, series_to_learn, slices_to_learn
from wetread.verbs.train.pretrain import learn_phantom_looks, learn_phantoms


@dataclass(frozen=True)
class TrainResult:
    """Where the run lies, what was counted, what it is worth (the rows of scores.json), and who was
    taken for one patient."""

    run: Path
    counts: dict[str, int]
    scores: list[dict[str, Any]]
    identity: Identity

    @property
    def refused(self) -> int:
        """Files that are DICOM and could not be used."""
        return self.counts["refused_files"]

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "run": str(self.run),
            "counts": self.counts,
            "identity": self.identity.to_dict(),
            "scores": self.scores,
        }


@exclusive_output()
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
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
    as_hu: bool = False,
    clear_patients: bool = False,
    verify: bool = False,
) -> TrainResult:
    """Learn `task` from an archive (folders, zips, or an index's .parquet) and its label files.

    labels: files in the competition's form; `FILE.csv:COLUMN` is one's own with the headline
    finding of an image in that column. Several are united.
    columns: for label files of one's own: "id" and findings to the names of their columns.
    patients: a CSV of image and patient (`FILE.csv:IMAGE,PATIENT` names its columns) in place of
    the headers' PatientID, which may be new in every file; "study": each study is taken for one.
    weights: a file to start from, in place of pretrained, the weights that the extra `pretrained`
    brings, and of the phantoms that a recipe learns first.
    epochs, folds, pretrained: in place of the recipe's.
    folds 0 is one split of the patients (train, validation, held out); K is cross-validation with
    out-of-fold predictions. Stopped and called again with the same words, it goes on.
    repair: as for `index`, where it indexes. verify: as for `pack`.
    as_hu:  take CT whose header does not say HU as HU; else such slices are left out and counted.
    clear_patients: keep PatientIDs and times as they are; else the run has pseudonyms under the
    user's key (archive/identity/user_key.py), in its index and store too.
    """
    sources, out, labels = as_paths(source), Path(out), as_paths(labels)
    patients = None if patients is None else os.fspath(patients)
    weights = as_path_or_none(weights)
    chosen = find_task(task)
    asked = {"epochs": epochs, "folds": folds, "pretrained": pretrained}
    overrides = [f"{key}={json.dumps(value)}" for key, value in asked.items() if value is not None]
    overrides = [f"seed={seed}", *overrides, *settings]
    resolved = read_recipe(str(recipe or chosen.recipe), overrides)
    if not labels:
        raise ValueError("nothing to learn from: give the label file with --labels")
    table = merge_labels([read_label_file(path, chosen, columns) for path in labels])
    if patients is not None and not by_study(patients):
        read_patients(patients)  # refused now, not after an hour
    key = None if clear_patients else user_key()
    given = weights
    if given is None and resolved.pretrained:
        weights = pretrained_weights(resolved.encoder)
    run = Run(out)
    out.mkdir(parents=True, exist_ok=True)
    starts = dict.fromkeys(chosen.networks, weights) if weights is not None else {}
    if given is None and resolved.phantoms:
        first = out / "phantoms"
        if chosen.series is not None:
            words = (resolved, starts, first, workers, report)
            starts = learn_phantom_looks(chosen, chosen.series, *words)
        else:
            told: dict[str, Any] = {"recipe": recipe or chosen.recipe, "weights": weights}
            told |= {"seed": seed, "workers": workers, "report": report}
            starts = learn_phantoms(train, chosen, resolved, settings, first, told)
    archive = open_archive(sources, out, workers=workers, report=report, repair=repair, key=key)
    if as_hu:
        archive = in_hu(archive)
    images = of_modality(archive, chosen.modalities).images
    if chosen.series is not None:
        refuse_nameless(images)
    stores = pack_looks(
        series_slices(images),
        out,
        chosen,
        size=resolved.size,
        workers=workers,
        report=report,
        verify=verify,
    )
    _refuse_unreadable(stores[0], images, table)
    stores, identity = with_patients(stores, archive, patients, key, out)
    shapes = stores[0].slices.select("SOPInstanceUID", "source_rows", "source_columns").iter_rows()
    ids = archive.instances
    there = {"image": ids["SOPInstanceUID"], "study": ids["StudyInstanceUID"]}
    table, repaired = repair_labels(table, {level: set(of) for level, of in there.items()})
    table, refused = check_masks(table, {uid: (rows, columns) for uid, rows, columns in shapes})
    write_csv(out / "refused_masks.csv", refused)
    conflicts = table.conflicts.with_columns(
        pl.col("values").cast(pl.List(pl.String)).list.join(" ")
    )
    write_csv(out / "conflicting_labels.csv", conflicts)
    counts = count(archive, images, stores[0], table) | {"refused_masks": refused.height}
    counts |= {"ids_repaired": repaired + identity.ids_repaired}
    drawn = phantom_studies(images)
    write_sides(run, images)
    learn(run, chosen, stores, table, resolved, starts, counts, identity, drawn, report)
    scores = evaluate(out)
    return TrainResult(out, counts, scores["scores"], identity)


def _refuse_unreadable(store: Store, images: pl.DataFrame, labels: LabelTable) -> None:
    """RejectError where no image, or none that has a label, can be read: the files are at fault."""
    if match(labels, store.slices["SOPInstanceUID"].to_list()).labeled or not images.height:
        return
    lost = store.rejects
    labeled = match(labels, lost["SOPInstanceUID"].drop_nulls().unique().to_list()).labeled
    if not lost.height or (len(store) and not labeled):
        return
    reason, detail, path = lost.select("reason", "detail", "path").row(0)
    what = f"the {labeled} images that have a label" if labeled else f"the {lost.height} images"
    raise RejectError(
        reason, f"{what} cannot be read, the first: {path}: {detail}. Are the files still there?"
    )


def open_archive(
    data: Sequence[Path],
    out: Path,
    *,
    workers: int | None,
    report: Report,
    repair: bool = True,
    key: UserKey | None = None,
) -> Index:
    """An index given as a file is read; anything else is indexed into the run. key: of the
    pseudonyms that it gets, in either case."""
    if (given := given_index(data)) is not None:
        return read_index(given).pseudonymized(key)
    target = out / "index.parquet"
    return index(data, target, workers=workers, report=report, repair=repair, key=key)


def of_modality(archive: Index, modalities: Sequence[str]) -> Index:
    """The images of some modalities; images that do not say theirs are kept."""
    wanted = pl.col("Modality").is_null() | pl.col("Modality").is_in(list(modalities))
    kept = archive.instances.filter(wanted | (pl.col("state") != "image"))
    return Index(kept.lazy(), archive.rejects, archive.duplicates)


def count(archive: Index, images: pl.DataFrame, store: Store, labels: LabelTable) -> dict[str, int]:
    """What was found, and how images and labels met: the numbers on screen and page."""
    ids = store.slices["SOPInstanceUID"].to_list()
    met = match(labels, ids)
    with_lost = match(labels, [*ids, *store.rejects["SOPInstanceUID"].drop_nulls().unique()])
    refused = archive.rejects.filter(pl.col("reason") != "not_dicom").height
    return {
        **{key: value for key, value in archive.counts().items() if isinstance(value, int)},
        "packed_images": len(store),
        "undecodable_images": store.rejects.height,
        "images_of_other_modalities": archive.images.height - images.height,
        "refused_files": refused + store.rejects.height,
        "labelled_images": met.labeled,
        "images_without_label": met.images_without_label,
        "labels_of_undecodable_images": with_lost.labeled - met.labeled,
        "labels_without_image": with_lost.labels_without_image,
        "duplicate_labels": labels.duplicates,
        "conflicting_labels": labels.conflicts.height,
    }


def learn(
    run: Run,
    task: Task,
    stores: Sequence[Store],
    labels: LabelTable,
    recipe: Recipe,
    starts: Mapping[str, Path],
    counts: dict[str, int],
    identity: Identity,
    phantoms: frozenset[str],
    report: Report,
) -> None:
    """Split, train each split's model, and keep what it says of the patients it never saw.

    starts: weights from which the task's networks start, by their names.
    phantoms: the studies that were drawn, of no patient.
    """
    if task.series is None:
        weights = starts.get(task.name)
        ready = slices_to_learn(run, task, stores[0], labels, recipe, weights, report)
    else:
        ready = series_to_learn(run, task, task.series, stores, labels, recipe, starts, report)
    plan, splits = plan_splits(ready.data, recipe.folds, recipe.seed)

    def write_plan() -> None:
        run.write_json("folds.json", fold_file(plan, identity))
        run.write_json("recipe.json", recipe.model_dump(mode="json"))
        about = _about(task, counts, ready, recipe.folds, identity)
        run.write_json("about.json", about | count_origins(ready.data, splits, phantoms))

    if not any(run.folder.glob("model-*/**/last.pt")):
        write_plan()
    fitted = []
    for number, split in enumerate(splits):
        with locked(run.folder / f"model-{number}"):
            fitted.append(ready.fit(number, split))
    write_plan()  # of a run that goes on: only now, it would have been refused were it another
    tables = [to_table(level, number) for number, one in enumerate(fitted) for level in one.levels]
    said, drawings = pl.concat(tables), pl.concat([one.drawings for one in fitted])
    if drawings.height:
        decided = {name: decide_finding(drawings, name) for name in drawings["finding"].unique()}
        for name, one in decided.items():
            said = with_calibrated(said, one, name)
        rules = {name: one.decision.to_dict() for name, one in decided.items()}
        run.write_json(decide.FILE, rules)
        run.write_table(mask_table.FILE, drawings)
    run.write_table(FILE, said)


def _about(
    task: Task, counts: dict[str, int], ready: Ready, folds: int, identity: Identity
) -> dict[str, Any]:
    return {
        "task": task.name,
        "findings": list(finding_names(task.findings)),
        "weights": finding_weights(task.findings).tolist(),
        "folds": folds,
        "counts": counts,
        "patients_from": identity.source,
        "identity": identity.to_dict(),
        # For images that cannot be read; half a slice is added where training has no positive.
        "prior": {
            name: float(np.clip(share, 0.5 / (known + 1), 1 - 0.5 / (known + 1)))
            for name, (share, known) in ready.shares.items()
        },
    }
