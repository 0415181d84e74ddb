"""training/balance.py: logits of balanced epochs become probabilities of the whole set."""

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from wetread.archive.types import Float64Array


def to_probabilities(
    logits: Sequence[Float64Array], findings: int, negative_rate: float
) -> Float64Array:
    """Turn batches of logits (B, F) of F findings into probabilities (N, F), balanced epochs
    undone; (0, F) where there are none. negative_rate: as for undo_balance."""
    if not logits:
        return np.empty((0, findings))
    return undo_balance(expit(np.concatenate(logits)), negative_rate)


def undo_balance(probabilities: Float64Array, negative_rate: float) -> Float64Array:
    """Probabilities (N, F) learned on balanced epochs to those of the whole set.

    Balanced epochs keep every slice with any finding and a share r (negative_rate) of those with
    none. By Bayes, with a = the learned probability of some finding, the measure of a slice's
    look is a + (1 - a) / r times what was learned, so every finding is divided by that:
    p = q / (a + (1 - a) / r). For a finding that is the union of all (any), or the only one, this
    is its odds times r: log r on its logit. For a part of the union it depends on the slice: where
    blood is sure its kind needs no correction, where there is none it needs r.

    a is taken as the largest probability of the slice: exact where one finding is the union.
    """
    some = probabilities.max(axis=1, keepdims=True)
    return np.asarray(probabilities / (some + (1 - some) / negative_rate), np.float64)
