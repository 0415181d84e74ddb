"""labels/finding.py: what can be found in an image or a study. A value; nothing is read here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wetread.archive.types import Float64Array
from wetread.labels.code import Code

Level = Literal["image", "study", "pixel"]


@dataclass(frozen=True)
class Finding:
    """One thing a reader may find.

    name:   as it stands in label files, scores and readings, e.g. "subdural".
    level:  what carries the label: an image, a study or a pixel.
    weight: its weight in the task's metric, against the other findings.
    positive_weight: that of its positives, where they weigh otherwise; None: as all others.
    mirror: the finding it becomes when the image is flipped left to right; None when it stays.
    code:   of the concept in a public coding scheme; None where no table at hand has it.
    """

    name: str
    level: Level = "image"
    weight: float = 1.0
    mirror: str | None = None
    positive_weight: float | None = None
    code: Code | None = None


def finding_names(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return the names, in the findings' order: the column order of every array of labels."""
    return tuple(finding.name for finding in findings)


def finding_weights(findings: Sequence[Finding]) -> Float64Array:
    """Return the findings' weights in the metric: (F,) float64."""
    return np.array([finding.weight for finding in findings], dtype=np.float64)


def positive_weights(findings: Sequence[Finding]) -> Float64Array:
    """Return the weights of the findings' positives in the metric: (F,) float64."""
    own = (one.weight if one.positive_weight is None else one.positive_weight for one in findings)
    return np.array(list(own), dtype=np.float64)
