"""survey/orientation.py: the eight ways a square picture can lie, and products under all of them.

A picture splits into four parts that are even or odd from left to right and from top to bottom.
Products of pictures under all flips are sums and differences of products of parts, so that four
flips cost one.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wetread.archive.types import Float32Array

Picture = TypeVar("Picture", bound=NDArray[Any])

# By number: whether the picture is transposed first, then flipped left to right, upside down.
_TURNS = [
    (transposed, left_right, upside_down)
    for transposed in (False, True)
    for upside_down in (False, True)
    for left_right in (False, True)
]
# How a picture lies which, turned by that number, lies as the first one does.
NAMES = (
    "",
    "flipped left to right",
    "flipped top to bottom",
    "rotated by 180 degrees",
    "transposed",
    "rotated by 90 degrees counterclockwise",
    "rotated by 90 degrees clockwise",
    "transposed and rotated by 180 degrees",
)
TRANSPOSED = 4  # from this number on rows and columns are exchanged


def turn(picture: Picture, number: int) -> Picture:
    """Turn a picture (rows, columns) by one of the eight numbers."""
    transposed, left_right, upside_down = _TURNS[number]
    turned: Any = picture.T if transposed else picture
    turned = turned[:, ::-1] if left_right else turned
    result: Picture = turned[::-1] if upside_down else turned
    return result


def even_and_odd(pictures: Float32Array) -> Float32Array:
    """Split square pictures (N, S, S), S even, into parts (4, N, S * S / 4), energy kept."""
    half = pictures.shape[-1] // 2
    top, bottom = pictures[:, :half], pictures[:, ::-1][:, :half]
    parts: list[Float32Array] = []
    for rows in (top + bottom, top - bottom):
        left, right = rows[:, :, :half], rows[:, :, ::-1][:, :, :half]
        parts += [left + right, left - right]
    split: Float32Array = np.stack(parts).reshape(4, len(pictures), -1) / np.float32(2)
    return split


def flipped_products(first: Float32Array, second: Float32Array) -> Float32Array:
    """Multiply all pairs under four flips: parts (4, N, P), parts (4, M, P) -> (4, N, M).

    The number of a flip is that of `turn`; of transposed pictures 4 more.
    """
    products: Float32Array = np.matmul(first, second.transpose(0, 2, 1))
    sums, rests = products[::2] + products[1::2], products[::2] - products[1::2]
    flips = (sums[0] + sums[1], rests[0] + rests[1], sums[0] - sums[1], rests[0] - rests[1])
    return np.stack(flips)
