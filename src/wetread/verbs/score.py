"""verbs/score.py: a truth file and a submission file in, the official metric out."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.types import StrPath
from wetread.evaluation.submission import SubmissionScores
from wetread.labels.csv_file import and_others, lines_with
from wetread.labels.patients_csv import read_patients
from wetread.labels.repair import repair_keys, repair_labels
from wetread.labels.table import LabelError, LabelTable
from wetread.tasks import find_task

SPLIT = "held_out"  # a submission is of images that were not learned from
SEED = 0  # of the bootstrap


def score(
    task: str, truth: StrPath, submission: StrPath, *, patients: StrPath | None = None
) -> SubmissionScores:
    """Score any submission file by the task's official metric and finding by finding.

    task: a name of TASKS.
    truth: a label file in the competition's form. submission: probabilities in the same form.
    patients: a CSV that says which image is of which patient (labels/patients_csv.py); without it
        there are no intervals.

    Ids that the submission lacks are named, and then there is no official score: leaving out the
    hard ones would flatter. Ids that the truth does not know are named and passed over. Raises
    LabelError where a label stands twice with two values.
    """
    truth, submission = Path(truth), Path(submission)
    chosen = find_task(task)
    true = chosen.read_labels(truth, chosen.findings)
    given = chosen.submission.read(submission, chosen.findings)
    for path, table in ((truth, true), (submission, given)):
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
    return {**ids, "image": [*ids.get("image", []), *truth.exams["image"]]}


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
