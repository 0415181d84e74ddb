"""phantoms/angiogram/exam.py: findings of exams for embolism, as often as in the real exams.

The counts are those of all 7,279 training exams of the RSNA-STR pulmonary embolism detection
competition of 2020, label by label together, so what occurs together there does so here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Key = TypeVar("Key")

ACUTE, CHRONIC, BOTH = "acute", "chronic", "acute and chronic"

NEGATIVES, INDETERMINATES, POSITIVES = 4911, 157, 2211

# Positive exams: left, right, central, RV/LV >= 1, and how many are acute, chronic, both
POSITIVE_COUNTS: tuple[tuple[int, int, int, int, tuple[int, int, int]], ...] = (
    (0, 1, 0, 0, (415, 49, 8)),
    (0, 1, 0, 1, (123, 24, 8)),
    (1, 0, 0, 0, (186, 38, 5)),
    (1, 0, 0, 1, (60, 26, 2)),
    (1, 1, 0, 0, (364, 47, 43)),
    (1, 1, 0, 1, (299, 71, 42)),
    (0, 0, 1, 0, (1, 0, 0)),
    (0, 0, 1, 1, (2, 1, 0)),
    (0, 1, 1, 0, (16, 1, 1)),
    (0, 1, 1, 1, (12, 6, 0)),
    (1, 0, 1, 0, (12, 1, 0)),
    (1, 0, 1, 1, (1, 1, 0)),
    (1, 1, 1, 0, (64, 7, 13)),
    (1, 1, 1, 1, (219, 20, 23)),
)
AGES = (ACUTE, CHRONIC, BOTH)

# (flow artifact, true filling defect that is no embolus): how many
NEGATIVE_QUALITY = {(0, 0): 4670, (1, 0): 207, (0, 1): 29, (1, 1): 5}
POSITIVE_QUALITY = {(0, 0): 2124, (1, 0): 64, (0, 1): 20, (1, 1): 3}
# (motion, contrast, flow artifact): how many
INDETERMINATE_QUALITY = {
    (0, 1, 0): 85,
    (1, 0, 0): 31,
    (1, 1, 0): 25,
    (0, 1, 1): 9,
    (1, 0, 1): 4,
    (1, 1, 1): 3,
}


@dataclass(frozen=True)
class Exam:
    """Findings of one exam; its labels follow once it is painted.

    positive, indeterminate: neither in a negative exam, never both.
    left, right, central:    where there are clots. age: of the clots, one of AGES.
    strained:                RV/LV >= 1. motion, contrast: why it is indeterminate.
    flow:                    blood badly mixed with contrast. other: a filling defect, no embolus.
    """

    positive: bool
    indeterminate: bool
    left: bool
    right: bool
    central: bool
    age: str
    strained: bool
    motion: bool
    contrast: bool
    flow: bool
    other: bool


def draw_exam(rng: np.random.Generator, positives: float | None = None) -> Exam:
    """Draw one exam; positives: the share of positive exams, None for the real 30.4 %.

    Negative and indeterminate exams share the rest as they do in reality.
    """
    real = POSITIVES / (POSITIVES + NEGATIVES + INDETERMINATES)
    share = real if positives is None else positives
    if not 0 <= share <= 1:
        raise ValueError(f"positives={positives}: a share of the exams lies between 0 and 1")
    kind, doubt = rng.random(2)
    if kind < share:
        return _draw_positive(rng)
    if doubt < INDETERMINATES / (INDETERMINATES + NEGATIVES):
        motion, contrast, flow = _pick(rng, INDETERMINATE_QUALITY)
        return _empty(rng, indeterminate=True, quality=(motion, contrast, flow, 0))
    flow, other = _pick(rng, NEGATIVE_QUALITY)
    return _empty(rng, indeterminate=False, quality=(0, 0, flow, other))


def _draw_positive(rng: np.random.Generator) -> Exam:
    table = {
        (*row[:4], age): count
        for row in POSITIVE_COUNTS
        for age, count in zip(range(3), row[4], strict=True)
    }
    left, right, central, strained, age = _pick(rng, table)
    flow, other = _pick(rng, POSITIVE_QUALITY)
    return Exam(
        positive=True,
        indeterminate=False,
        left=bool(left),
        right=bool(right),
        central=bool(central),
        age=AGES[age],
        strained=bool(strained),
        motion=False,
        contrast=False,
        flow=bool(flow),
        other=bool(other),
    )


def _empty(
    rng: np.random.Generator, *, indeterminate: bool, quality: tuple[int, int, int, int]
) -> Exam:
    """Draw an exam without clot; some hearts are strained for other reasons, without a label."""
    motion, contrast, flow, other = map(bool, quality)
    return Exam(
        positive=False,
        indeterminate=indeterminate,
        left=False,
        right=False,
        central=False,
        age=ACUTE,
        strained=bool(rng.random() < 0.15),
        motion=motion,
        contrast=contrast,
        flow=flow,
        other=other,
    )


def _pick(rng: np.random.Generator, table: dict[Key, int]) -> Key:
    """Draw a key, as often as its count says."""
    keys, counts = list(table), np.array(list(table.values()), np.float64)
    return keys[int(rng.choice(len(keys), p=counts / counts.sum()))]


def draw_ratio(rng: np.random.Generator, strained: bool) -> float:
    """Draw the ratio RV/LV, often close to 1 on either side."""
    if strained:
        return float(1.01 + np.clip(rng.gamma(1.6, 0.17), 0, 0.9))
    return float(np.clip(rng.normal(0.82, 0.1), 0.5, 0.98))
