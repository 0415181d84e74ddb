"""evaluation/submission.py: a submission file's probabilities against a truth file's labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from wetread.evaluation.baselines import constant_prior
from wetread.evaluation.evaluate import LabeledRows, evaluate
from wetread.evaluation.intervals import DRAWS
from wetread.evaluation.score import Score, Scores
from wetread.evaluation.task_metric import WEIGHTED_LOG_LOSS, TaskMetric
from wetread.labels.finding import Finding, finding_names
from wetread.labels.table import LabelError, LabelTable


@dataclass(frozen=True)
class SubmissionScores:
    """scores, and the `<id>_<finding>` the submission lacks and the ones truth does not know.

    ids_repaired: ids that were the truth's but for a blank, a path or an ending.
    broken: of tasks whose labels must agree: study to the names of the rules that it breaks.
    """

    scores: Scores
    missing: tuple[str, ...]
    too_many: tuple[str, ...]
    broken: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ids_repaired: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return plain values, for JSON."""
        return {
            **self.scores.to_dict(),
            "ids_repaired": self.ids_repaired,
            "missing": list(self.missing),
            "too_many": list(self.too_many),
            "broken_rules": {study: list(rules) for study, rules in self.broken.items()},
        }


def score_submission(
    truth: LabelTable,
    submission: LabelTable,
    findings: Sequence[Finding],
    split: str,
    rng: np.random.Generator,
    patients: Mapping[str, str] | None = None,
    metric: TaskMetric = WEIGHTED_LOG_LOSS,
) -> SubmissionScores:
    """Score a submission by the task's metric and the rest, over the labels that truth knows.

    Findings of one level. A finding with missing probabilities gets no score, and then the
    official metric gets none either: leaving out the hard ones would flatter. What is too many is
    listed and passed over. The prior beside the scores is the best constant for this very truth,
    a floor that no prior from elsewhere can better.

    patients: patient of each id, for the intervals; None: no intervals, and patients count 0.
    """
    levels = sorted({finding.level for finding in findings})
    if len(levels) != 1:
        raise ValueError(
            f"findings of the levels {', '.join(levels)} cannot be scored as one submission; "
            "score those of one level at a time."
        )
    ids = truth.frame.filter(
        (pl.col("level") == levels[0])
        & pl.col("finding").is_in(finding_names(findings))
        & pl.col("value").is_not_null()
    )["id"].unique(maintain_order=True)
    known = truth.matrix_float64(ids.to_list(), findings)
    given = submission.matrix_float64(ids.to_list(), findings)
    lost = ~np.isnan(known) & np.isnan(given)
    patient_names = patients_of(ids.to_list(), patients)
    scored = evaluate(
        LabeledRows(
            np.where(lost, np.nan, known), findings, patient_names, levels[0], split, metric
        ),
        given,
        rng,
        prior=constant_prior(known),
        draws=DRAWS if patients else 0,
        as_answered=True,
    )
    incomplete = {
        finding.name: int(lost[:, column].sum()) for column, finding in enumerate(findings)
    } | {"all": int(lost.sum())}
    scores = tuple(
        mark_incomplete(score, _lost(incomplete.get(score.finding, 0)), patients is not None)
        for score in scored
    )
    too_many = _keys(submission.frame).join(_keys(truth.frame), on=["id", "finding"], how="anti")
    names = finding_names(findings)
    missing = tuple(f"{ids[int(row)]}_{names[column]}" for row, column in np.argwhere(lost))
    return SubmissionScores(
        Scores(scores), missing, tuple(f"{row_id}_{name}" for row_id, name in too_many.rows())
    )


def _lost(missing: int) -> str | None:
    return f"{missing} probabilities are missing" if missing else None


def mark_incomplete(score: Score, lost: str | None, with_patients: bool) -> Score:
    """Return the score without its value where something is missing, and without patients where
    none are given; lost: what is missing, in words."""
    if lost:
        score = replace(score, value=None, low=None, high=None, reason=lost)
    if not with_patients:
        reason = None if score.value is not None else score.reason
        score = replace(score, patients=0, reason=reason or "no interval: patients are not given")
    return score


def patients_of(ids: Sequence[str], patients: Mapping[str, str] | None) -> list[str]:
    """Return each id's patient, or the id where none are given. LabelError where one is missing."""
    if patients is None:
        return list(ids)
    strange = [row_id for row_id in ids if row_id not in patients]
    if strange:
        raise LabelError(
            f"the patient of {strange[0]!r} is not given ({len(strange)} such ids). "
            "Add them to the table of patients."
        )
    return [patients[row_id] for row_id in ids]


def _keys(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("id", "finding")
