"""anatomy/coarse.py: a volume at about 2 mm, where topology is cheap, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, UInt8Array
from wetread.study.slice_sequence import SliceSequence

STEP_MM = 2.0


@dataclass(frozen=True)
class BlockGrid:
    """Blocks of a fine grid.

    fine, shape: (Z, Y, X) of the fine and of the coarse grid.
    stride:      slices a block holds; the last may hold fewer.
    spacing_mm:  (dz, dy, dx) of the blocks.
    """

    fine: tuple[int, int, int]
    shape: tuple[int, int, int]
    stride: int
    spacing_mm: tuple[float, float, float]

    def mean(self, hu: SliceSequence) -> Float32Array:
        """Average HU (Z, Y, X) fine over each block, (Z, Y, X) coarse, one block's slices at a
        time."""
        blocks = np.empty(self.shape, np.float32)
        size = (self.shape[2], self.shape[1])
        for number in range(self.shape[0]):
            first = number * self.stride
            last = min(first + self.stride, self.fine[0])
            plane = np.array(hu[first], np.float32)
            for z in range(first + 1, last):
                plane += hu[z]
            plane /= last - first
            blocks[number] = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        return blocks

    def enlarged(self, mask: BoolArray, number: int) -> UInt8Array:
        """Enlarge a coarse mask (Z, Y, X) to fine slice `number`: (Y, X) of 0 and 1, its edge
        interpolated."""
        at = (number + 0.5) / self.stride - 0.5
        low = int(np.clip(np.floor(at), 0, self.shape[0] - 1))
        high = min(low + 1, self.shape[0] - 1)
        share = np.float32(np.clip(at - low, 0, 1))
        plane = mask[low] * (1 - share) + mask[high] * share
        size = (self.fine[2], self.fine[1])
        large = cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        inside: UInt8Array = (large > 0.5).astype(np.uint8)
        return inside


def coarse_grid(fine: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> BlockGrid:
    """Lay blocks of about 2 mm on a fine grid (Z, Y, X); a coarser axis stays as it is."""
    stride, rows, columns = (max(1, round(STEP_MM / step)) for step in spacing_mm)
    shape = (-(-fine[0] // stride), max(fine[1] // rows, 1), max(fine[2] // columns, 1))
    dz, dy, dx = spacing_mm
    spacing = (dz * stride, dy * fine[1] / shape[1], dx * fine[2] / shape[2])
    return BlockGrid((fine[0], fine[1], fine[2]), shape, stride, spacing)
