"""verbs/score.py: a truth file and a submission file in, the official metric out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from wetread.evaluation.submission import SubmissionScores
from wetread.labels.patients_csv import read_patients
from wetread.tasks import find_task

SPLIT = "held_out"  # a submission is of images that were not learned from
SEED = 0  # of the bootstrap


def score(
    task: str, truth: Path, submission: Path, *, patients: str | Path | None = None
) -> SubmissionScores:
    """The task's official metric and per-finding scores of any submission file.

    Ids the submission lacks are named, and then there is no official score: leaving out the hard
    ones would flatter. Ids the truth does not know are named and passed over.
    patients: a CSV that says which image is of which patient (labels/patients_csv.py); without it
    there are no intervals.
    """
    chosen = find_task(task)
    return chosen.score_submission(
        chosen.read_labels(truth, chosen.findings),
        chosen.read_submission(submission, chosen.findings),
        chosen.findings,
        SPLIT,
        np.random.default_rng(SEED),
        None if patients is None else read_patients(patients),
    )


def as_dict(result: SubmissionScores) -> dict[str, Any]:
    """For --json."""
    return {
        "scores": [asdict(score) for score in result.scores],
        "missing": list(result.missing),
        "too_many": list(result.too_many),
        "broken_rules": {study: list(rules) for study, rules in result.broken.items()},
    }
