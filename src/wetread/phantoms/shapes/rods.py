"""phantoms/shapes/rods.py: thousands of thin rods painted into a slab, all of their voxels at once.

A vessel covers a few hundred voxels, fewer than a NumPy call is worth. So the voxels of all rods
stand in one array, and only the order of painting is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from wetread.archive.types import FloatArray, Int64Array
from wetread.phantoms.shapes.slab import Slab, voxel_share

VOXELS_AT_ONCE = 120_000  # voxels asked in one go: they stay in the cache


class Rods(NamedTuple):
    """N rods with round ends: start, end (N, 3) x, y, z mm; radius (N,) mm."""

    start: FloatArray
    end: FloatArray
    radius: FloatArray


class CoveredVoxels(NamedTuple):
    """Voxels of a slab that rods cover, rod after rod: V in all, some of them by several rods.

    voxel: (V,) index into the flat slab; share: (V,) in (0, 1]; rod: (V,) which of them covers it.
    """

    voxel: Int64Array
    share: FloatArray
    rod: Int64Array


def cover_rods(slab: Slab, rods: Rods) -> CoveredVoxels:
    """Find the V voxels that rods cover, (V,) each; a thin rod covers no more than it fills."""
    rod, plane, rows, columns = _sections(slab, rods)
    size = (rows[1] - rows[0]) * (columns[1] - columns[0])
    parts = []
    for own in _chunks(size):
        section, row = _expand_ranges(rows[0][own], rows[1][own])
        section = own.start + section
        line, column = _expand_ranges(columns[0][section], columns[1][section])
        at = (plane[section], row, column)
        parts.append(_cover_lines(slab, rods, rod[section], at, line))
    if not parts:
        return CoveredVoxels(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int64))
    return CoveredVoxels(*(np.concatenate(found) for found in zip(*parts, strict=True)))


def blend_covered(slab: Slab, touched: CoveredVoxels, hu: FloatArray) -> None:
    """Mix hu (V,) into the covered voxels, in place, in the order of the rods."""
    flat = slab.hu.reshape(-1)
    for turn in _rounds(touched.voxel):
        voxel = touched.voxel[turn]
        before = flat[voxel]
        flat[voxel] = before + touched.share[turn] * (hu[turn] - before)


def paint_rods(slab: Slab, rods: Rods, hu: FloatArray) -> None:
    """Fill N rods with hu (N,), one after another, in place."""
    touched = cover_rods(slab, rods)
    blend_covered(slab, touched, hu.astype(np.float32)[touched.rod])


def _sections(
    slab: Slab, rods: Rods
) -> tuple[Int64Array, Int64Array, tuple[Int64Array, Int64Array], tuple[Int64Array, Int64Array]]:
    """Cut rods by planes: rod and plane (S,) of each section, first and last row and column."""
    reach = rods.radius + 0.5 * slab.pixel + 1e-3  # further away nothing is covered
    low = np.minimum(rods.start[:, 2], rods.end[:, 2]) - reach
    high = np.maximum(rods.start[:, 2], rods.end[:, 2]) + reach
    rod, plane = _expand_ranges(np.searchsorted(slab.z, low), np.searchsorted(slab.z, high))
    start, vector, far = rods.start[rod], (rods.end - rods.start)[rod], reach[rod]
    rise = np.where(np.abs(vector[:, 2]) < 1e-6, 1e-6, vector[:, 2])
    away = slab.z[plane] - start[:, 2]
    ends = np.clip(np.stack([away - far, away + far]) / rise, 0, 1)  # the stretch near the plane
    cut = []
    for axis, k in ((slab.y, 1), (slab.x, 0)):
        at = start[:, k] + ends * vector[:, k]
        first = np.searchsorted(axis, at.min(axis=0) - far)
        cut.append((first, np.searchsorted(axis, at.max(axis=0) + far)))
    return rod, plane, cut[0], cut[1]


def _expand_ranges(first: Int64Array, last: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Concatenate the ranges first to last - 1 of (N,); returns (M,) owners and (M,) numbers."""
    count = last - first
    whose = np.repeat(np.arange(len(count)), count)
    return whose, np.arange(len(whose)) + (first - np.cumsum(count) + count)[whose]


def _chunks(size: Int64Array) -> Iterator[slice]:
    """Split (S,) sections into slices that hold about VOXELS_AT_ONCE voxels each."""
    total = np.cumsum(size)
    if not len(total):
        return
    cuts = np.searchsorted(
        total, np.arange(VOXELS_AT_ONCE, int(total[-1]), VOXELS_AT_ONCE), "right"
    )
    bounds = np.unique([0, *cuts, len(size)]).tolist()
    yield from (slice(a, b) for a, b in pairwise(bounds))


def _cover_lines(
    slab: Slab,
    rods: Rods,
    rod: Int64Array,
    at: tuple[Int64Array, Int64Array, Int64Array],
    line: Int64Array,
) -> CoveredVoxels:
    """Find the covered of M voxels along L lines.

    rod: (L,); at: plane (L,), row (L,), column (M,) of the voxels; line: (M,), the line of each.
    """
    plane, row, column = at
    start = rods.start.astype(np.float32)
    vector = (rods.end - rods.start).astype(np.float32)
    square = (vector * vector).sum(axis=1, dtype=np.float64).astype(np.float32)
    along = vector * (1 / square.astype(np.float64)).astype(np.float32)[:, None]
    thin = np.minimum(2 * rods.radius.astype(np.float64) / slab.pixel, 1).astype(np.float32)
    radius = rods.radius.astype(np.float32)

    py, pz = slab.y[row] - start[rod, 1], slab.z[plane] - start[rod, 2]
    own = rod[line]
    px = slab.x[column] - start[own, 0]
    share = px * along[own, 0]
    share += (py * along[rod, 1])[line]
    share += (pz * along[rod, 2])[line]
    np.clip(share, 0, 1, out=share)
    px -= share * vector[own, 0]
    mm = px * px
    for p, k in ((py, 1), (pz, 2)):
        out = p[line] - share * vector[own, k]
        mm += out * out
    np.sqrt(mm, out=mm)
    mm -= radius[own]
    cover = voxel_share(mm, slab.pixel)
    covered = np.flatnonzero(cover)
    own = own[covered]
    high, wide = slab.hu.shape[1:]
    voxel = ((plane * high + row) * wide)[line[covered]] + column[covered]
    return CoveredVoxels(voxel, cover[covered] * thin[own], own)


def _rounds(voxel: Int64Array) -> Iterator[Int64Array]:
    """Split covered voxels (V,) into rounds: each voxel once a round, earlier rods first."""
    bits = len(voxel).bit_length()
    order = np.arange(len(voxel))
    key = np.sort((voxel << bits) | order)  # ten times as fast as a stable sort
    place = key & ((1 << bits) - 1)
    ordered = key >> bits
    first = np.ones(len(key), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    turn = order - np.maximum.accumulate(np.where(first, order, 0))
    left = np.arange(len(key))
    number = 0
    while len(left):
        now = turn[left] == number
        yield place[left[now]]
        left, number = left[~now], number + 1
