"""verbs/score.py: a truth file and a submission file in, the official metric out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.evaluation.evaluate import evaluate
from wetread.evaluation.score import Score
from wetread.labels.table import LabelError
from wetread.tasks import find_task

SPLIT = "held_out"  # a submission is of images that were not learned from
SEED = 0  # of the bootstrap


@dataclass(frozen=True)
class SubmissionScore:
    """The scores, and the ids on which the files do not meet.

    missing:  `image finding` of the truth that the submission lacks; they are not scored.
    too_many: `image finding` of the submission that the truth does not know.
    """

    scores: tuple[Score, ...]
    missing: tuple[str, ...]
    too_many: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {
            "scores": [score.as_dict() for score in self.scores],
            "missing": list(self.missing),
            "too_many": list(self.too_many),
        }


def score(
    task: str, truth: Path, submission: Path, *, patients: Path | None = None
) -> SubmissionScore:
    """The task's official metric and per-finding scores, over the ids both files hold.

    patients: a CSV with the columns image and patient; intervals are then over patients, and
    without it every image counts as a patient of its own.
    """
    chosen = find_task(task)
    known = chosen.read_labels(truth, chosen.findings)
    told = chosen.read_submission(submission, chosen.findings)
    true_keys, told_keys = _keys(known.frame), _keys(told.frame)
    told_ids = set(told.frame["id"])
    ids = [i for i in known.frame["id"].unique(maintain_order=True) if i in told_ids]
    if not ids:
        raise LabelError(f"{submission} and {truth} have no image in common; compare their ids")
    probability = told.matrix(ids, chosen.findings).astype(np.float64)
    target = known.matrix(ids, chosen.findings).astype(np.float64)
    target[np.isnan(probability)] = np.nan  # counted as missing, below
    scores = evaluate(
        target,
        probability,
        chosen.findings,
        ids if patients is None else _patients(patients, ids),
        chosen.findings[0].level,
        SPLIT,
        None,
        np.random.default_rng(SEED),
    )
    return SubmissionScore(
        tuple(scores),
        missing=tuple(sorted(true_keys - told_keys)),
        too_many=tuple(sorted(told_keys - true_keys)),
    )


def _keys(frame: pl.DataFrame) -> set[str]:
    known = frame.filter(pl.col("value").is_not_null())
    return set(known.select(pl.concat_str("id", "finding", separator=" ")).to_series())


def _patients(path: Path, ids: Sequence[str]) -> list[str]:
    table = pl.read_csv(path, infer_schema=False)
    if not {"image", "patient"} <= set(table.columns):
        raise LabelError(
            f"{path}: needs the columns image and patient, has {', '.join(table.columns)}"
        )
    of = dict(zip(table["image"], table["patient"], strict=True))
    lost = [image for image in ids if image not in of]
    if lost:
        raise LabelError(f"{path}: no patient for {len(lost)} images, the first {lost[0]}")
    return [of[image] for image in ids]
