"""models/mask_peaks.py: what the peaks of the masks that an encoder draws say of a series."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from wetread.archive.types import Float32Array

THIRDS = 3  # of a picture: the patient's right, the middle, the patient's left
SMALL = 8  # pixels of a small thing
LEAST = 0.01  # pixels, so that the logarithm of an area stays finite
PEAKS = 3 * THIRDS  # numbers of a mask
HIGHEST, AREA = 0, 2  # which of a third's


def series_features(drawn: Float32Array, masks: int) -> Float32Array:
    """Summarize the features (n, F + PEAKS M) of a series, of a network that draws M masks.

    Returns (M + M (M - 1) / 2,): each mask's highest pixel; and for each two masks, first and
    second, first and third ..., the logarithm of the ratio of their greatest areas.
    """
    peaks = drawn[:, -PEAKS * masks :].reshape(-1, THIRDS, PEAKS // THIRDS, masks)
    highest = peaks[:, :, HIGHEST].max(axis=(0, 1))
    area = np.log(np.exp(peaks[:, :, AREA]).sum(axis=1).max(axis=0))
    pairs = [area[a] - area[b] for a, b in combinations(range(masks), 2)]
    return np.array([*highest, *pairs], np.float32)
