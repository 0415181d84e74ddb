"""tasks/embolism/measures.py: numbers that are reported of an angiogram, measured in drawn masks:
clot in ml, and how wide the right ventricle is beside the left one."""

from __future__ import annotations

import numpy as np
import polars as pl

from wetread.anatomy.mask import volume_ml
from wetread.archive.types import Float64Array
from wetread.training.measures import DrawnStack

LEAST_ML = 20.0  # of a ventricle: less is no whole one, or none at all
LEAST_MM2 = 150.0  # of a ventricle in a slice in which it is measured
STRIP_MM = 3.0  # across the direction of a width: a strip is as long as the ventricle is wide there


def clot_volume_ml(drawn: DrawnStack) -> float:
    """Measure the clot, ml; drawn: one finding. Every slice stands for the mm half way to its
    neighbors; NaN without a place."""
    (clots,) = drawn.masks
    return volume_ml([int(np.count_nonzero(mask)) for mask in clots], drawn.place)


def ventricle_ratio(drawn: DrawnStack) -> float:
    """Measure the width of the right over that of the left ventricle, each where it is widest on an
    axial slice, at right angles to the septum (Reid 1998); drawn: right and left.

    The septum stands at right angles to the line between both middles. NaN where no slice holds
    both, where less than LEAST_ML of one is drawn, or without a place.
    """
    (right, left), place = drawn.masks, drawn.place
    widest = np.zeros(2)
    pixels: list[list[int]] = [[], []]
    spacing = np.array(place.spacing_mm)
    for pair in zip(right, left, strict=True):
        for counts, mask in zip(pixels, pair, strict=True):
            counts.append(int(np.count_nonzero(mask)))
        points = [np.argwhere(mask) * spacing for mask in pair]  # (n, 2) mm
        if min(map(len, points)) * float(np.prod(spacing)) < LEAST_MM2:
            continue
        across = points[0].mean(axis=0) - points[1].mean(axis=0)
        length = float(np.linalg.norm(across))
        if not length > 0:
            continue
        widest = np.maximum(widest, [_width_mm(one, across / length, spacing) for one in points])
    least_ml = min(volume_ml(counts, place) for counts in pixels)
    if not (widest.min() > 0 and least_ml >= LEAST_ML):
        return float("nan")
    return float(widest[0] / widest[1])


def _width_mm(points: Float64Array, across: Float64Array, spacing: Float64Array) -> float:
    """Measure the greatest extent of pixels, points (n, 2) mm, along the unit vector across (2,):
    the area of each strip over its breadth."""
    along = points @ np.array([-across[1], across[0]])
    strips = np.bincount(((along - along.min()) / STRIP_MM).astype(np.int64))
    return float(strips.max() * np.prod(spacing) / STRIP_MM)


def phantom_clot_ml(truth: pl.DataFrame) -> float:
    """Compute the clot that was painted, ml, of the rows of one phantom in its truth.csv."""
    rows = truth.sort("position_mm")
    position, area = rows["position_mm"].to_numpy(), rows["clot_mm2"].to_numpy()
    apart = np.diff(position)
    slabs = (np.append(apart[:1], apart) + np.append(apart, apart[-1:])) / 2
    return float((area * slabs).sum() / 1000.0)


def phantom_ratio(truth: pl.DataFrame) -> float:
    """Read the ratio of the ventricles that was painted, of the rows of one phantom."""
    return float(truth["rv_lv"][0])
