"""exports/arrays.py: one volume becomes the bytes of an NPY, NPZ or NIfTI file, values kept."""

import gzip
from collections.abc import Callable
from io import BytesIO

import numpy as np

from wetread.archive.types import NumberArray
from wetread.exports.stills import as_smallest_type
from wetread.outputs.nifti import nifti_bytes
from wetread.study.geometry import is_regular
from wetread.study.stack import require_affine
from wetread.study.volume import Volume

EncodedArray = tuple[bytes, NumberArray]  # a file, and the numbers (Z, Y, X) in it


def encode_npy(volume: Volume) -> EncodedArray:
    """Encode the values (Z, Y, X) of a volume as NPY; integers of 16 bits where all are whole."""
    numbers, file = as_smallest_type(volume.hu), BytesIO()
    np.save(file, numbers, allow_pickle=False)
    return file.getvalue(), numbers


def encode_npz(volume: Volume) -> EncodedArray:
    """Encode the values (Z, Y, X) of a volume, and what places them, as a compressed NPZ file.

    values: as encode_npy has them; affine: (4, 4) index (z, y, x, 1) to LPS mm, NaN where no one
    affine holds; positions_mm (Z,) along the normal; spacing_mm (3,) between slices, rows and
    columns; sources: Z SOP Instance UIDs; slice_map (Z,): the slice, as it was read, that each
    was; unit; issues.
    """
    numbers, file = as_smallest_type(volume.hu), BytesIO()
    np.savez_compressed(
        file,
        values=numbers,
        affine=volume.affine,
        positions_mm=volume.positions_mm,
        spacing_mm=np.array(volume_spacing(volume)),
        sources=np.array(volume.sources, str),
        slice_map=volume.slice_map,
        unit=np.array(volume.unit or ""),
        issues=np.array([issue.name for issue in volume.issues], str),
    )
    return file.getvalue(), numbers


def encode_nifti(volume: Volume) -> EncodedArray:
    """Encode the values (Z, Y, X) of a volume with their affine as gzipped NIfTI.

    StackError where no one affine holds.
    """
    numbers = as_smallest_type(volume.hu)
    content = nifti_bytes(numbers, require_affine(volume))
    return gzip.compress(content, 1, mtime=0), numbers  # the same voxels, the same bytes


def volume_spacing(volume: Volume) -> tuple[float, float, float]:
    """Return the mm between slices along the normal, between rows and between columns.

    The first is NaN where the slices' steps differ by 0.1 mm or more, or there is one slice:
    `positions_mm` says where each lies.
    """
    steps = np.diff(volume.positions_mm)
    even = len(steps) > 0 and is_regular(volume.place.origins_mm)
    return float(steps.mean()) if even else np.nan, *volume.place.spacing_mm


ARRAY_ENCODERS: dict[str, Callable[[Volume], EncodedArray]] = {
    "npy": encode_npy,
    "npz": encode_npz,
    "nifti": encode_nifti,
}
