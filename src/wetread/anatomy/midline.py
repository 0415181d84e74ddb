"""anatomy/midline.py: midline shift of a head CT: how far the septum lies off the line between the
falx's attachments.

The ideal line runs through the falx in front and behind, looked for within a few mm of the plane
in which the skull is its own mirror image. The displaced midline is the path from one to the other
that passes halfway between the two lateral ventricles' inner walls and through the third ventricle.
Nothing of it is learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wetread.anatomy.mirror_plane import StraightHead, lay_out_head
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.study.volume import Volume

FLUID_HU = (6.0, 18.0)  # below brain: from here on fluid begins, and from here on it is all
DEEP_MM = 6.0  # fluid nearer to the skull lies in sulci
GAP_MM = 10  # half of it at most between the ventricles' inner walls
ALONE_MM = (6, 15)  # to both sides of the third ventricle there is no fluid
LEVELS_MM = (35.0, 100.0)  # below the brain's vertex: where the septum may lie
LEVEL_MM, LEVEL_SD_MM = 60.0, 20.0  # and where it is to be expected
SLAB_MM = 12.0  # of levels that are looked at together; the third ventricle lies below
SEPTUM = (0.34, 0.49)  # of the way from front to back: where the shift is read
VENTRICLES = (0.31, 0.57)  # where the midline runs between ventricles; elsewhere along the falx
FALX = ((0.04, 0.22), (0.78, 0.96))  # parts of the way where it is held
FALX_MM = 5.0  # from the plane, at most
FALX_HU = 8.0  # of contrast that counts in full
TIED = 0.06  # how strongly the falx is expected at the plane
STEP_COST = 0.15  # of a mm to the side
LONG_MM = 80  # a brain shorter than that is no section through the ventricles
LEAST_EVIDENCE = 0.15  # of walls on both sides, 0 to 1

_TOO_LITTLE = "the inner walls of both lateral ventricles are not seen at the septum"


@dataclass(frozen=True, eq=False)
class Midline:
    """The midline of a head CT, as it is and as it would be.

    shift_mm:  of the septum, to the patient's left positive; NaN where it was not found.
    slice:     number of the slice with the middle of the septum; -1 where it was not found.
    level_mm:  its position along the normal, as of the volume.
    evidence:  how well both ventricles' walls were seen beside it, 0 to 1.
    displaced: (N, 3) LPS mm, the path from front to back; empty where it was not found.
    ideal:     (2, 3) LPS mm, the ends of the straight line.
    septum:    (2, 3) LPS mm, the two points between which the shift was read.
    reason:    why it was not found, in words; empty where it was.
    """

    shift_mm: float
    slice: int
    level_mm: float
    evidence: float
    displaced: Float64Array
    ideal: Float64Array
    septum: Float64Array
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether there is a shift."""
        return not self.reason


def find_midline(volume: Volume) -> Midline:
    """Find the midline of a head CT and measure its shift at the septum.

    Where it cannot be measured shift_mm is NaN, and the reason says why; nothing is raised.
    """
    try:
        head = lay_out_head(volume)
    except RejectError as error:
        return _not_found(error.detail)
    return measure_midline(head, volume)


def _not_found(reason: str, evidence: float = 0.0) -> Midline:
    nowhere = np.zeros((0, 3))
    return Midline(np.nan, -1, np.nan, evidence, nowhere, nowhere, nowhere, reason)


@dataclass(frozen=True, eq=False)
class _Signs:
    """Signs of the midline in a straight head, (U, B, L) float32 each, 0 to about 1.

    halfway: between two walls behind which is fluid; third: narrow fluid, alone; falx: a thin line,
    brighter or darker than what lies beside it.
    """

    halfway: Float32Array
    third: Float32Array
    falx: Float32Array


