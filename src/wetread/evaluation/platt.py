"""evaluation/platt.py: probabilities scaled on their logits so that they mean what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from wetread.archive.types import Float64Array, FloatArray
from wetread.evaluation.metrics import CLIP, THRESHOLD

Names = np.ndarray[tuple[int, ...], np.dtype[np.str_]]
FEW = 5  # patients with and without a finding, below which its slope is not fitted
# Standard deviation of the logarithm of the slope, as it is expected before anything is known of
# it: two in three slopes lie between 0.6 and 1.65. Chosen beforehand, not on any score.
SLOPE_SPREAD = 0.5
MOST_BIAS = 50.0


@dataclass(frozen=True)
class PlattScaling:
    """A new logit of a probability: slope x logit + bias, the slope above 0: the order stays.

    1 / slope is what is called temperature. Source: Platt 1999; Guo and others 2017.
    """

    slope: float = 1.0
    bias: float = 0.0

    def apply(self, probability: FloatArray) -> Float64Array:
        """Scale probabilities, any shape; NaN stays, and the identity changes nothing."""
        given = np.asarray(probability, np.float64)
        if self == IDENTITY:
            return given
        clipped = np.clip(given, CLIP, 1.0 - CLIP)
        scaled: Float64Array = expit(self.slope * logit(clipped) + self.bias)
        return scaled

    def then(self, other: PlattScaling) -> PlattScaling:
        """Return the scaling that does this one first and the other after it."""
        return PlattScaling(other.slope * self.slope, other.slope * self.bias + other.bias)


IDENTITY = PlattScaling()


def scale_columns(values: FloatArray, scalings: Sequence[PlattScaling]) -> Float64Array:
    """Scale probabilities (N, F), each column by its own scaling."""
    given = np.asarray(values, np.float64)
    columns = [one.apply(given[:, column]) for column, one in enumerate(scalings)]
    return np.stack(columns, axis=1) if columns else given


def mean_scaling(scalings: Sequence[PlattScaling], weights: Sequence[float] = ()) -> PlattScaling:
    """Return the scaling whose logits are the mean of those of the given ones, at least one.

    weights: of each, of any positive sum; none: all alike.
    """
    shares = weights or [1.0] * len(scalings)
    total = math.fsum(shares)
    slope = math.fsum(share * one.slope for share, one in zip(shares, scalings, strict=True))
    bias = math.fsum(share * one.bias for share, one in zip(shares, scalings, strict=True))
    return PlattScaling(slope / total, bias / total)


def prevalence_shift(before: float, now: float) -> PlattScaling:
    """Return the scaling for a share of positives that is another than before: by Bayes the odds
    are multiplied by those of `now` over those of `before` (Saerens and others 2002).

    Raises ValueError where a share is not strictly between 0 and 1.
    """
    for share in (before, now):
        if not 0.0 < share < 1.0:
            raise ValueError(f"a share of {share}; give one between 0 and 1, neither of them")
    return PlattScaling(1.0, float(logit(now) - logit(before)))


@dataclass(frozen=True)
class FittedScaling:
    """How a finding's probabilities are scaled, and what that rests on.

    kind:      "slope and bias", "bias", "shared" (of all findings together, where it has too few)
               or "none".
    patients:  with known truth; positives: those of them with the finding.
    share:     of positive rows among the known; NaN where nothing is known.
    """

    scaling: PlattScaling
    kind: str
    patients: int
    positives: int
    share: float


def fit_scalings(
    truth: FloatArray, probability: FloatArray, patients: Sequence[str]
) -> tuple[FittedScaling, ...]:
    """Fit a scaling for each finding.

    truth, probability: (N, F), truth in 0..1, NaN unknown. patients: N names.

    Where FEW patients have a finding and FEW have it not, slope and bias are fitted: the slope
    with a prior around 1, whose weight is against as many rows as there are patients. Where fewer
    do, the finding takes slope and bias of all findings together, or, where these are one, the
    bias that makes the mean probability the share of positives; where one class alone is known,
    nothing.
    """
    true: Float64Array = np.asarray(truth, np.float64)
    given: Float64Array = np.asarray(probability, np.float64)
    names = np.asarray(patients, dtype=str)
    whose = np.repeat(names[:, None], true.shape[1], axis=1)
    pooled = _fit(true.ravel(), given.ravel(), whose.ravel())
    fitted = []
    for column in range(true.shape[1]):
        own = _fit(true[:, column], given[:, column], names)
        if own.kind != "slope and bias" and true.shape[1] > 1 and pooled.kind == "slope and bias":
            own = FittedScaling(pooled.scaling, "shared", own.patients, own.positives, own.share)
        fitted.append(own)
    return tuple(fitted)


def _fit(truth: FloatArray, probability: FloatArray, patients: Names) -> FittedScaling:
    """Fit the scaling of one finding's rows (N,)."""
    known = ~np.isnan(truth)
    true, logits = truth[known], logit(np.clip(probability[known], CLIP, 1.0 - CLIP))
    positive = true >= THRESHOLD
    counts = [len(np.unique(patients[known][which])) for which in (positive, ~positive)]
    everyone = len(np.unique(patients[known]))
    share = float(positive.mean()) if len(true) else float("nan")
    if min(counts) == 0:
        return FittedScaling(IDENTITY, "none", everyone, counts[0], share)
    if min(counts) < FEW:
        return FittedScaling(_fit_bias(true, logits), "bias", everyone, counts[0], share)
    scaling = _fit_slope_and_bias(true, logits, everyone / len(true))
    return FittedScaling(scaling, "slope and bias", everyone, counts[0], share)


def _fit_bias(truth: FloatArray, logits: FloatArray) -> PlattScaling:
    """Find the bias under which the mean probability is the mean of truth, both (N,)."""
    from scipy.optimize import brentq

    def excess(bias: float) -> float:
        return float(expit(logits + bias).mean() - truth.mean())

    return PlattScaling(1.0, float(brentq(excess, -MOST_BIAS, MOST_BIAS, xtol=1e-12)))


def _fit_slope_and_bias(truth: FloatArray, logits: FloatArray, weight: float) -> PlattScaling:
    """Minimize the log loss of truth (N,), a row weighing `weight`, and the slope's penalty."""
    from scipy.optimize import minimize

    def loss(values: Float64Array) -> tuple[float, Float64Array]:
        """Compute the penalized loss and its gradient (2,) at values (2,): log slope and bias."""
        slope = np.exp(values[0])
        z = slope * logits + values[1]
        residual = expit(z) - truth
        total = weight * float((np.logaddexp(0.0, z) - truth * z).sum())
        gradient = weight * np.array([(residual * logits).sum() * slope, residual.sum()])
        gradient[0] += values[0] / SLOPE_SPREAD**2
        return total + values[0] ** 2 / (2 * SLOPE_SPREAD**2), gradient

    start = np.array([0.0, _fit_bias(truth, logits).bias])
    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    return PlattScaling(float(np.exp(found.x[0])), float(found.x[1]))
