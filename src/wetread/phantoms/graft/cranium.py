"""phantoms/graft/cranium.py: the inside of the skull on one real slice, as lesions need it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from wetread.archive.types import BoolArray, Float32Array

BONE_HU = 180.0  # of a slice that was made small: thin bone is mixed with what is beside it
CROP_MM = 200.0  # side of the crop: most heads are 185 to 200 mm long
LEAST_SHARE, MOST_SHARE = 0.10, 0.65  # of the crop that is within the skull
BRAIN_HU = (15.0, 50.0)  # of the median there
AIR_HU = -30.0  # less is the air of sinuses, or fat of the orbits
MOST_AIR = 0.02  # of what is enclosed: more is a face
CSF_HU = 22.0  # fluid has less, once noise is smoothed away
DEEP_MM = 20.0  # from the skull: fluid there is that of ventricles or of the great cisterns
LEAST_VENTRICLE_MM2 = 50.0


@dataclass(frozen=True, eq=False)
class Cranium:
    """The inside of a skull in one slice, every array (rows, columns).

    inside:     bool. depth_mm: float32, how far within; 0 outside.
    csf:        float32 in [0, 1], the share of each pixel that is fluid.
    ventricles: bool, deep fluid in one piece or several.
    pixel_mm:   by the size of the usual head.
    """

    inside: BoolArray
    depth_mm: Float32Array
    csf: Float32Array
    ventricles: BoolArray
    pixel_mm: float

    @property
    def center(self) -> tuple[float, float]:
        """Row and column of the middle of the inside."""
        rows, columns = np.nonzero(self.inside)
        return float(rows.mean()), float(columns.mean())

    def rim(self) -> np.ndarray:
        """List the pixels at the inner table, (N, 2) rows and columns."""
        return np.argwhere(self.inside & (self.depth_mm <= 1.5 * self.pixel_mm))


def find_cranium(hu: Float32Array) -> Cranium | None:
    """Find what the skull encloses on a slice, HU (rows, columns) of a crop round the head; None
    where it encloses too little of the crop, or no brain: the vertex, the face, an open skull."""
    bone = cv2.morphologyEx((hu > BONE_HU).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3)))
    enclosed = ndimage.binary_fill_holes(bone) & (bone == 0)
    parts, count = ndimage.label(enclosed)
    if count == 0:
        return None
    largest = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    low, high = BRAIN_HU
    inside: BoolArray = largest & (hu > AIR_HU)
    air = 1 - inside.sum() / largest.sum()
    brain = low < np.median(hu[largest]) < high
    if not (LEAST_SHARE <= inside.mean() <= MOST_SHARE and air < MOST_AIR and brain):
        return None
    pixel_mm = CROP_MM / hu.shape[0]
    depth = ndimage.distance_transform_edt(inside).astype(np.float32) * pixel_mm
    # Bone is left out of the mean: it would brighten the fluid beside it.
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)
    smooth = cv2.GaussianBlur(np.where(inside, hu, 0).astype(np.float32), (0, 0), 1.0)
    smooth = smooth / np.maximum(weight, 1e-3)
    csf = np.clip((CSF_HU + 4 - smooth) / 12, 0, 1) * inside
    deep, count = ndimage.label((csf > 0.5) & (depth > DEEP_MM))
    area = np.bincount(deep.ravel(), minlength=count + 1) * pixel_mm**2
    area[0] = 0
    return Cranium(
        inside, depth, csf.astype(np.float32), area[deep] >= LEAST_VENTRICLE_MM2, pixel_mm
    )