def _find_signs(head: StraightHead) -> _Signs:
    brain = head.hu[(head.inside_mm > 10) & (head.hu > 15) & (head.hu < 50)]
    typical = float(np.median(brain)) if len(brain) else np.nan
    smooth = ndimage.gaussian_filter(head.hu, (0.6, 2.0, 0.8))
    begins, all_of_it = FLUID_HU
    fluid = np.clip((typical - begins - smooth) / (all_of_it - begins), 0, 1)
    fluid = (fluid * (head.inside_mm > DEEP_MM)).astype(np.float32)
    slope = ndimage.gaussian_filter1d(np.gradient(fluid, axis=2), 0.5, axis=2)
    to_left, to_right = np.maximum(slope, 0), np.maximum(-slope, 0)
    halfway = np.zeros_like(fluid)
    for away in range(1, GAP_MM + 1):
        halfway += np.sqrt(np.roll(to_left, -away, 2) * np.roll(to_right, away, 2))
    beside = np.zeros_like(fluid)
    for away in range(*ALONE_MM):
        beside = np.maximum(beside, np.roll(fluid, away, 2))
        beside = np.maximum(beside, np.roll(fluid, -away, 2))
    third = ndimage.uniform_filter1d(fluid, 3, axis=2) * (1 - beside)
    line = ndimage.gaussian_filter(np.clip(head.hu, 0, 80), (1.2, 2.5, 0.7))
    around = [ndimage.uniform_filter1d(np.roll(line, off, 2), 5, axis=2) for off in (-5, 5)]
    falx = np.clip(np.abs(line - 0.5 * (around[0] + around[1])) / FALX_HU, 0, 1)
    falx *= ndimage.minimum_filter1d(head.inside_mm, 9, axis=2) > 2
    return _Signs(halfway, third, falx)


def measure_midline(head: StraightHead, volume: Volume) -> Midline:
    """Measure the shift in a head that is laid out; volume: it came from, for the slice."""
    signs = _find_signs(head)
    level, front, behind, evidence = _find_level(head, signs.halfway)
    if level < 0:
        return _not_found("the slices show no level of the lateral ventricles")
    if evidence < LEAST_EVIDENCE:
        return _not_found(_TOO_LITTLE, evidence)
    along = (np.arange(len(head.back_mm)) - front) / (behind - front)
    half = round(SLAB_MM / 2 / (head.up_mm[1] - head.up_mm[0]))
    slab = slice(max(level - half, 0), level + half + 1)
    below = slice(max(level - 2 * half, 0), level + 1)
    falx = signs.falx[slab].mean(axis=0)
    ends = [_hold_falx(falx, along, head.left_mm, part) for part in FALX]
    held = np.interp(along, np.ravel(FALX), np.ravel(ends))
    central = signs.halfway[slab].mean(axis=0) + 0.6 * signs.third[below].mean(axis=0)
    off = np.maximum(np.abs(along - np.mean(VENTRICLES)) - np.ptp(VENTRICLES) / 2, 0)
    share = np.exp(-0.5 * (off / 0.04) ** 2)[:, None]
    score = share * central + (1 - share) * 0.25 * falx
    rows = np.flatnonzero((along > 0.02) & (along < 0.98))
    path = _best_path(score, rows, along, held, head.left_mm)
    read = np.flatnonzero((along[rows] > SEPTUM[0]) & (along[rows] < SEPTUM[1]))
    weight = _at(score[rows[read]], path[read], head.left_mm)
    seen = float(min(weight.mean(), evidence))
    if seen < LEAST_EVIDENCE:
        return _not_found(_TOO_LITTLE, seen)
    attached = (ends[0][0], ends[1][1])
    straight = np.interp(along[rows], (FALX[0][0], FALX[1][1]), attached)
    shift = float(np.average((path - straight)[read], weights=weight + 1e-3))
    return _placed(head, volume, level, rows, path, straight, read, shift, seen)


def _find_level(head: StraightHead, halfway: Float32Array) -> tuple[int, int, int, float]:
    """Find the level of the septum, the rows where the brain begins and ends there, and how well
    the ventricles' walls are seen; level -1 where there is none."""
    below = head.plane.vertex_mm - head.up_mm
    possible = (below >= LEVELS_MM[0]) & (below <= LEVELS_MM[1])
    expected = np.exp(-0.5 * ((below - LEVEL_MM) / LEVEL_SD_MM) ** 2)
    middle = int(np.flatnonzero(head.left_mm == 0)[0])
    inner = np.abs(head.left_mm) <= 20
    seen = np.zeros(len(head.up_mm))
    ends: dict[int, tuple[int, int]] = {}
    for level in map(int, np.flatnonzero(possible)):
        brain = (head.inside_mm[level, :, middle - 3 : middle + 4] > 0).all(axis=1)
        rows = np.flatnonzero(brain)
        if len(rows) < LONG_MM:
            continue
        ends[level] = int(rows[0]), int(rows[-1])
        first, last = (int(rows[0] + part * (rows[-1] - rows[0])) for part in (0.30, 0.52))
        seen[level] = expected[level] * halfway[level, first:last][:, inner].max(axis=1).mean()
    if not ends:
        return -1, 0, 0, 0.0
    width = 2 * round(SLAB_MM / 4 / (head.up_mm[1] - head.up_mm[0])) + 1
    seen = np.convolve(seen, np.ones(width) / width, "same")
    best = max(ends, key=lambda one: float(seen[one]))
    return best, *ends[best], float(seen[best])


