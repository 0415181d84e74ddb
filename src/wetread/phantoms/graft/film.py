"""phantoms/graft/film.py: a pneumothorax painted into a real film without one.

A lung that has fallen is the lung found on the film, shrunk towards its hilum; between it and the
chest wall the markings of vessels are taken out, ribs stay, and a thin visceral pleural line lies
on the fallen lung.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from wetread.anatomy.film_pleura import find_pleural_sides
from wetread.archive.types import BoolArray, Float32Array
from wetread.study.display import WHITE
from wetread.training.slices.grafts import Grafted

WALL = 0.008  # of the picture: how far the pleura may lie outside the space that was found
BARE = 0.55  # between the space's lung and what is brightest there, diaphragm or heart
VESSEL = 0.014  # of the picture: markings of about this width are taken out,
FAINT = 0.025  # of WHITE: and of about this contrast; ribs have more
LEAST_AREA = 0.002  # of the picture: a smaller one is none that a reader draws
BLEND = 0.004  # of the picture: width of the transition at the chest wall


@dataclass(frozen=True)
class FilmPneumothorax:
    """Shape and gray of a pneumothorax that is painted into a film.

    side:       1, the lung on the picture's left, or 2.
    width, height: what is left of the lung's, as shares.
    anchor:     share of the lung's height from its apex at which the hilum lies.
    wave:       (3,) amplitudes of the pleural line's waves, as shares of the lung's width.
    phase:      (3,) of them, radians.
    darker:     share of the gray that lung tissue had and air has not.
    line:       of the pleural line, as a share of WHITE; line_width: share of the picture.
    """

    side: int
    width: float
    height: float
    anchor: float
    wave: tuple[float, float, float]
    phase: tuple[float, float, float]
    darker: float
    line: float
    line_width: float


def draw_film_pneumothorax(rng: np.random.Generator) -> FilmPneumothorax:
    """Draw one: from an apical cap to a lung fallen by half; apical and lateral ones most often."""
    side = int(rng.integers(1, 3))
    kind = rng.choice(["apical", "lateral", "large"], p=[0.52, 0.36, 0.12])
    width, height = {
        "apical": (rng.uniform(0.94, 0.99), rng.uniform(0.84, 0.97)),
        "lateral": (rng.uniform(0.84, 0.96), rng.uniform(0.93, 0.99)),
        "large": (rng.uniform(0.50, 0.84), rng.uniform(0.65, 0.92)),
    }[str(kind)]
    return FilmPneumothorax(
        side=side,
        width=float(width),
        height=float(height),
        anchor=float(rng.uniform(0.6, 0.95)),
        wave=tuple((rng.normal(0, 1, 3) * (0.02, 0.012, 0.007)).tolist()),
        phase=tuple(rng.uniform(0, 2 * np.pi, 3).tolist()),
        darker=float(rng.uniform(0.03, 0.22)),
        line=float(rng.uniform(0.015, 0.07)),
        line_width=float(rng.uniform(0.0025, 0.0045)),
    )


def paint_film_pneumothorax(
    values: Float32Array,
    about: Mapping[str, object],
    rng: np.random.Generator,
    *,
    finding: str,
) -> Grafted | None:
    """Paint a pneumothorax into values (1, rows, columns), gray from 0 to WHITE; a PaintGraft of
    training/slices/grafts.py. finding: its name. None where no lungs are found, or what was drawn
    leaves no air."""
    sides = find_pleural_sides(values[0])
    if sides is None:
        return None
    drawn = draw_film_pneumothorax(rng)
    space = _pleural_space(sides == drawn.side)
    if space[[0, -1]].any() or space[:, [0, -1]].any():
        return None  # no chest ends at the picture's edge: it was found too large
    distance = _distance_from_lung(space, drawn)
    air = _largest_part(space & (distance > 0) & _is_bare(values[0], space))
    if air.mean() < LEAST_AREA:
        return None
    painted = _paint(values[0], space, air, distance, drawn=drawn, rng=rng)
    return Grafted(painted[None], (finding,), air[None].astype(np.float32))


def _pleural_space(lung: BoolArray) -> BoolArray:
    """Widen a pleural space (rows, columns), found coarsely, to the chest wall, and smooth it."""
    rows = lung.shape[0]
    reach = max(1, round(WALL * rows))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    wide = cv2.dilate(lung.astype(np.float32), disk)
    smooth: BoolArray = cv2.GaussianBlur(wide, (0, 0), 0.015 * rows) > 0.5
    return smooth


def _is_bare(gray: Float32Array, space: BoolArray) -> BoolArray:
    """Find where neither diaphragm nor heart lies over the space, (rows, columns): a reader draws
    no air there."""
    smooth = cv2.GaussianBlur(gray, (0, 0), 0.02 * gray.shape[0])
    lung, brightest = np.quantile(smooth[space], (0.3, 0.97))
    bare: BoolArray = smooth < lung + BARE * (brightest - lung)
    return bare


def _distance_from_lung(space: BoolArray, drawn: FilmPneumothorax) -> Float32Array:
    """Compute how far pixels (rows, columns) lie outside the fallen lung, pixels, < 0 inside it."""
    at_rows, at_columns = np.nonzero(space)
    top, bottom = int(at_rows.min()), int(at_rows.max())
    left, right = int(at_columns.min()), int(at_columns.max())
    medial = right if drawn.side == 1 else left  # the hilum is on the other lung's side
    hilum = top + drawn.anchor * (bottom - top)
    rows, columns = np.indices(space.shape, np.float32)
    down = (rows - top) / max(bottom - top, 1)
    wave = sum(
        amplitude * np.sin((number + 1) * np.pi * down + phase)
        for number, (amplitude, phase) in enumerate(zip(drawn.wave, drawn.phase, strict=True))
    )
    # Where a pixel of the fallen lung was in the whole one; below the hilum it keeps its height.
    width = np.clip(drawn.width + np.asarray(wave, np.float32), 0.3, 1.0)
    from_rows = np.where(rows < hilum, hilum + (rows - hilum) / drawn.height, rows)
    from_columns = medial + (columns - medial) / width
    signed = cv2.distanceTransform((~space).astype(np.uint8), cv2.DIST_L2, 5) - (
        cv2.distanceTransform(space.astype(np.uint8), cv2.DIST_L2, 5)
    )
    distance: Float32Array = cv2.remap(
        signed.astype(np.float32),
        from_columns.astype(np.float32),
        from_rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return distance


def _largest_part(air: BoolArray) -> BoolArray:
    """Keep the largest connected part of (rows, columns), without threads of a pixel."""
    opened = cv2.morphologyEx(air.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=8)
    if count == 1:
        return np.zeros(air.shape, bool)
    largest: BoolArray = parts == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return largest


def _paint(
    gray: Float32Array,
    space: BoolArray,
    air: BoolArray,
    distance: Float32Array,
    *,
    drawn: FilmPneumothorax,
    rng: np.random.Generator,
) -> Float32Array:
    """Take the markings out of the air (rows, columns), darken it, and draw the pleural line."""
    rows = gray.shape[0]
    bare = _without_markings(gray, rng)
    edge = cv2.GaussianBlur(air.astype(np.float32), (0, 0), max(BLEND * rows, 0.6))
    edge = np.where(space, edge, np.minimum(edge, 0.5) * 0.6)
    painted = gray + edge * (bare * (1 - drawn.darker) - gray)
    # The fallen lung is denser near its edge: the same blood in less room.
    depth = np.clip(-distance / (0.12 * rows), 0, 1)
    near = cv2.GaussianBlur(air.astype(np.float32), (0, 0), 0.04 * rows) * space * (distance <= 0)
    painted = painted + near * (1 - depth) * 0.5 * drawn.darker * painted
    width = max(drawn.line_width * rows, 0.7)
    near_air = cv2.GaussianBlur(air.astype(np.float32), (0, 0), 1.5 * width) > 0.05
    strength = 0.75 + 0.25 * cv2.GaussianBlur(
        rng.normal(0, 1, gray.shape).astype(np.float32), (0, 0), 0.03 * rows
    ) * (0.03 * rows * 3.5)
    line = np.exp(-0.5 * np.square(distance / width)) * np.clip(strength, 0.1, 1.2)
    painted = painted + np.where(near_air & space, line * drawn.line * WHITE, 0)
    return np.asarray(np.clip(painted, 0, WHITE), np.float32)


def _without_markings(gray: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Smooth what is thin and faint in (rows, columns), as vessels are; ribs and clavicles have
    stronger edges and keep them. The film's own noise is given back."""
    smooth = gray
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, -1, FAINT * WHITE, VESSEL * gray.shape[0])
    fine = gray - cv2.medianBlur(gray, 3)
    spread = 1.4826 * float(np.median(np.abs(fine - np.median(fine))))
    noise = rng.normal(0, 1, gray.shape).astype(np.float32)
    return np.asarray(smooth + max(spread, 1.0) * noise, np.float32)
