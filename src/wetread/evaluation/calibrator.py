"""evaluation/calibrator.py: how probable a finding is in an image, by a network's head and mask."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from wetread.archive.types import Float64Array, FloatArray
from wetread.evaluation.metrics import THRESHOLD

EVIDENCE_SHARE, EVIDENCE_LEAST = 0.005, 20  # the highest pixels that speak for a finding
LOGIT_CLIP = 1e-6  # of a probability before its logit is taken
RIDGE = 1.0  # on weights of standardized inputs: keeps them finite where the classes are separable
TOLERANCE = 1e-12  # of the gradient: the fit is exact to rounding


@dataclass(frozen=True)
class Calibrator:
    """Probability that there is any, from two logits: sigmoid(intercept + head x + mask y)."""

    intercept: float
    head: float
    mask: float

    @staticmethod
    def fit(head: FloatArray, mask: FloatArray, truth: FloatArray) -> "Calibrator":
        """Regress truth (N,) on the head's logits (N,) and the mask's evidence (N,), logistically.

        truth: in 0..1, 0.5 and above positive; rows of unknown truth (NaN) are left out. The ridge
        is on the standardized inputs, the intercept is free. Raises ValueError where only one class
        is known.
        """
        from sklearn.linear_model import LogisticRegression

        known = ~np.isnan(truth)
        inputs = np.stack([head[known], mask[known]], axis=1).astype(np.float64)  # (N, 2)
        positive = np.asarray(truth)[known] >= THRESHOLD
        if len(np.unique(positive)) < 2:
            raise ValueError(
                f"{int(positive.sum())} of {len(positive)} known images are positive; "
                "a probability is calibrated on images with the finding and without"
            )
        middle, spread = inputs.mean(axis=0), inputs.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        model = LogisticRegression(C=1.0 / RIDGE, solver="newton-cholesky", tol=TOLERANCE)
        model.fit((inputs - middle) / spread, positive)
        slopes = model.coef_[0] / spread
        intercept = float(model.intercept_[0] - slopes @ middle)
        return Calibrator(intercept, float(slopes[0]), float(slopes[1]))

    def apply(self, head: FloatArray, mask: FloatArray) -> Float64Array:
        """Return the probability (N,) of the head's logits (N,) and the mask's evidence (N,)."""
        probability: Float64Array = expit(
            self.intercept + self.head * np.asarray(head) + self.mask * np.asarray(mask)
        )
        return probability


def mask_evidence(probability: FloatArray) -> float:
    """Return the logit of the mean of the highest 0.5 % (at least 20 pixels) of a map (H, W)."""
    count = min(probability.size, max(EVIDENCE_LEAST, round(EVIDENCE_SHARE * probability.size)))
    highest = np.partition(probability, probability.size - count, axis=None)[-count:]
    return float(logit(np.clip(highest.mean(dtype=np.float64), LOGIT_CLIP, 1.0 - LOGIT_CLIP)))
