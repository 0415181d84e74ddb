"""verbs/evaluate/predictions.py: predictions of anybody's data and its labels in, scores out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_csv, write_whole
from wetread.archive.files.lock import locked
from wetread.archive.files.paths import as_paths
from wetread.archive.files.written import refuse_foreign_files, rewriting
from wetread.archive.index.index import read_index
from wetread.archive.plural import plural
from wetread.archive.types import StrPath, StrPaths
from wetread.evaluation.evaluate import ALL
from wetread.evaluation.evaluation import Evaluation
from wetread.evaluation.reader_study import score_readers
from wetread.evaluation.score import Score, Scores
from wetread.evaluation.threshold_scores import threshold_names, threshold_scores
from wetread.inputs.label_file import read_label_file
from wetread.inputs.label_ids import place_labels
from wetread.inputs.predictions import Predictions, read_predictions_of
from wetread.inputs.truth_masks import is_mask_file, read_truth_masks
from wetread.labels.repair import repair_labels
from wetread.labels.table import LabelError, LabelTable, merge_labels
from wetread.outputs.sides import series_edge_letters
from wetread.pages.page import PageCase
from wetread.reports.evaluation_page import write_evaluation_page
from wetread.reports.given_cases import CaseSources, given_cases, masks_by_image
from wetread.store.store import open_store
from wetread.tasks import Task
from wetread.verbs.evaluate.claims import read_claims
from wetread.verbs.evaluate.contrasts import compare_subgroups, compare_with, headline_rows
from wetread.verbs.evaluate.evaluate import score_level
from wetread.verbs.evaluate.levels import SEED, Levels, join_levels, places_of
from wetread.verbs.evaluate.masks import score_drawn_masks
from wetread.verbs.evaluate.matches import count_matches, existing_ids, unmatched_ids
from wetread.verbs.evaluate.owners import Owners, find_owners
from wetread.verbs.evaluate.readers import consensus_labels, open_reads, reader_rows
from wetread.verbs.evaluate.scans import score_scans


def evaluate_predictions(
    predictions: StrPath,
    labels: StrPaths = (),
    *,
    out: StrPath | None = None,
    against: StrPath | None = None,
    readers: StrPath | None = None,
    patients: StrPath | None = None,
    columns: Mapping[str, str] | None = None,
    data: StrPath | None = None,
    task: str | None = None,
    run: StrPath | None = None,
    thresholds: Sequence[float] = (),
    slides: bool = False,
) -> Evaluation:
    """Score anybody's predictions on data that has labels; write scores.json, page.html and the
    labels and predictions that did not meet (unmatched.csv).

    predictions: a folder that `predict` wrote, its probabilities.csv, or a submission.
    labels: label files in every form that `train` takes, one or several, and NIfTI masks of whole
        series (FILE.nii.gz, or FILE.nii.gz:FINDING); columns: as for `train`.
    out: the folder of the results; None: next to the predictions, NAME-evaluation.
    against: further predictions of the same archive, compared with the first in pairs.
    readers: a CSV of radiologists' calls, a row a study with columns READER:FINDING: each reader
        beside the model, against the labels, or without labels against the majority of the others;
        the model is then scored against the majority of all.
    patients: a file of image (or study) and patient, or "study"; None: the archive's headers where
        the predictions have them, else each study stands for one patient.
    data: an index (.parquet) of the archive, where the predictions have none: for the images'
        studies and headers.
    task: its name, where the predictions do not say.
    run: that predicted: what it says of itself stands beside, and whether it knew these images.

    thresholds: probabilities from which on the headline is called, chosen elsewhere, whose
        sensitivity and specificity are given; that of the readings' flags is one of them.
    slides: write slides.html too, a summary of 16:9 that prints a slide a sheet.

    A level without truth is in `absent` with its reason. Raises LabelError where a file cannot be
    read or nothing can be scored, and ValueError where `out` holds files of others.
    """
    given = _read(Path(predictions), task, data)
    reads = None if readers is None else open_reads(Path(readers), given)
    files = as_paths(labels)  # FILE.csv:COLUMN among them
    if files:
        images = None if given.index is None else given.index.images
        truth = _read_truth(files, given.task, columns, images)
        truth_of = ", ".join(file.name for file in files)
    elif reads is not None:
        truth = consensus_labels(*reads)
        truth_of = f"the majority of {plural(len(reads[0].readers), 'reader')}"
    else:
        raise ValueError("nothing to score against: give `labels`, or `readers`")
    truth, named = _by_index(truth, given, _text(patients))
    truth, repaired = repair_labels(truth, existing_ids(given))
    other = None if against is None else _read(Path(against), given.task.name, data)
    folder = Path(out) if out is not None else given.path.with_name(f"{given.path.stem}-evaluation")
    refuse_foreign_files(folder, frozenset())
    with locked(folder):
        owners, identity = find_owners(given, places_of(given, truth), _text(patients))
        levels = join_levels(given, truth, owners)
        read = reader_rows(*reads, given, levels if files else None, owners) if reads else []
        unmatched = unmatched_ids(given, truth)
        found = replace(
            _evaluate(given, truth, levels, owners, thresholds),
            out=folder,
            counts=count_matches(given, truth, unmatched) | {"ids_repaired": named + repaired},
            identity=identity,
            truth_of=truth_of,
            against="" if other is None else other.path.name,
            comparison=() if other is None else compare_with(given, other, levels, truth, owners),
            readers=tuple(
                one for rows in read for one in score_readers(rows, np.random.default_rng(SEED))
            ),
            run=None if run is None else read_claims(Path(run), given, levels),
        )
        with rewriting(folder):
            text = json.dumps(found.to_dict(), indent=1, allow_nan=False)
            write_whole(folder / "scores.json", f"{text}\n".encode())
            write_csv(folder / "unmatched.csv", unmatched)
            write_evaluation_page(
                found, given.task, levels.found, read, _cases(given, truth, levels), slides=slides
            )
    return found


def _read(path: Path, task: str | None, data: StrPath | None) -> Predictions:
    given = read_predictions_of(path, task)
    if given.index is None and data is not None:
        return replace(given, index=read_index(Path(data)))
    return given


def _by_index(
    truth: LabelTable, given: Predictions, patients: str | None
) -> tuple[LabelTable, int]:
    """Name images and studies by the index of the predictions, where there is one."""
    if given.index is None:
        return truth, 0
    return place_labels(truth, given.task, given.index.images, patients)


def _read_truth(
    files: Sequence[Path],
    task: Task,
    columns: Mapping[str, str] | None,
    images: pl.DataFrame | None,
) -> LabelTable:
    masks = [file for file in files if is_mask_file(file)]
    tables = [read_label_file(file, task, columns) for file in files if file not in masks]
    return merge_labels([*tables, *read_truth_masks(masks, task, images)])


def _text(path: StrPath | None) -> str | None:
    return None if path is None else str(path)


def _evaluate(
    given: Predictions,
    truth: LabelTable,
    levels: Levels,
    owners: Owners,
    thresholds: Sequence[float],
) -> Evaluation:
    """Score all that can be. LabelError where nothing can."""
    scores = _scores(given, truth, levels)
    promised = {}
    if given.point is not None:
        flags = float(given.point["threshold"])
        thresholds = (flags, *thresholds)
        values = (given.point[name]["value"] for name in ("sensitivity", "specificity"))
        promised = dict(zip(threshold_names(flags), map(float, values), strict=True))
    for _, rows, probability in headline_rows(given.task, levels) if thresholds else ():
        scores += threshold_scores(rows, probability[:, 0], thresholds, np.random.default_rng(SEED))
    pixel = score_drawn_masks(given, truth, owners)
    absent = dict(levels.absent)
    scans = score_scans(given, truth, owners)
    for level, found in (("pixel", pixel), ("scan", scans)):
        if isinstance(found, str):
            absent[level] = found
        elif level == "pixel" and given.task.metric.name == "dice":
            scores = [*found, *scores]
        else:
            scores += found
    if not scores:
        reasons = "; ".join(f"{level}: {reason}" for level, reason in absent.items())
        raise LabelError(f"{given.path}: nothing of it can be scored by these labels ({reasons})")
    return Evaluation(
        name=given.path.name,
        task=given.task.name,
        headline=given.task.headline,
        scores=Scores(scores),
        absent=absent,
        subgroups=compare_subgroups(given, levels),
        promised=promised,
        cautions=given.cautions,
        models=given.models,
    )


def _scores(given: Predictions, truth: LabelTable, levels: Levels) -> list[Score]:
    """Score the levels that are there, the task's official figure first."""
    official = given.task.spec.official_levels
    scores = _exam_scores(given, truth, levels) if ALL in official else []
    for part in levels.found:
        scores += score_level(
            part,
            given.task.metric,
            SEED,
            official=part.level in official,
            as_answered=given.as_answered,
        )
    return scores


