"""phantoms/scanner/noise.py: the correlated noise of a CT slice."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.archive.types import FloatArray


def draw_noise(
    rng: np.random.Generator, size: int, noise_hu: float, grain_pixels: float
) -> FloatArray:
    """Draw quantum noise, (size, size) float32 HU.

    noise_hu: standard deviation; grain_pixels: width of its grain, the sigma of a Gaussian.
    """
    white = rng.standard_normal((size, size), dtype=np.float32)
    grain = cv2.GaussianBlur(white, (0, 0), grain_pixels)
    deviation = 1 / np.sqrt(4 * np.pi * grain_pixels**2 + 0.35)
    scaled: FloatArray = grain * np.float32(noise_hu / deviation)
    return scaled


def draw_streaks(
    rng: np.random.Generator, size: int, row_hu: FloatArray, length_pixels: float
) -> FloatArray:
    """Draw the streaks of rays that few photons survive, (size, size) float32 HU.

    They run along the rows, where a head is densest (photon starvation between the petrous ridges
    or the shoulders). row_hu: (size,) standard deviation by row; length_pixels: of a streak.
    """
    white = rng.standard_normal((size, size), dtype=np.float32)
    long = cv2.GaussianBlur(white, (0, 0), sigmaX=length_pixels, sigmaY=0.6)
    long /= max(float(long.std()), 1e-6)
    streaks: FloatArray = long * row_hu.astype(np.float32)[:, None]
    return streaks
