"""outputs/nifti.py: voxels and their affine become a NIfTI file, in RAS as the standard has it."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from wetread.archive.files.atomic import atomic_path, write_whole
from wetread.archive.types import BoolArray, Float64Array, NumberArray
from wetread.outputs.optional import import_optional
from wetread.study.geometry import affine_ijk_ras

HEADER_BYTES = 352  # of NIfTI-1, with the mark that nothing extends it
_SLANT = 1e-4  # a cosine between axes: beyond it they are not at right angles


def nifti_bytes(voxels: NumberArray, affine_lps: Float64Array) -> bytes:
    """Return voxels (Z, Y, X), kept in their type, as NIfTI-1; in the file the axes are x, y, z.

    affine_lps: (4, 4) index (z, y, x, 1) to LPS mm, as Volume.affine; all finite. The sform holds
    it, shear and all; a qform has no shear, and is there only where the axes are at right angles.
    """
    if not np.isfinite(affine_lps).all():
        raise ValueError("a NIfTI file needs an affine; these slices have no common one")
    affine = affine_ijk_ras(affine_lps)
    voxels_xyz = np.ascontiguousarray(voxels.transpose(2, 1, 0))
    content: bytes = _image(voxels_xyz, affine).to_bytes()
    return content


def write_nifti_masks(
    path: Path, masks: Iterable[BoolArray], shape: tuple[int, int, int], affine_lps: Float64Array
) -> None:
    """Write masks (rows, columns) bool, one a slice, as the .nii.gz file path of uint8, 0 and 1;
    slice after slice, so that no whole volume is in memory.

    shape: (Z, rows, columns). affine_lps: as for nifti_bytes, ValueError where it is not finite.
    """
    if not np.isfinite(affine_lps).all():
        raise ValueError("a NIfTI file needs an affine; these slices have no common one")
    header = _image(np.zeros((1, 1, 1), np.uint8), affine_ijk_ras(affine_lps)).header
    header.set_data_shape(shape[::-1])
    header["vox_offset"] = HEADER_BYTES
    with (
        atomic_path(path) as part,
        part.open("wb") as file,
        gzip.GzipFile("", "wb", 1, file, mtime=0) as packed,
    ):
        packed.write(header.binaryblock.ljust(HEADER_BYTES, b"\0"))
        for mask in masks:
            packed.write(np.ascontiguousarray(mask, np.uint8).tobytes())


def write_nifti(path: Path, voxels: NumberArray, affine_lps: Float64Array) -> None:
    """Write voxels (Z, Y, X) as the NIfTI file path: .nii, or .nii.gz.

    affine_lps: (4, 4) index (z, y, x, 1) to LPS mm; ValueError where it is not finite.
    """
    content = nifti_bytes(voxels, affine_lps)
    if path.suffix == ".gz":
        content = gzip.compress(content, 1, mtime=0)  # the same voxels, the same bytes
    write_whole(path, content)


def _image(voxels_xyz: np.ndarray, affine_ras: Float64Array) -> Any:
    """Make nibabel's image of voxels (X, Y, Z) at a place, (4, 4) to RAS mm."""
    image = import_optional("nibabel").Nifti1Image(voxels_xyz, affine_ras)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine_ras, code="scanner")
    image.set_qform(affine_ras, code="scanner" if _at_right_angles(affine_ras) else "unknown")
    return image


def _at_right_angles(affine: Float64Array) -> bool:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() <= _SLANT)
