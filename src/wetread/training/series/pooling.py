"""training/series/pooling.py: the probabilities of a study by those of its series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import expit, logit

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.metrics import CLIP

if TYPE_CHECKING:  # a task is a value that loads no torch
    from wetread.training.series.series import Series

Pool = Literal["best", "mean", "max"]


def pool_series(
    series: Series, probability: Float64Array, judging: Int64Array, pool: Pool
) -> Float64Array:
    """Return the probabilities of studies, (studies, S), by those of their series, (E, S).

    judging: (studies,) the series that judges each study where one does ("best"); else the mean of
    the logits of all series of the study, or their largest probability.
    """
    if pool == "best":
        return probability[judging]
    names = np.array(series.studies)
    answers = []
    for judge in judging:
        own = probability[names == names[judge]]
        if pool == "max":
            answers.append(own.max(axis=0))
        else:
            answers.append(expit(logit(np.clip(own, CLIP, 1 - CLIP)).mean(axis=0)))
    return np.array(answers).reshape(len(judging), probability.shape[1])
