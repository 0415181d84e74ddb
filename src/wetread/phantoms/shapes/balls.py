"""phantoms/shapes/balls.py: the share of each voxel that balls along curves cover: bones of a CT.

A cover is (Z, Y, X) uint8, 0 to 255: none to all of a voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import FloatArray, UInt8Array

VOXELS_AT_ONCE = 250_000  # voxels touched in one go: they stay in the cache


@dataclass(frozen=True)
class Lattice:
    """Voxel centers in canonical coordinates, mm: first + index * step, each as (z, y, x)."""

    first: tuple[float, float, float]
    step: tuple[float, float, float]
    shape: tuple[int, int, int]

    def along(self, axis: int) -> FloatArray:
        """Give the coordinates of one axis, (N,) float32 mm."""
        steps = np.arange(self.shape[axis], dtype=np.float32)
        along: FloatArray = np.float32(self.first[axis]) + steps * np.float32(self.step[axis])
        return along


def empty_cover(lattice: Lattice) -> UInt8Array:
    """Make the cover of a lattice, (Z, Y, X) uint8, with nothing covered."""
    return np.zeros(lattice.shape, np.uint8)


def cover_balls(into: UInt8Array, lattice: Lattice, place: FloatArray, radius: FloatArray) -> None:
    """Add balls around place (N, 3), x, y, z mm, of radius (N,) mm, to a cover (Z, Y, X), in place.

    A voxel keeps its greatest share; thin balls cover as much of a voxel as they fill of its plane.
    """
    step = np.array(lattice.step, np.float32)
    at = (place[:, ::-1] - np.array(lattice.first, np.float32)) / step
    reach = radius[:, None] / step + 1
    near = ((at + reach > 0) & (at - reach < np.array(lattice.shape) - 1)).all(axis=1)
    near &= radius > 0.05
    at, radius = at[near], radius[near].astype(np.float32)
    whole = np.ceil(radius).astype(np.int64)
    for size in np.unique(whole):
        chosen = np.flatnonzero(whole == size)
        halves = [int(np.ceil(size / mm + 0.5)) for mm in lattice.step]
        count = max(VOXELS_AT_ONCE // ((2 * halves[1] + 1) * (2 * halves[2] + 1)), 1)
        for start in range(0, len(chosen), count):
            batch = chosen[start : start + count]
            _cover_some(into, lattice, at[batch], radius[batch], halves)


def _cover_some(
    into: UInt8Array, lattice: Lattice, at: FloatArray, radius: FloatArray, halves: list[int]
) -> None:
    """Add balls of one size class, plane by plane; at: (N, 3) in voxels, halves: reach in voxels.

    The balls' axis comes last, so that NumPy's inner loops are long.
    """
    nearest = np.rint(at).astype(np.int64)
    pixel = np.float32(lattice.step[2])
    max_share = np.minimum(1.0, (np.pi * radius * radius) / (pixel * pixel))
    steps = [np.arange(-half, half + 1) for half in halves]
    rows, columns = (steps[k][:, None] + nearest[:, k] for k in (1, 2))
    down, across = (
        ((index - at[:, k]) * lattice.step[k]).astype(np.float32) ** 2
        for k, index in ((1, rows), (2, columns))
    )
    for squares, index, k in ((down, rows, 1), (across, columns, 2)):
        squares[(index < 0) | (index >= lattice.shape[k])] = np.inf  # beyond the lattice
    high, wide = lattice.shape[1:]
    aside = (steps[1][:, None] * wide + steps[2]).reshape(-1)
    flat = into.reshape(-1)
    for deep in range(-halves[0], halves[0] + 1):
        plane = nearest[:, 0] + deep
        away = ((plane - at[:, 0]) * lattice.step[0]).astype(np.float32)
        reached = (np.abs(away) < radius + 0.5 * pixel) & (plane >= 0) & (plane < lattice.shape[0])
        own = np.flatnonzero(reached)
        if not len(own):
            continue
        square = (away[own] ** 2 + down[:, None, own]) + across[None, :, own]
        near = np.flatnonzero(square < (radius[own] + 0.5 * pixel) ** 2)
        place, ball = np.divmod(near, len(own))  # in the square round a ball, and which ball
        ball = own[ball]
        share = (radius[ball] - np.sqrt(square.reshape(-1)[near])) / pixel
        share = np.clip(share + np.float32(0.5), 0, max_share[ball])
        middle = (plane * high + nearest[:, 1]) * wide + nearest[:, 2]
        index = middle[ball] + aside[place]
        inside = share > 0.02
        np.maximum.at(flat, index[inside], (share[inside] * 255).astype(np.uint8))
