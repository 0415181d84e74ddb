"""anatomy/film_lungs.py: the two lungs on a frontal chest film, by their darkness; or none."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.archive.types import Float32Array, Int64Array

SIDE = 128  # pixels: the film is searched at this size
LEAST, MOST = 0.03, 0.27  # of the picture: the area of one lung
TALL = 0.25  # of the picture's rows: a lung's least height
WIDE = 0.1  # of its columns
FULL = 0.6  # of its convex hull: the least that a lung fills
UNEQUAL = 2.5  # one lung's area over the other's, at most
MIDDLES = {1: (0.18, 0.46), 2: (0.54, 0.82)}  # of the picture's columns: where lungs' centers lie
LEVELS = np.linspace(0.2, 0.75, 16)  # quantiles of the gray inside the borders, tried one by one


def find_film_lungs(gray: Float32Array) -> Int64Array | None:
    """Find the lungs on gray (rows, columns): 1 inside the one on the picture's left, 2 inside the
    other, 0 elsewhere, of the same shape. None where no two dark regions side by side look like
    lungs.
    """
    small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 1.5)
    found = [lungs for level in LEVELS if (lungs := _lungs_below(small, level)) is not None]
    if not found:
        return None
    best = max(found, key=lambda lungs: _edge(small, lungs) * np.count_nonzero(lungs) ** 0.5)
    shape = (gray.shape[1], gray.shape[0])
    sides = [
        cv2.resize((best == side).astype(np.float32), shape, interpolation=cv2.INTER_LINEAR) > 0.5
        for side in (1, 2)
    ]
    return np.asarray(sides[0] + 2 * (sides[1] & ~sides[0]), np.int64)


def _lungs_below(gray: Float32Array, quantile: float) -> Int64Array | None:
    """Take the two dark regions, apart from the picture's edge, that lie in its two halves."""
    inside = gray[SIDE // 8 : -SIDE // 8, SIDE // 8 : -SIDE // 8]
    dark = (gray < np.quantile(inside, quantile)).astype(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, parts, stats, centers = cv2.connectedComponentsWithStats(dark, connectivity=4)
    lungs = np.zeros(gray.shape, np.int64)
    for side in (1, 2):
        low, high = MIDDLES[side]
        fit = [
            part
            for part in range(1, count)
            if low < centers[part, 0] / SIDE < high and _is_lung(parts == part, stats[part])
        ]
        if not fit:
            return None
        largest = max(fit, key=lambda part: int(stats[part, cv2.CC_STAT_AREA]))
        lungs[_closed(parts == largest)] = side
    areas = [np.count_nonzero(lungs == side) for side in (1, 2)]
    return lungs if max(areas) < UNEQUAL * min(areas) else None


def _edge(gray: Float32Array, lungs: Int64Array) -> float:
    """Compute the mean slope of the gray (rows, columns) at the lungs' rims, per pixel."""
    inside = (lungs > 0).astype(np.uint8)
    rim = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    slopes = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    return float(slopes[rim].mean()) / 8  # Sobel's weights


def _is_lung(part: np.ndarray, stats: np.ndarray) -> bool:
    left, top, width, height, area = map(int, stats[:5])
    if not LEAST < area / SIDE**2 < MOST or height < TALL * SIDE:
        return False
    if not WIDE * SIDE < width < 0.45 * SIDE:
        return False
    if left <= 1 or left + width >= SIDE - 1 or top <= 1:
        return False
    (contour, *_), _ = cv2.findContours(
        part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    return area > FULL * cv2.contourArea(cv2.convexHull(contour))


def _closed(part: np.ndarray) -> np.ndarray:
    """Fill holes and narrow notches, as ribs and vessels leave them."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    padded = np.pad(part.astype(np.uint8), 13)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disk)[13:-13, 13:-13]
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(cv2.drawContours(closed, contours, -1, 1, cv2.FILLED) > 0)
