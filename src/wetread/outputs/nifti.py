"""outputs/nifti.py: voxels and their affine become a NIfTI file, in RAS as the standard has it."""

import gzip
from pathlib import Path

import numpy as np

from wetread.archive.files.atomic import write_whole
from wetread.archive.types import Float64Array, NumberArray
from wetread.outputs.optional import import_optional
from wetread.study.geometry import affine_ijk_ras

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
    image = import_optional("nibabel").Nifti1Image(voxels_xyz, affine)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner" if _at_right_angles(affine) else "unknown")
    content: bytes = image.to_bytes()
    return content


def write_nifti(path: Path, voxels: NumberArray, affine_lps: Float64Array) -> None:
    """Write voxels (Z, Y, X) as the NIfTI file path: .nii, or .nii.gz.

    affine_lps: (4, 4) index (z, y, x, 1) to LPS mm; ValueError where it is not finite.
    """
    content = nifti_bytes(voxels, affine_lps)
    if path.suffix == ".gz":
        content = gzip.compress(content, 1, mtime=0)  # the same voxels, the same bytes
    write_whole(path, content)


def _at_right_angles(affine: Float64Array) -> bool:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() <= _SLANT)
