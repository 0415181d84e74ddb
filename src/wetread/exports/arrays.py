"""exports/arrays.py: one volume becomes the bytes of an NPY, NPZ or NIfTI file, values kept."""

import gzip
from collections.abc import Callable
from io import BytesIO

import numpy as np

from wetread.exports.stills import as_smallest_type
from wetread.outputs.nifti import nifti_bytes
from wetread.study.geometry import is_regular
from wetread.study.stack import require_affine
from wetread.study.volume import Volume


def encode_npy(volume: Volume) -> tuple[bytes, np.ndarray]:
    """(bytes, array): hu (Z, Y, X), as integers of 16 bits where all values are whole."""
    numbers, file = as_smallest_type(volume.hu), BytesIO()
    np.save(file, numbers, allow_pickle=False)
    return file.getvalue(), numbers


def encode_npz(volume: Volume) -> tuple[bytes, np.ndarray]:
    """The same array as `values`, and what places it, compressed.

    affine: (4, 4) index (z, y, x, 1) to LPS mm, NaN where no one affine holds; positions_mm (Z,)
    along the normal; spacing_mm (3,) between slices, rows and columns; sources: Z SOP
    Instance UIDs; slice_map (Z,): the slice, as it was read, that each was; unit; issues.
    """
    numbers, file = as_smallest_type(volume.hu), BytesIO()
    np.savez_compressed(
        file,
        values=numbers,
        affine=volume.affine,
        positions_mm=volume.positions_mm,
        spacing_mm=np.array(spacing_mm(volume)),
        sources=np.array(volume.sources, str),
        slice_map=volume.slice_map,
        unit=np.array(volume.unit or ""),
        issues=np.array([issue.name for issue in volume.issues], str),
    )
    return file.getvalue(), numbers


def encode_nifti(volume: Volume) -> tuple[bytes, np.ndarray]:
    """The array with its affine, gzipped; StackError where no one affine holds."""
    numbers = as_smallest_type(volume.hu)
    content = nifti_bytes(numbers, require_affine(volume))
    return gzip.compress(content, 1, mtime=0), numbers  # the same voxels, the same bytes


def spacing_mm(volume: Volume) -> tuple[float, float, float]:
    """Between slices along the normal, rows and columns; NaN where the slices' steps differ by
    0.1 mm or more, or there is one slice: `positions_mm` says where each lies."""
    steps = np.diff(volume.positions_mm)
    even = len(steps) > 0 and is_regular(volume.place.origins_mm)
    return float(steps.mean()) if even else np.nan, *volume.place.spacing_mm


ARRAY_ENCODERS: dict[str, Callable[[Volume], tuple[bytes, np.ndarray]]] = {
    "npy": encode_npy,
    "npz": encode_npz,
    "nifti": encode_nifti,
}
