"""evaluation/abstention.py: does what is unsure go wrong more often, and what is won by leaving it?

An answer of 0.5 and above calls the finding. Rows are left in the order of an uncertainty: how near
the probability is to 0.5, or how far the networks of an ensemble are apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from wetread.archive.types import Float64Array, FloatArray
from wetread.evaluation.intervals import (
    draw_patients,
    drawn_ratio,
    percentile_interval,
    row_weights,
)
from wetread.evaluation.metrics import THRESHOLD, auc_of, count, log_losses, rank
from wetread.evaluation.score import Score, finite_or_none

SHARES = tuple(percent / 100 for percent in range(0, 55, 5))  # of rows that are left, of the curve
SCORED_PERCENT = (10, 20, 40)  # of them, those with an interval
NEARNESS, DISAGREEMENT = "nearness", "disagreement"
DRAWS = 500


@dataclass(frozen=True)
class AbstentionCurve:
    """Mean log loss and share of wrong calls of the rows that are kept, by the share left out.

    uncertainty: by what rows are left out, the unsurest first; "chance": at random, in expectation.
    """

    uncertainty: str
    left: tuple[float, ...]
    log_loss: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Rows of one finding: truth and probability (N,), uncertainties (N,) by name, N patients."""

    truth: Float64Array
    probability: Float64Array
    uncertainties: Mapping[str, Float64Array]
    patients: Sequence[str]

    @property
    def known(self) -> JudgedRows:
        """The rows whose truth is known."""
        known = ~np.isnan(self.truth)
        return JudgedRows(
            self.truth[known],
            self.probability[known],
            {name: values[known] for name, values in self.uncertainties.items()},
            [name for name, inside in zip(self.patients, known, strict=True) if inside],
        )

    @property
    def wrong(self) -> Float64Array:
        """1 where the call is wrong, else 0, (N,); for known truth."""
        called = self.probability >= THRESHOLD
        return np.asarray(called != (self.truth >= THRESHOLD), np.float64)


def judge_rows(
    truth: FloatArray,
    probability: FloatArray,
    patients: Sequence[str],
    disagreement: FloatArray | None = None,
) -> JudgedRows:
    """Put the rows of one finding, (N,) each, beside their uncertainties."""
    given = np.asarray(probability, np.float64)
    uncertainties = {NEARNESS: -np.abs(given - THRESHOLD)}
    if disagreement is not None:
        uncertainties[DISAGREEMENT] = np.asarray(disagreement, np.float64)
    return JudgedRows(np.asarray(truth, np.float64), given, uncertainties, patients)


def kept_rows(uncertainty: Float64Array, left: float) -> Float64Array:
    """Mark, by 1 and 0 (N,), the rows that are kept where a share of all is left out; of equally
    unsure rows the later ones are left out first."""
    count_left = int(np.floor(left * len(uncertainty) + 1e-9))
    kept = np.ones(len(uncertainty))
    kept[np.argsort(uncertainty, kind="stable")[len(uncertainty) - count_left :]] = 0.0
    return kept


def abstention_curves(rows: JudgedRows) -> tuple[AbstentionCurve, ...]:
    """Make the curve of each uncertainty, and that of chance; none where no truth is known."""
    rows = rows.known
    if len(rows.truth) == 0:
        return ()
    loss, wrong = log_losses(rows.truth, rows.probability), rows.wrong

    def curve(name: str, kept: Sequence[Float64Array]) -> AbstentionCurve:
        """Compute the curve over the rows that are kept at each share, weights (N,) each."""
        means = [
            tuple(float((values * one).sum() / one.sum()) for one in kept)
            for values in (loss, wrong)
        ]
        return AbstentionCurve(name, SHARES, *means)

    everyone = [np.ones(len(loss))] * len(SHARES)
    return (
        *(
            curve(name, [kept_rows(values, left) for left in SHARES])
            for name, values in rows.uncertainties.items()
        ),
        curve("chance", everyone),
    )


def abstention_scores(rows: JudgedRows, like: Score, rng: np.random.Generator) -> list[Score]:
    """Score how well each uncertainty orders wrong calls before right ones (error_auc), and the log
    loss of what is kept, with intervals over patients.

    like: a score of the finding, whose finding, level and split these have.
    """
    known = rows.known
    if len(known.truth) == 0:
        return []
    patient_of_row, times = draw_patients(known.patients, DRAWS, rng)
    loss, wrong = log_losses(known.truth, known.probability), known.wrong
    counted = {
        "patients": times.shape[1],
        "positives": int((known.truth >= THRESHOLD).sum()),
    }

    def score(metric: str, value: float, drawn: FloatArray) -> Score:
        """Make the score of a value with the interval of its draws (draws,)."""
        low, high = (percentile_interval(drawn) if times.shape[1] > 1 else None) or (None, None)
        found = finite_or_none(value)
        why = None if found is not None else "all calls are right, or all are wrong"
        return replace(
            like, metric=metric, value=found, reason=why, **counted,
            low=low if found is not None else None, high=high if found is not None else None,
        )  # fmt: skip

    scores = []
    for name, values in known.uncertainties.items():
        ranking = rank(wrong, values)
        draws = row_weights(patient_of_row[ranking.order], times)
        each = chain([np.ones((1, len(wrong)))], draws)
        aucs = np.concatenate([auc_of(count(ranking, weights)) for weights in each])
        scores.append(score(f"error_auc_{name}", float(aucs[0]), aucs[1:]))
    for percent in SCORED_PERCENT:
        for name, values in known.uncertainties.items():
            kept = kept_rows(values, percent / 100)
            drawn = drawn_ratio(loss * kept, kept, patient_of_row, times)
            value = float((loss * kept).sum() / kept.sum())
            scores.append(score(f"abstained_{percent}_log_loss_{name}", value, drawn))
    return scores