def _exam_scores(given: Predictions, truth: LabelTable, levels: Levels) -> list[Score]:
    """Score images and studies as one submission, by the task's figure over both and by its parts;
    a part without truth or predictions has no value."""
    parts = [part for part in (levels.at("image"), levels.at("study")) if part is not None]
    if not any(part.level == "study" for part in parts):
        return []
    matched = [
        (pl.col("level") == part.level) & pl.col("id").is_in(list(part.ids)) for part in parts
    ]
    images = {name for part in parts if part.level == "image" for name in part.ids}
    kept = levels.places.filter(pl.col("image").is_in(list(images)))
    scored = given.task.submission.score(
        replace(truth, frame=truth.frame.filter(pl.any_horizontal(matched)), exams=kept),
        given.table,
        given.task.findings,
        parts[0].split,
        np.random.default_rng(SEED),
        {
            name: patient
            for part in parts
            for name, patient in zip(part.ids, part.patients, strict=True)
        },
    )
    return [score for score in scored.scores if score.finding == ALL]


def _cases(given: Predictions, truth: LabelTable, levels: Levels) -> tuple[PageCase, ...]:
    """Make pictures of images that were read best and worst, where packed slices lie there."""
    images = levels.at("image")
    if images is None or given.store is None or given.view is None or given.index is None:
        return ()
    column = given.task.headline_column
    finding = images.findings[column].name
    sources = CaseSources(
        store=open_store(given.store),
        windows=given.view.windows,
        letters=series_edge_letters(given.index.images),
        truth=masks_by_image(truth, finding),
        drawn=masks_by_image(given.table, finding),
    )
    return given_cases(images, column, sources)
