"""verbs/score.py: a truth file and a submission file in, the official metric out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.paths import as_paths
from wetread.archive.types import StrPath, StrPaths
from wetread.evaluation.submission import SubmissionScores
from wetread.inputs.label_file import read_label_file
from wetread.labels.csv_file import and_others, lines_with, split_spec
from wetread.labels.patients_csv import read_patients
from wetread.labels.repair import repair_keys, repair_labels
from wetread.labels.table import LabelError, LabelTable, merge_labels
from wetread.tasks import find_task

SPLIT = "held_out"  # a submission is of images that were not learned from
SEED = 0  # of the bootstrap


def score(
    task: str,
    truth: StrPaths,
    submission: StrPath,
    *,
    patients: StrPath | None = None,
    columns: Mapping[str, str] | None = None,
) -> SubmissionScores:
    """Score any submission file by the task's official metric and finding by finding.

    task: a name of TASKS.
    truth: label files in every form that `train` takes, one or several; columns: as for `train`.
    submission: probabilities in the competition's form.
    patients: a CSV that says which image is of which patient (labels/patients_csv.py); without it
        there are no intervals.

    Ids that the submission lacks are named, and then there is no official score: leaving out the
    hard ones would flatter. Ids that the truth does not know are named and passed over. Raises
    LabelError where a label stands twice with two values.
    """
    files, submission = as_paths(truth), Path(submission)  # FILE.csv:COLUMN among the files
    chosen = find_task(task)
    tables = [read_label_file(file, chosen, columns) for file in files]
    true = merge_labels(tables)
    given = chosen.submission.read(submission, chosen.findings)
    paths = [split_spec(file)[0] for file in files]
    for path, table in (*zip(paths, tables, strict=True), (paths[-1], true), (submission, given)):
        _refuse_conflicts(path, table)
    given, repaired = repair_labels(given, _ids(true))
    _refuse_conflicts(submission, given)
    owners = None
    if patients is not None:
        owners, of_patients = repair_keys(
            read_patients(os.fspath(patients)), chain(*_ids(true).values())
        )
        repaired += of_patients
    scores = chosen.submission.score(
        true, given, chosen.findings, SPLIT, np.random.default_rng(SEED), owners
    )
    return replace(scores, ids_repaired=repaired)


def _ids(truth: LabelTable) -> dict[str, list[str]]:
    """List the ids that the truth has, by level."""
    levels = truth.frame["level"].unique().to_list()
    ids = {
        level: truth.frame.filter(pl.col("level") == level)["id"].unique().to_list()
        for level in levels
    }
    files = ids.get("file", [])  # what they are of, the submission's form knows
    of_files = {level: [*ids.get(level, []), *files] for level in ("image", "series", "study")}
    return {**ids, **of_files, "image": [*of_files["image"], *truth.exams["image"]]}


def _refuse_conflicts(path: Path, table: LabelTable) -> None:
    """LabelError where a label stands twice with two values: neither is sure."""
    if table.conflicts.is_empty():
        return
    first = table.conflicts.row(0, named=True)
    key = f"{first['id']}_{first['finding']}"  # as some forms have it
    lines = lines_with(path, key) or lines_with(path, first["id"])
    raise LabelError(
        f"{path}: {first['id']} has {first['finding']} twice, with unequal values"
        f"{f' (lines {lines})' if lines else ''}{and_others(table.conflicts.height)}. "
        "Leave one row of them"
    )


def count_computed(result: SubmissionScores) -> int:
    """Count the figures that could be given of the submission itself, baselines apart."""
    others = ("_prior", "_position", "_histogram", "_header", "_all_empty", "inconsistent_exams")
    return sum(
        score.value is not None for score in result.scores if not score.metric.endswith(others)
    )
