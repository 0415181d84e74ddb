"""evaluation/volume_masks.py: a drawn mask of a series against the true one: overlap, surfaces,
lesions, volumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

from wetread.archive.types import BoolArray
from wetread.evaluation.dice import dice

TOLERANCE_MM = 2.0  # within which two surfaces agree: some three pixels of a chest CT
NEIGHBORS = np.ones((3, 3, 3), bool)  # 26: voxels that share a corner are of one lesion


@dataclass(frozen=True)
class VolumeMaskScore:
    """How a drawn mask of one series agrees with the true one.

    dice:           1 where both are empty, 0 where one is.
    surface_dice:   normalized surface distance, the share of both surfaces that lies within the
                    tolerance of the other (Nikolov 2018, arXiv:1809.04430); 1 and 0 as dice.
    truth_ml, drawn_ml: volumes.
    lesions:        connected components of the truth (26 neighbors).
    lesions_found:  those of them that hold a drawn voxel.
    false_lesions:  connected components of the drawn mask that hold no true voxel.
    """

    dice: float
    surface_dice: float
    truth_ml: float
    drawn_ml: float
    lesions: int
    lesions_found: int
    false_lesions: int

    @property
    def lesion_recall(self) -> float:
        """The share of true lesions that were found; NaN where there is none."""
        return self.lesions_found / self.lesions if self.lesions else float("nan")

    def to_dict(self) -> dict[str, float | int]:
        """Give plain values, for JSON."""
        return asdict(self)


def score_volume_mask(
    truth: BoolArray,
    drawn: BoolArray,
    spacing_zyx_mm: Sequence[float],
    tolerance_mm: float = TOLERANCE_MM,
) -> VolumeMaskScore:
    """Score a drawn mask of one series against the true one.

    truth, drawn:   (Z, Y, X) bool, voxel for voxel the same places.
    spacing_zyx_mm: between voxels along the three axes; slices lie evenly.
    tolerance_mm:   of surface_dice.

    Raises ValueError where the shapes or kinds differ, or a spacing is not above 0.
    """
    _check(truth, drawn, spacing_zyx_mm)
    voxel_ml = float(np.prod(spacing_zyx_mm)) / 1000.0
    counts = [int(np.count_nonzero(mask)) for mask in (truth & drawn, drawn, truth)]
    lesions, found = count_lesions(truth, drawn)
    components, met = count_lesions(drawn, truth)
    return VolumeMaskScore(
        dice=float(dice(*counts)),
        surface_dice=surface_dice(truth, drawn, spacing_zyx_mm, tolerance_mm),
        truth_ml=counts[2] * voxel_ml,
        drawn_ml=counts[1] * voxel_ml,
        lesions=lesions,
        lesions_found=found,
        false_lesions=components - met,
    )


def count_lesions(mask: BoolArray, other: BoolArray) -> tuple[int, int]:
    """Count the connected components (26 neighbors) of a mask (Z, Y, X), and those of them that
    hold a voxel of the other, (Z, Y, X)."""
    numbers, count = ndimage.label(mask, NEIGHBORS)
    met = np.unique(numbers[other & mask])
    return int(count), len(met)


def surface_dice(
    truth: BoolArray, drawn: BoolArray, spacing_zyx_mm: Sequence[float], tolerance_mm: float
) -> float:
    """Compute the normalized surface distance of two masks (Z, Y, X): the share of voxels at both
    surfaces that lie within tolerance_mm of the other's; 1 where both are empty, 0 where one is."""
    if not truth.any() or not drawn.any():
        return float(not truth.any() and not drawn.any())
    box = ndimage.find_objects((truth | drawn).astype(np.uint8))[0]
    surfaces = [_surface(np.pad(mask[box], 1)) for mask in (truth, drawn)]
    near = [
        ndimage.distance_transform_edt(~other, sampling=tuple(spacing_zyx_mm))[one] <= tolerance_mm
        for one, other in (surfaces, surfaces[::-1])
    ]
    return float(np.concatenate(near).mean())


def _surface(mask: BoolArray) -> BoolArray:
    """Mark the voxels of a mask (Z, Y, X) with a neighbor across a face that is not of it."""
    inner: BoolArray = ndimage.binary_erosion(mask)
    return mask & ~inner


def _check(truth: BoolArray, drawn: BoolArray, spacing_zyx_mm: Sequence[float]) -> None:
    if truth.shape != drawn.shape or truth.ndim != 3:
        raise ValueError(
            f"the true mask is {truth.shape} and the drawn one {drawn.shape}; both are (Z, Y, X) "
            "of one series. Bring them onto one grid"
        )
    if truth.dtype != np.bool_ or drawn.dtype != np.bool_:
        raise ValueError(f"masks are bool, not {truth.dtype} and {drawn.dtype}; compare with > 0")
    if len(spacing_zyx_mm) != 3 or not all(step > 0 for step in spacing_zyx_mm):
        raise ValueError(f"spacing (Z, Y, X) {tuple(spacing_zyx_mm)} mm; all three are above 0")
