"""outputs/mask_array.py: the array of a mask file, its size checked before memory is reserved."""

from __future__ import annotations

import gzip
import struct
import tokenize
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from wetread.archive.types import Float64Array
from wetread.outputs.optional import import_optional

MOST_EXTRA = 16 << 20  # bytes before the voxels of a NIfTI file: header and extensions
_NUMBERS = "buif"
_HEADER = 544  # of NIfTI-2 with its extension flag; NIfTI-1 has 352


def read_npy(path: Path, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """Return the array of an NPY file, which must have the given shape (Z, Y, X).

    ValueError names the file where it is none, its header has another shape, or it is cut.
    """
    try:
        with path.open("rb") as file:
            found, dtype = _npy_header(file)
            if dtype.kind not in _NUMBERS:
                raise ValueError(f"it holds {dtype}, numbers are wanted")
            if found != shape:
                raise ValueError(f"{_by(found)} voxels by its header")
            file.seek(0)
            array: NDArray[np.generic] = np.load(file, allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, struct.error, tokenize.TokenError) as error:
        raise ValueError(_unfit(path, "NPY array of numbers", shape, error)) from error
    return array


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"NPY of version {version[0]}.{version[1]}")
    shape, _, dtype = read[version](file)
    return shape, dtype


def read_nifti(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.generic], Float64Array]:
    """Return (array (i, j, k), affine (4, 4) to RAS mm) of a NIfTI file.

    shape: (Z, Y, X) of the volume that it must fit, its axes in any order. ValueError names the
    file where it is none, or declares other sides, or gigabytes before its voxels.
    """
    nibabel = import_optional("nibabel")
    faults = (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError, TypeError)
    try:
        _check_offset(path)
        image = nibabel.load(path)
        if sorted(image.shape) != sorted(shape):
            raise ValueError(f"{_by(tuple(image.shape[::-1]))} voxels by its header")
        if image.get_data_dtype().kind not in _NUMBERS:
            raise ValueError(f"it holds {image.get_data_dtype()}, numbers are wanted")
        return np.asanyarray(image.dataobj), image.affine
    except (*faults, zlib.error, nibabel.spatialimages.HeaderDataError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(_unfit(path, "NIfTI file", shape, error)) from error


def _check_offset(path: Path) -> None:
    """Raise ValueError where voxels begin, or the first extension ends, gigabytes into a file."""
    with path.open("rb") as raw:
        packed = path.name.endswith(".gz")
        file = gzip.GzipFile(fileobj=raw) if packed else raw
        head = file.read(_HEADER)
    for order in "<>":
        (size,) = struct.unpack_from(f"{order}i", head.ljust(4, b"\0"))
        if size not in (348, 540):
            continue
        head = head.ljust(_HEADER + 8, b"\0")
        form, at = (f"{order}f", 108) if size == 348 else (f"{order}q", 168)
        (offset,) = struct.unpack_from(form, head, at)
        (extension,) = struct.unpack_from(f"{order}i", head, size + 4) if head[size] else (0,)
        if not 0 <= offset <= MOST_EXTRA or not 0 <= extension <= MOST_EXTRA:
            raise ValueError("its header puts gigabytes before the voxels, or says so wrongly")


def _unfit(path: Path, kind: str, shape: tuple[int, ...], error: Exception) -> str:
    reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
    return (
        f"{path}: no {kind} that fits ({reason}); the series has {_by(shape)} voxels (slices, "
        "rows, columns), and a mask is of the volume's own space, before it is resampled"
    )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
