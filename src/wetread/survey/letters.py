"""survey/letters.py: text that is burnt into a film: letters of one height and value in a line."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array

BRIGHT = 0.98  # of the way from the darkest value to the brightest: letters are written in white
DARK = 0.02  # likewise in black
HEIGHTS = (6, 64)  # pixels
FILLED = (0.15, 0.9)  # share of its box that a stroke fills: neither a wire nor a block
WIDEST = 1.5  # of a letter, by its height
GAP = 1.5  # between two letters, by their height
ALIKE = 0.2  # by which heights and feet of a line may differ, by the height
MOST_PARTS = 4000  # of one picture: more are noise or a grid, not text


def count_letters(values: Float32Array) -> int:
    """Count the letters of the longest line that is burnt into values (rows, columns), white or
    black; 0 where there is none. Bones and noise have parts of all heights, and no line of them."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return 0
    share = (values - low) / (high - low)
    return max(_longest_line(share >= BRIGHT), _longest_line(share <= DARK))


def _longest_line(mask: BoolArray) -> int:
    """Count the parts of the longest line of letters in a mask (rows, columns)."""
    count, _, parts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count > MOST_PARTS:
        return 0
    left, top, width, height, area = parts[1:].T
    letter = (height >= HEIGHTS[0]) & (height <= HEIGHTS[1]) & (width <= WIDEST * height)
    filled = area / np.maximum(width * height, 1)
    letter &= (filled > FILLED[0]) & (filled < FILLED[1])
    boxes = np.stack([left, top + height, width, height], axis=1)[letter]
    boxes = boxes[np.argsort(boxes[:, 0], kind="stable")]
    longest = [1] * len(boxes)
    for number, (x, foot, _, tall) in enumerate(boxes.tolist()):
        for before in range(number - 1, -1, -1):
            x0, foot0, wide0, tall0 = boxes[before].tolist()
            if x - x0 > (WIDEST + GAP) * max(tall, tall0):
                break
            near = -ALIKE * tall <= x - (x0 + wide0) <= GAP * tall
            level = abs(foot - foot0) <= ALIKE * tall and abs(tall - tall0) <= ALIKE * tall
            if near and level:
                longest[number] = max(longest[number], longest[before] + 1)
    return max(longest, default=0)
