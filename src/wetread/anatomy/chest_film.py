"""anatomy/chest_film.py: whether a radiograph is a frontal one of a chest, by header and pixels.

Pixels are judged by the edges in 8 x 8 cells of the picture and by the brightness of these, weighed
by one linear function (chest_film.csv). The weights were learned by logistic regression: 623 public
chest films, shifted, scaled, turned by 6 degrees and mirrored, against other films, CT summed along
the body, slices, drawn limbs, photographs and noise; docs/reading.md has what it gets wrong.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import cv2
import numpy as np

from wetread.archive.types import Float32Array, Float64Array
from wetread.study.header_content import Rows, names_body_part
from wetread.study.slice_sequence import SliceSequence

WEIGHTS = "chest_film.csv"  # the last is the intercept
CELLS, CELL, ANGLES = 8, 8, 8  # a side, pixels a side of one, directions of edges
BLACK, LIT = 0.08, 0.05  # of the range; of a row or column that is not a black border
FLOOR = 0.1  # of the edges in a cell: weaker ones do not count in full
LEAST_SIDE = 64  # pixels: smaller is a thumbnail
CHEST_WORDS = ("CHEST", "THORAX", "LUNG", "RIB", "STERNUM", "CLAVICLE")
LATERAL = ("LL", "RL", "LATERAL", "LAT", "LLAT", "RLAT")
# What the score must reach: where the header names the chest, where it is silent, another part.
NAMED, SILENT, OTHER = -1.0, 1.0, 2.5


def chest_film_absent(rows: Rows, gray: SliceSequence) -> str | None:
    """Say in words what speaks against frontal chest films; None where half of the pictures are.

    rows: of the index; gray: (Z, rows, columns) of them or of some of them, as display_grey gives.
    """
    if rows and all(str(row["ViewPosition"] or "").upper() in LATERAL for row in rows):
        return "no frontal chest film: ViewPosition names a lateral one"
    named = names_body_part(rows, CHEST_WORDS)
    least = SILENT if named is None else NAMED if named else OTHER
    doubts = [why for picture in gray if (why := _no_chest(np.asarray(picture), least))]
    if 2 * len(doubts) <= gray.shape[0] and len(doubts) < gray.shape[0]:
        return None
    part = {None: "", True: "", False: "; BodyPartExamined names another part"}[named]
    return f"no chest film: {doubts[0]}{part}"


def _no_chest(gray: Float32Array, least: float) -> str | None:
    if min(gray.shape) < LEAST_SIDE:
        return f"a picture of {gray.shape[0]} x {gray.shape[1]} pixels"
    if not np.ptp(gray) > 0:
        return "a picture of one value"
    score = chest_score(gray)
    return None if score >= least else f"likeness to one {score:.1f}, at least {least:g} wanted"


def chest_score(gray: Float32Array) -> float:
    """Return the log odds that gray (rows, columns) is a frontal chest film, among the training
    set."""
    weights = _weights()
    return float(film_features(gray) @ weights[:-1] + weights[-1])


@cache
def _weights() -> Float64Array:
    text = resources.files("wetread.anatomy").joinpath(WEIGHTS).read_text(encoding="ascii")
    return np.array(text.split(), np.float64)


def film_features(gray: Float32Array) -> Float64Array:
    """Describe gray (rows, columns) by (CELLS * CELLS * (ANGLES + 1),) float64.

    Of each cell the edges by direction, each about 0 to 1; then the brightness of each cell, -1 to
    1. Gray counts by its rank, black borders do not.
    """
    side = CELLS * CELL
    small = cv2.resize(
        np.asarray(gray, np.float32), (2 * side, 2 * side), interpolation=cv2.INTER_AREA
    )
    small = cv2.resize(_within_border(small), (side, side), interpolation=cv2.INTER_AREA)
    ranks = cv2.GaussianBlur(_ranks(small), (0, 0), 1.0)
    across = cv2.Sobel(ranks, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(ranks, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    angle = (np.arctan2(down, across) / (2 * np.pi) * ANGLES) % ANGLES
    low = np.floor(angle).astype(np.int64)
    share = angle - low
    edges = np.zeros((side, side, ANGLES), np.float32)
    at = np.indices((side, side))
    edges[at[0], at[1], low % ANGLES] += strength * (1 - share)
    edges[at[0], at[1], (low + 1) % ANGLES] += strength * share
    cells = edges.reshape(CELLS, CELL, CELLS, CELL, ANGLES).sum(axis=(1, 3))
    cells /= np.sqrt((cells**2).sum(axis=2, keepdims=True) + (FLOOR * CELL) ** 2)
    bright = ranks.reshape(CELLS, CELL, CELLS, CELL).mean(axis=(1, 3)) - 0.5
    return np.concatenate([cells.ravel(), 2 * bright.ravel()]).astype(np.float64)


def _within_border(small: Float32Array) -> Float32Array:
    """Return the picture without the black rows and columns about it."""
    low, high = np.percentile(small, [1, 99])
    lit = small > low + BLACK * (high - low)
    rows = np.flatnonzero(lit.mean(axis=1) > LIT)
    columns = np.flatnonzero(lit.mean(axis=0) > LIT)
    if len(rows) < CELL or len(columns) < CELL:
        return small
    return small[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _ranks(small: Float32Array) -> Float32Array:
    """Return each pixel's share of darker ones, 0 to 1; equal pixels have equal ranks."""
    _, place, count = np.unique(small, return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - count / 2) / small.size
    return np.asarray(middle[place].reshape(small.shape), np.float32)
