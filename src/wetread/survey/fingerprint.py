"""survey/fingerprint.py: an image becomes its fingerprint: fine structure at two small sizes.

What a copy shares with its original, also flipped, windowed, inverted, re-encoded or resized, and a
neighboring slice or another film does not, is noise, texture and the exact place of edges. So a
fingerprint holds residuals of a high-pass filter, each divided by the local deviation: no monotone
mapping of gray levels changes them much. What a window has saturated is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.archive.types import BoolArray, Float32Array, Float64Array

Int8Array = NDArray[np.int8]
UInt16Array = NDArray[np.uint16]

# Sizes and filters were chosen on real head, chest and film images and on phantoms: of 64 pixels
# and of 128 with these widths, pairs of different studies and of a copy are furthest apart.
COARSE, FINE = 64, 128  # pixels a side
_COARSE_SIGMA, _FINE_SIGMA = 1.0, 1.5  # pixels of the small image
_DEVIATION_SIGMAS = 2.0  # width of the local deviation, in widths of the filter: 3 found less
_SATURATED = 0.02  # of the range of values: JPEG of quality 75 rings so far beside a clipped area
_SATURATED_AREA = 0.1  # of a small pixel; 0.25 and 0.5 let edges of a window in: 0.05 and 0.12 less
# Edges of clipped areas, 3 pixels wide at least, are the window's, or the circle's around a field
# of view, and not the image's. Without them the worst hundredth of copies of head slices rose from
# 0.20 to 0.73, and the likest slices of two studies fell from 0.47 to 0.43.
_NEAR = np.ones((3, 3), np.uint8)
_LEAST_DEVIATION = 1e-4  # of the range: below every noise, above the rounding of float32
_CLASSES = 32  # of gray levels, 32 pixels each
_LARGEST, STEPS = 4.0, 31.0  # residuals beyond 4 local deviations are cut; steps of a deviation
MASKED = -128
# Smaller pictures have exact copies alone: enlarged to FINE they hold shapes and no noise. Of 454
# head phantoms of 64 pixels 18 pairs were alike, of 214 of 96 and of 128 pixels none.
LEAST_SIDE = 96
GRAY = 32  # pixels a side
_WHITE = 65535  # 8 bits would leave 5 levels to a brain window in Hounsfield units


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """Fine structure and gray levels of an image, 22 kB.

    digest: BLAKE2b of shape and values; None where all values are one.
    coarse: (COARSE, COARSE) int8 residuals, STEPS a local deviation; MASKED where saturated.
    fine:   (FINE, FINE) int8, likewise.
    gray:   (GRAY, GRAY) uint16, the values from least to greatest, averaged.
    """

    digest: bytes | None
    coarse: Int8Array
    fine: Int8Array
    gray: UInt16Array


def fingerprint(values: Float32Array) -> Fingerprint:
    """Make the fingerprint of values (rows, columns), whatever their unit."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return _without_structure(None)
    if min(values.shape) < LEAST_SIDE:
        return _without_structure(digest(values))
    gray: Float32Array = (values - np.float32(low)) / np.float32(high - low)
    saturated = ((gray <= _SATURATED) | (gray >= 1 - _SATURATED)).astype(np.float32)
    return Fingerprint(
        digest=digest(values),
        coarse=_residual(gray, saturated, COARSE, _COARSE_SIGMA),
        fine=_without_rims(_residual(gray, saturated, FINE, _FINE_SIGMA)),
        gray=np.rint(_resize(gray, GRAY) * _WHITE).astype(np.uint16),
    )


def _without_structure(digest: bytes | None) -> Fingerprint:
    """Make the fingerprint of an image that is like no other, but for an exact copy."""
    dark = np.zeros((GRAY, GRAY), np.uint16)
    return Fingerprint(digest, _masked(COARSE), _masked(FINE), dark)


def digest(values: Float32Array) -> bytes:
    """Digest shape and values (rows, columns): equal for equal pixels, whatever their encoding."""
    shown = np.ascontiguousarray(values, np.dtype("<f4")) + np.float32(0)  # -0 becomes 0
    return blake2b(repr(shown.shape).encode() + shown.tobytes(), digest_size=16).digest()


def split_mask(residuals: Int8Array) -> tuple[Float32Array, BoolArray]:
    """Split int8 residuals of any shape into deviations, 0 where masked, and where they are not."""
    known: BoolArray = residuals != MASKED
    deviations: Float32Array = np.where(known, residuals, 0).astype(np.float32)
    deviations /= np.float32(STEPS)
    return deviations, known


def correlate(first: Int8Array, second: Int8Array) -> tuple[float, float]:
    """Correlate two residuals of one shape where neither is masked: (correlation, common area).

    The area is a share of the image; the correlation of images without a common area is 0.
    """
    known = (first != MASKED) & (second != MASKED)
    area = float(known.mean())
    one, other = first[known].astype(np.float32), second[known].astype(np.float32)
    energy = float(one @ one) * float(other @ other)
    return (float(one @ other) / energy**0.5 if energy > 0 else 0.0), area


def explained_gray(first: UInt16Array, second: UInt16Array) -> float:
    """Say what share of one gray picture's variance the other one's levels explain, 0 to 1.

    Near 1 where one is a mapping of the other's values, as a window is; the greatest of three ways.
    """
    one, other = first.ravel().astype(np.float64), second.ravel().astype(np.float64)
    straight = 0.0  # where most levels are one, classes cut it at random, and a line does not
    if one.std() > 0 and other.std() > 0:
        straight = float(np.corrcoef(one, other)[0, 1]) ** 2
    return max(straight, _explained(one, other), _explained(other, one))


def _explained(levels: Float64Array, gray: Float64Array) -> float:
    """Explain gray (N,) by its mean in 32 equally large classes of levels (N,)."""
    ranked = gray[np.argsort(levels, kind="stable")].reshape(_CLASSES, -1)
    whole = float(ranked.var())
    return 1 - float(ranked.var(axis=1).mean()) / whole if whole > 0 else 0.0


def _residual(gray: Float32Array, saturated: Float32Array, side: int, sigma: float) -> Int8Array:
    """Filter gray (rows, columns), 0 to 1: (side, side) int8."""
    small = _resize(gray, side)
    rest = small - cv2.GaussianBlur(small, (0, 0), sigma)
    deviation = np.sqrt(cv2.GaussianBlur(rest * rest, (0, 0), _DEVIATION_SIGMAS * sigma))
    scaled = np.clip(rest / (deviation + _LEAST_DEVIATION), -_LARGEST, _LARGEST)
    found: Int8Array = np.rint(scaled * STEPS).astype(np.int8)
    found[_resize(saturated, side) > _SATURATED_AREA] = MASKED
    return found


def _without_rims(residuals: Int8Array) -> Int8Array:
    """Mask what borders on clipped areas; at the small size that would leave too little."""
    clipped = cv2.morphologyEx((residuals == MASKED).astype(np.uint8), cv2.MORPH_OPEN, _NEAR)
    return np.where(cv2.dilate(clipped, _NEAR) > 0, np.int8(MASKED), residuals)


def _resize(picture: Float32Array, side: int) -> Float32Array:
    """Resize (rows, columns) to (side, side): a copy of other size shows the same there."""
    shrinks = min(picture.shape) >= side
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: Float32Array = cv2.resize(picture, (side, side), interpolation=way)
    return resized


def _masked(side: int) -> Int8Array:
    return np.full((side, side), MASKED, np.int8)
