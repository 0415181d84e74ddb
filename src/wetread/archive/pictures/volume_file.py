"""archive/pictures/volume_file.py: a NIfTI volume as columns of a row, as rows of its slices, and
as stored values.

A volume is turned so that its first axis runs to the patient's left, its second to the back, its
third to the head, as slices of CT lie: each slice is a frame.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from wetread.archive.containers.contents import open_contents
from wetread.archive.notes import note
from wetread.archive.pictures.kinds import HU_MODALITY, is_nifti2, read_whole
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float64Array, IntegerArray, MutableRow, Row

_AIR_HU = -100  # a volume in HU holds values below: air, or fat
_LEVELS = 2**16 - 1  # of fractions, over their range
_SQUARE = 1e-3  # the cosine between two axes of a volume whose slices are rectangles


class Volume(NamedTuple):
    """stored: (frames, rows, columns). slope: of the values; intercept. affine: (4, 4) of (column,
    row, frame) to mm, LPS. rounded: how far at most values were rounded."""

    stored: IntegerArray
    slope: float
    intercept: float
    affine: Float64Array
    rounded: float


def volume_fields(data: bytes, modality: str) -> MutableRow:
    """Fill the columns of a volume's pixels. RejectError where it cannot be read."""
    volume = parse_volume(data)
    stored = volume.stored
    signed = stored.dtype.kind == "i"
    bits = 8 * stored.dtype.itemsize
    least = float(stored.min()) * volume.slope + volume.intercept
    in_hu = modality == HU_MODALITY and least < _AIR_HU
    rescaled = in_hu or (volume.slope, volume.intercept) != (1.0, 0.0)
    notes = []
    if volume.rounded:
        notes.append(note("rounded", f"values by {volume.rounded:.2g} at most"))
    return {
        "Rows": stored.shape[1],
        "Columns": stored.shape[2],
        "NumberOfFrames": stored.shape[0],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(signed),
        "RescaleSlope": volume.slope if rescaled else None,
        "RescaleIntercept": volume.intercept if rescaled else None,
        "RescaleType": "HU" if in_hu else None,
        "notes": notes,
        **_place(volume.affine, 0),
    }


def volume_frames(row: Row) -> list[MutableRow]:
    """Make one row a slice, from the feet up, each with its place and an id of its own."""
    volume = _read(row["path"], row["member"], row["size"], row["mtime_ns"])
    base = {**row, "stack_id": None}
    return [
        base
        | _place(volume.affine, number)
        | {
            "frame": number,
            "InstanceNumber": number + 1,
            "SOPInstanceUID": f"{row['SOPInstanceUID']}.{number + 1}",
        }
        for number in range(len(volume.stored))
    ]


def volume_stored(row: Row) -> IntegerArray:
    """Read the stored values (frames, rows, columns) of a row."""
    return _read(row["path"], row["member"], row["size"], row["mtime_ns"]).stored


@lru_cache(maxsize=2)  # its slices are read one by one
def _read(path: str, member: str | None, size: int, mtime_ns: int | None) -> Volume:
    with open_contents(path, member) as (read_at, length):
        return parse_volume(read_whole(read_at, length))


def parse_volume(data: bytes) -> Volume:
    """Parse a NIfTI file. RejectError where it is cut, or its slices are no rectangles."""
    nibabel = _nibabel()
    faults = (nibabel.filebasedimages.ImageFileError, nibabel.wrapstruct.WrapStructError)
    try:
        with nibabel.imageglobals.LoggingOutputSuppressor():
            kind = nibabel.Nifti2Image if is_nifti2(data) else nibabel.Nifti1Image
            image = kind.from_bytes(data)
            raw = image.dataobj.get_unscaled()
    except (OSError, ValueError, EOFError, OverflowError, *faults) as error:
        raise RejectError("truncated_pixels", "a NIfTI file that cannot be read whole") from error
    except nibabel.spatialimages.HeaderDataError as error:
        raise RejectError("bad_element", "a NIfTI header that cannot be read") from error
    if raw.ndim > 3 and set(raw.shape[3:]) == {1}:
        raw = raw.reshape(raw.shape[:3])
    if raw.ndim != 3 or raw.dtype.kind not in "iuf":
        detail = f"a volume of shape {image.shape}, {raw.dtype}; three axes of numbers are read"
        raise RejectError("wrong_kind", detail)
    scale = (float(image.dataobj.slope), float(image.dataobj.inter))  # 1 and 0 where none is stated
    stored, scale, rounded = _integers(raw, *scale)
    lengths = np.linalg.norm(image.affine[:3, :3], axis=0)
    if not (np.isfinite(image.affine).all() and (lengths > 0).all()):
        raise RejectError("no_geometry", "voxels without a size")
    axes = nibabel.io_orientation(image.affine)
    if not np.isfinite(axes).all():
        raise RejectError("no_geometry", "axes that lie in one plane")
    turn = nibabel.orientations.ornt_transform(axes, nibabel.orientations.axcodes2ornt("LPS"))
    turned = nibabel.orientations.apply_orientation(stored, turn)
    affine = image.affine @ nibabel.orientations.inv_ornt_aff(turn, raw.shape)
    affine[:2] *= -1  # right and front become left and back
    across = affine[:3, 0] @ affine[:3, 1] / np.prod(np.linalg.norm(affine[:3, :2], axis=0))
    if abs(across) > _SQUARE:
        raise RejectError("no_geometry", "slices that are no rectangles in space")
    return Volume(np.ascontiguousarray(turned.T), *scale, affine, rounded)


def _nibabel() -> Any:
    try:
        return import_module("nibabel")
    except ImportError as error:
        detail = "a NIfTI file; pip install 'wetread[pictures]' brings nibabel, which reads it"
        raise RejectError("unsupported_syntax", detail) from error


def _integers(
    raw: np.ndarray[Any, Any], slope: float, intercept: float
) -> tuple[IntegerArray, tuple[float, float], float]:
    """Store voxels as integers of 8, 16 or 32 bits: (integers, slope and intercept of the values,
    how far at most these were rounded). Fractions are stored in 16 bits over their range."""
    if raw.dtype.kind in "iu" and raw.dtype.itemsize <= 4:
        return raw.astype(raw.dtype.newbyteorder("=")), (slope, intercept), 0.0
    values = raw.astype(np.float64) * slope + intercept
    if not np.isfinite(values).all():
        raise RejectError("bad_number", "voxels that are not finite")
    least, most = float(values.min()), float(values.max())
    whole_values = np.rint(values)
    if (whole_values == values).all() and -(2**31) <= least <= most < 2**31:
        kind = np.int16 if least >= -(2**15) and most < 2**15 else np.int32
        return whole_values.astype(kind), (1.0, 0.0), 0.0
    step = (most - least) / _LEVELS or 1.0
    stored = np.rint((values - least) / step).astype(np.uint16)
    return stored, (step, least), step / 2


def _place(affine: Float64Array, number: int) -> MutableRow:
    """Return where a slice lies, LPS mm; affine (4, 4) of (column, row, slice)."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    along = affine[:3, :2] / lengths[:2]
    return {
        "row_spacing_mm": float(lengths[1]),
        "column_spacing_mm": float(lengths[0]),
        "position_mm": (affine @ [0, 0, number, 1])[:3].tolist(),
        "orientation": along.T.ravel().tolist(),
    }
