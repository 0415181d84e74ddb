"""phantoms/scanner/hardening.py: dark bands between bones, from the bone that rays pass through."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.archive.types import FloatArray

BONE_HU = 250.0  # denser than this hardens the beam as bone does
DENSEST_HU = 1800.0
TURNS_DEGREES = (-14.0, 0.0, 14.0)  # about the rows: a head is widest, and its base densest, there


def bone_paths(hu: FloatArray, pixel_mm: float) -> tuple[FloatArray, FloatArray]:
    """Sum the bone to the left and to the right of each pixel along its row.

    hu: (H, W). Returns two (H, W) float32, mm of bone of 1000 HU.
    """
    bone = np.where(hu > BONE_HU, np.minimum(hu, DENSEST_HU), 0) * np.float32(pixel_mm / 1000)
    left = np.cumsum(bone, axis=1, dtype=np.float32)
    return left, left[:, -1:] - left


def harden_beam(hu: FloatArray, pixel_mm: float, allowed_mm: float) -> FloatArray:
    """Compute how much bone on both sides darkens each pixel: (H, W) float32, mm of bone.

    It is the geometric mean of the paths to both sides beyond allowed_mm, which the scanner's
    correction for a skull allows for; averaged over TURNS_DEGREES.
    """
    center = ((hu.shape[1] - 1) / 2, (hu.shape[0] - 1) / 2)
    size = hu.shape[::-1]
    total = np.zeros(hu.shape, np.float32)
    for turn in TURNS_DEGREES:
        matrix = cv2.getRotationMatrix2D(center, turn, 1.0)
        turned = cv2.warpAffine(hu, matrix, size, borderValue=-1000.0) if turn else hu
        left, right = bone_paths(turned, pixel_mm)
        excess = np.maximum(np.sqrt(left * np.maximum(right, 0)) - allowed_mm, 0)
        total += cv2.warpAffine(excess, cv2.invertAffineTransform(matrix), size) if turn else excess
    total *= 1 / len(TURNS_DEGREES)
    return total
