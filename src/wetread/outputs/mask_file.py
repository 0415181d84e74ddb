"""outputs/mask_file.py: a mask that a file holds, on a volume's own voxels."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from wetread.archive.types import BoolArray, Float64Array
from wetread.outputs.mask_array import read_nifti, read_npy
from wetread.study.geometry import POSITION_TOLERANCE_MM, affine_ijk_ras
from wetread.study.hu import AIR_HU
from wetread.study.volume import Volume

NIFTI = (".nii", ".nii.gz")


def read_mask_file(path: Path, volume: Volume) -> BoolArray:
    """Return (Z, Y, X) bool of an NPY or NIfTI file on the volume's voxels; not 0 is inside.

    ValueError where the shape is another, or a NIfTI file lies elsewhere in space by 0.1 mm.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no mask there; give an NPY or NIfTI file")
    where: Float64Array | None = None
    if path.name.endswith(NIFTI):
        found, where = read_nifti(path, volume.hu.shape)
        mask = found.transpose(2, 1, 0)
    else:
        mask = read_npy(path, volume.hu.shape)
    if mask.shape != volume.hu.shape:
        raise ValueError(
            f"{path} has {mask.shape} voxels (slices, rows, columns), the volume "
            f"{volume.hu.shape}; a mask is of the volume's own space, before it is resampled"
        )
    if not np.isfinite(mask).all():
        raise ValueError(f"{path} holds values that are no numbers; a mask is 0 outside")
    if where is not None and np.isfinite(volume.affine).all():
        off = np.abs(
            _corners(where, mask.shape) - _corners(affine_ijk_ras(volume.affine), mask.shape)
        )
        if off.max() > POSITION_TOLERANCE_MM:
            raise ValueError(
                f"{path} lies {off.max():.1f} mm beside the volume; is it of another series?"
            )
    return np.asarray(mask != 0)


def fill_outside(volume: Volume, inside: BoolArray) -> Volume:
    """Return the volume with air outside a mask (Z, Y, X); without HU its least gray."""
    outside = AIR_HU if volume.unit == "HU" else float(volume.hu.min())
    return replace(volume, hu=np.where(inside, volume.hu, np.float32(outside)))


def _corners(affine: Float64Array, shape: tuple[int, ...]) -> Float64Array:
    """Return (3, 8) mm, the corner voxels of (Z, Y, X) by an affine of (x, y, z, 1)."""
    ends = np.array(np.meshgrid(*[(0, side - 1) for side in shape[::-1]])).reshape(3, -1)
    placed: Float64Array = affine[:3, :3] @ ends + affine[:3, 3:]
    return placed
