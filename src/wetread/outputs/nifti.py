"""outputs/nifti.py: voxels and their affine become a NIfTI file; the one place that knows RAS."""

from pathlib import Path

import numpy as np

from wetread.outputs.extra import of_pictures
from wetread.outputs.whole import write_whole

_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])  # LPS (DICOM) to RAS (NIfTI)


def write_nifti(path: Path, voxels: np.ndarray, affine_lps: np.ndarray) -> None:
    """Write voxels as path (.nii, or .nii.gz), kept in their type.

    voxels:     (Z, Y, X); in the file the axes are x, y, z, as the standard stores them.
    affine_lps: (4, 4) index (z, y, x, 1) to LPS mm, as Volume.affine; all finite.
    """
    if not np.isfinite(affine_lps).all():
        raise ValueError("a NIfTI file needs an affine; these slices have no common one")
    image = of_pictures("nibabel").Nifti1Image(
        np.ascontiguousarray(voxels.transpose(2, 1, 0)), _FLIP @ affine_lps[:, [2, 1, 0, 3]]
    )
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(image.affine, code="scanner")
    image.set_qform(image.affine, code="scanner")
    content: bytes = image.to_bytes()
    if path.suffix == ".gz":
        import gzip

        content = gzip.compress(content, 1, mtime=0)  # the same voxels, the same bytes
    write_whole(path, content)
