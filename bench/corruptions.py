"""bench/corruptions.py: what may go wrong with the pictures and headers of a series, as functions.

Each maps the stored values of a series, (Z, rows, columns) float32, its data sets, which it may
change, and a generator, to values of that shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pydicom
from scipy.ndimage import affine_transform

from wetread.archive.types import Float32Array

Series = Sequence[pydicom.Dataset]  # one series, in order of position
Change = Callable[[Float32Array, Series, np.random.Generator], Float32Array]


def height_mm(one: pydicom.Dataset) -> float:
    """Position of a slice along the normal of its plane, mm; 0 where the header has none."""
    if "ImagePositionPatient" not in one:
        return 0.0
    along = np.asarray(one.ImageOrientationPatient, float).reshape(2, 3)
    return float(np.cross(*along) @ np.asarray(one.ImagePositionPatient, float))


def unchanged(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """No change of pixels."""
    return pixels


def noise(sigma: float) -> Change:
    """White noise of a standard deviation, in stored values."""

    def change(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
        return pixels + rng.normal(0, sigma, pixels.shape).astype(np.float32)

    return change


def shuffled(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """The pictures of a series in another order than their positions say."""
    return pixels[rng.permutation(len(pixels))]


def blank(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """Pictures without content."""
    return np.full_like(pixels, np.median(pixels))


def half_blank(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """Every second picture lost: the least value everywhere."""
    pixels[::2] = pixels.min()
    return pixels


def wrong_slope(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """RescaleSlope (0028,1053) of 2 where it was 1."""
    for one in series:
        one.RescaleSlope = 2
    return pixels


def wrong_intercept(shift: int) -> Change:
    """RescaleIntercept (0028,1052) off by so many HU."""

    def change(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
        for one in series:
            one.RescaleIntercept = float(one.RescaleIntercept) + shift
        return pixels

    return change


def tilted(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """The body turned by 45 degrees about the axis from ear to ear; the headers as they were."""
    one = series[0]
    down = float(one.PixelSpacing[0])
    apart = abs(height_mm(series[-1]) - height_mm(one)) / (len(series) - 1)
    spacing = np.array([apart, down, down])
    turn = np.array([[1, -1, 0], [1, 1, 0], [0, 0, np.sqrt(2)]]) / np.sqrt(2)
    matrix = turn * spacing[None] / spacing[:, None]
    center = (np.array(pixels.shape) - 1) / 2
    turned: Float32Array = affine_transform(
        pixels, matrix, center - matrix @ center, order=1, cval=float(pixels.min())
    )
    return turned


def oblique(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """Planes that lean by 45 degrees, by the headers."""
    cosine = float(np.sqrt(0.5))
    apart = abs(height_mm(series[-1]) - height_mm(series[0])) / (len(series) - 1)
    for place, one in enumerate(series):
        one.ImageOrientationPatient = [1, 0, 0, 0, cosine, -cosine]
        one.ImagePositionPatient = [0, place * apart * cosine, place * apart * cosine]
    return pixels


def turned(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """Turned by 90 degrees."""
    return np.rot90(pixels, axes=(1, 2)).copy()


def upside_down(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """Turned by 180 degrees."""
    return pixels[:, ::-1, ::-1].copy()


def inverted(pixels: Float32Array, series: Series, rng: np.random.Generator) -> Float32Array:
    """Black is white, and no header says so."""
    return pixels.max() + pixels.min() - pixels
