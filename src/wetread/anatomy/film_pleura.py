"""anatomy/film_pleura.py: where both pleural spaces lie on a frontal chest film.

A small U-Net of 64 x 64 ranks of gray (film_pleura.npz), run in numpy. It learned from phantoms
alone, which know their pleural spaces; no real film is in its weights. docs/experiments/films.md
has how much of real pneumothoraces its region holds.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, Int64Array
from wetread.study.boxes import PixelBox
from wetread.study.slice_sequence import SliceSequence

WEIGHTS = "film_pleura.npz"  # down0.weight (O, C, 3, 3) float16, down0.bias (O,), ...; head
SIDE = 64  # rows and columns that the network is given
LEVELS = 1000  # of gray, over the picture's range: nearer ones share a rank
THRESHOLD = 0.5
SMALLEST = 0.01  # of the picture: a part that is smaller is no lung
WIDEN = 3 / 128  # of the picture: the region reaches so far beyond what was found
LEAST_SHARE = 0.08  # of the picture: two lungs that take less were not found
LEAST_SPACE, MOST_SPACE = 0.04, 0.3  # of the picture: the area of one side's space
MARGIN = 0.06  # of the region's height and width, about it in its box


def find_pleural_region(gray: Float32Array) -> BoolArray:
    """Find the region of both lungs in gray (rows, columns): the convex hulls of the two.

    Returns (rows, columns) bool; everywhere True where no lungs were found.
    """
    return _enlarge(_hulls(pleural_map(gray)), gray.shape)


def find_pleural_box(values: SliceSequence) -> PixelBox:
    """Find the box of the lungs in values (Z, rows, columns), films of one shape, with a margin.

    Of several films the box that holds the lungs of all; it reaches outside the picture nowhere.
    """
    rows, columns = values.shape[1:]
    regions = [find_pleural_region(np.asarray(gray, np.float32)) for gray in values]
    region = np.logical_or.reduce(regions)
    found = [np.flatnonzero(region.any(axis=1 - axis)) for axis in (0, 1)]
    cut = []
    for places, length in zip(found, (rows, columns), strict=True):
        margin = round(MARGIN * (places[-1] + 1 - places[0]))
        cut += [max(int(places[0]) - margin, 0), min(int(places[-1]) + 1 + margin, length)]
    return PixelBox(*cut)


def find_pleural_sides(gray: Float32Array) -> Int64Array | None:
    """Find each pleural space in gray (rows, columns): 1 in the one on the picture's left, 2 in the
    other, 0 elsewhere, (rows, columns). None where there are not two, side by side."""
    probability = pleural_map(gray)
    inside = (probability > THRESHOLD).astype(np.uint8)
    count, parts, sizes, centers = cv2.connectedComponentsWithStats(inside)
    sides = np.zeros(gray.shape, np.int64)
    for side in (1, 2):
        half = [part for part in range(1, count) if (centers[part, 0] > SIDE / 2) == (side == 2)]
        if not half:
            return None
        largest = max(half, key=lambda part: int(sizes[part, cv2.CC_STAT_AREA]))
        if not LEAST_SPACE < sizes[largest, cv2.CC_STAT_AREA] / inside.size < MOST_SPACE:
            return None
        shape = (gray.shape[1], gray.shape[0])
        part = (parts == largest).astype(np.float32)
        large = cv2.resize(part, shape, interpolation=cv2.INTER_LINEAR) > THRESHOLD
        sides[large & (sides == 0)] = side
    return sides


def pleural_map(gray: Float32Array) -> Float32Array:
    """Compute how probably each part of gray (rows, columns) is lung: (SIDE, SIDE) in [0, 1]."""
    weights = _weights()
    depth = sum(name.startswith("down") for name in weights) // 2
    x, kept = _ranks(gray)[None], []
    for level in range(depth):
        if level:
            x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).max(axis=(2, 4))
        x = np.maximum(_convolve(x, weights, f"down{level}"), 0)
        kept.append(x)
    x = kept.pop()
    for level in range(depth - 1):
        x = np.concatenate([x.repeat(2, axis=1).repeat(2, axis=2), kept.pop()])
        x = np.maximum(_convolve(x, weights, f"up{level}"), 0)
    logits = np.tensordot(weights["head.weight"][:, :, 0, 0], x, 1)[0] + weights["head.bias"]
    probability: Float32Array = 1 / (1 + np.exp(-logits))
    return probability


@cache
def _weights() -> dict[str, Float32Array]:
    with (
        resources.as_file(resources.files("wetread.anatomy").joinpath(WEIGHTS)) as path,
        np.load(path) as file,
    ):
        return {name: file[name].astype(np.float32) for name in file.files}


def _convolve(x: Float32Array, weights: dict[str, Float32Array], name: str) -> Float32Array:
    """Convolve x (C, H, W) by (O, C, 3, 3), zeros about it, and add the bias: (O, H, W)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    found = np.tensordot(weights[f"{name}.weight"], windows, ((1, 2, 3), (0, 3, 4)))
    return np.asarray(found + weights[f"{name}.bias"][:, None, None], np.float32)


def _ranks(gray: Float32Array) -> Float32Array:
    """Shrink gray (rows, columns) and rank it: (SIDE, SIDE) from -1, darkest, to 1."""
    small = cv2.resize(np.asarray(gray, np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low, high = float(small.min()), float(small.max())
    levels = np.rint((small - low) * (LEVELS / max(high - low, 1e-6)))
    _, place, count = np.unique(levels, return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / small.size
    return np.asarray(2 * middle[place].reshape(small.shape) - 1, np.float32)


def _hulls(probability: Float32Array) -> BoolArray:
    """Fill the convex hulls of the two largest parts of a map (SIDE, SIDE); all where there are
    too small ones only."""
    inside = (probability > THRESHOLD).astype(np.uint8)
    count, parts, sizes, _ = cv2.connectedComponentsWithStats(inside)
    order = sorted(range(1, count), key=lambda part: -int(sizes[part, cv2.CC_STAT_AREA]))
    region = np.zeros(probability.shape, np.uint8)
    for part in order[:2]:
        if sizes[part, cv2.CC_STAT_AREA] >= SMALLEST * region.size:
            points = np.argwhere(parts == part)[:, ::-1].astype(np.int32)
            cv2.fillConvexPoly(region, cv2.convexHull(points), 1)
    if region.mean() < LEAST_SHARE:
        return np.ones(region.shape, np.bool_)
    return region > 0


def _enlarge(region: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    """Enlarge a region to (rows, columns), smooth at its border, and widen it."""
    large = cv2.resize(
        region.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR
    )
    reach = [2 * round(WIDEN * length) + 1 for length in shape[:2]]
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach[1], reach[0]))
    wide: BoolArray = cv2.dilate((large > THRESHOLD).astype(np.uint8), kernel) > 0
    return wide
