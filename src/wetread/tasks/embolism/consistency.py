"""tasks/embolism/consistency.py: what an inconsistent exam costs here, and its cheapest repair."""

from __future__ import annotations

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.labels.exams import Exams
from wetread.prediction.consistency import ABOVE, AnswerCosts, make_consistent
from wetread.tasks.embolism.findings import EXAM_FINDINGS, IMAGE_FINDING, NOT_POSITIVE
from wetread.tasks.embolism.metric import WEIGHTS
from wetread.tasks.embolism.rules import RULES

LABELS = len(EXAM_FINDINGS)  # of the metric; positive_exam stands after them
COSTS = AnswerCosts(RULES, WEIGHTS, IMAGE_FINDING.weight)


def consistent_answers(
    image: Float64Array, study: Float64Array, starts: Int64Array
) -> tuple[Float64Array, Float64Array]:
    """Make probabilities of slices, image (N, 1), and of exams, study (E, 10), obey the rules at
    the least expected cost; exam e has the slices starts[e] to starts[e + 1] of starts (E + 1,).

    positive_exam, the last column, ends on the side of 0.5 where the nine labels put it.
    """
    exams = make_consistent(Exams(study[:, :LABELS], image[:, 0], starts), COSTS)
    positive = (exams.study[:, list(NOT_POSITIVE)] <= 0.5).all(axis=1)
    given = study[:, LABELS]
    positive_exam = np.where(positive, np.maximum(given, ABOVE), np.minimum(given, 0.5))
    return exams.image[:, None], np.column_stack([exams.study, positive_exam])


def broken_rules(
    image: Float64Array, study: Float64Array, starts: Int64Array
) -> list[tuple[str, ...]]:
    """List for each exam the names of the rules that its probabilities break; arrays as for
    consistent_answers: image (N, 1), study (E, 10), starts (E + 1,)."""
    return RULES.broken_names(Exams(study[:, :LABELS], image[:, 0], starts))