def _hold_falx(
    falx: Float32Array, along: Float64Array, left_mm: Float64Array, part: tuple[float, float]
) -> tuple[float, float]:
    """Find the straight piece of falx (B, L) in a part of the way: mm to the left at both of its
    ends. Where little is seen, it lies in the plane."""
    rows = np.flatnonzero((along >= part[0]) & (along <= part[1]))
    onward = (along[rows] - part[0]) / (part[1] - part[0])
    offsets = np.arange(-2 * FALX_MM, 2 * FALX_MM + 1) / 2
    begin, end = (grid.ravel() for grid in np.meshgrid(offsets, offsets))
    near = np.abs(end - begin) <= FALX_MM
    begin, end = begin[near], end[near]
    across = begin[:, None] + onward * (end - begin)[:, None]  # (pieces, rows)
    row = np.broadcast_to(rows, across.shape)
    seen = ndimage.map_coordinates(falx, np.stack([row, across - left_mm[0]]), order=1)
    outer = begin if part[0] < 0.5 else end
    tied = TIED * ((outer / 3) ** 2 + ((end - begin) / 3) ** 2)
    best = int(np.argmax(seen.mean(axis=1) - tied))
    return float(begin[best]), float(end[best])


def _best_path(
    score: Float64Array,
    rows: Int64Array,
    along: Float64Array,
    held: Float64Array,
    left_mm: Float64Array,
) -> Float64Array:
    """Find the path, mm to the left in each of rows, that scores most; near the falx's ends it
    stays at held. Smoothed, and finer than the samples."""
    free = 1.0 + np.clip(60 * (np.minimum(along, 1 - along) - 0.15), 0, 19)
    allowed = np.abs(left_mm - held[:, None]) <= free[:, None]
    cost = np.where(allowed, -score, 1e3)[rows]
    total = cost.copy()
    came = np.zeros(cost.shape, np.int64)
    columns = np.arange(len(left_mm))
    for row in range(1, len(rows)):
        padded = np.pad(total[row - 1], 1, constant_values=1e6)
        options = np.stack([padded[1:-1], padded[:-2] + STEP_COST, padded[2:] + STEP_COST])
        best = options.argmin(axis=0)
        came[row] = columns + np.array([0, -1, 1])[best]
        total[row] += options.min(axis=0)
    place = np.zeros(len(rows), np.int64)
    place[-1] = total[-1].argmin()
    for row in range(len(rows) - 1, 0, -1):
        place[row - 1] = came[row, place[row]]
    window = np.clip(place[:, None] + np.arange(-2, 3), 0, len(left_mm) - 1)
    weight = np.take_along_axis(score[rows], window, axis=1) + 1e-3
    path = (weight * left_mm[window]).sum(axis=1) / weight.sum(axis=1)
    smooth: Float64Array = ndimage.gaussian_filter1d(path, 2.0)
    return smooth


def _at(score: Float64Array, path: Float64Array, left_mm: Float64Array) -> Float64Array:
    """Return the score (N,) of the samples (N, L) that a path passes."""
    column = np.clip(np.round(path - left_mm[0]).astype(np.int64), 0, len(left_mm) - 1)
    taken: Float64Array = np.take_along_axis(score, column[:, None], axis=1)[:, 0]
    return taken


def _placed(
    head: StraightHead,
    volume: Volume,
    level: int,
    rows: Int64Array,
    path: Float64Array,
    straight: Float64Array,
    read: Int64Array,
    shift_mm: float,
    evidence: float,
) -> Midline:
    """Place what was found in LPS, and in the slice that it is nearest to."""
    back = head.back_mm[rows]
    up = np.full_like(back, head.up_mm[level])
    lines = [
        head.plane.position_of(np.stack([left, back, up], axis=1)) for left in (path, straight)
    ]
    displaced, ideal = lines
    middle = displaced[read].mean(axis=0)
    normal = np.cross(*volume.place.orientation.reshape(2, 3))
    height = float(middle @ normal / np.linalg.norm(normal))
    number = int(np.abs(volume.positions_mm - height).argmin())
    return Midline(
        shift_mm,
        number,
        float(volume.positions_mm[number]),
        evidence,
        displaced,
        ideal[[0, -1]],
        displaced[read[[0, -1]]],
    )
