"""archive/pictures/kinds.py: what a file without a DICOM header is, by its first bytes, and what
such files are taken for."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

import polars as pl

from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow, ReadAt, Row

Kind = Literal["png", "jpeg", "nifti"]
SYNTAXES: dict[Kind, str] = {"png": "PNG", "jpeg": "JPEG", "nifti": "NIfTI"}
_KINDS = {syntax: kind for kind, syntax in SYNTAXES.items()}
# Of PS3.3 C.7.3.1.1.1, those whose images are gray pictures or volumes.
MODALITIES = (
    *("CR", "CT", "DR", "DX", "ES", "GM", "IO", "MG", "MR", "NM", "OCT", "OP", "PT", "PX", "RF"),
    *("RG", "SM", "US", "XA", "XC"),
)
_ENDINGS = (".nii.gz", ".nii", ".png", ".jpeg", ".jpg")
_NIFTI_HEADER = 348  # bytes, which its first four state


@dataclass(frozen=True)
class Pictures:
    """What files without a DICOM header are taken for.

    modality: the modality that they are of.
    roots:    the sources they lie in: their ids are their paths below, without the ending.
    """

    modality: str
    roots: tuple[str, ...] = ()


def require_modality(modality: str) -> str:
    """Return a modality as it is. ValueError where it is none."""
    if modality not in MODALITIES:
        raise ValueError(
            f"`pictures={modality}`: no modality of pictures; known: {', '.join(MODALITIES)}"
        )
    return modality


def picture_kind(read_at: ReadAt, size: int) -> Kind | None:
    """Tell a picture or volume by its first bytes; None where it is neither."""
    head = read_at(0, min(size, 1024))
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, _NIFTI_HEADER)
        except zlib.error:
            return None
    length = _NIFTI_HEADER.to_bytes(4, "little")
    known = head[:4] in (length, length[::-1]) and head[344:347] == b"n+1"
    return "nifti" if known else None


def kind_of(row: Row) -> Kind | None:
    """Return what a row's file is; None where it is DICOM."""
    return _KINDS.get(row["TransferSyntaxUID"] or "")


def is_as_told(pictures: Pictures | None) -> pl.Expr:
    """Select the rows of an earlier index that stand: DICOM, and pictures of that modality."""
    told = pl.lit(False) if pictures is None else pl.col("Modality") == pictures.modality
    return ~pl.col("TransferSyntaxUID").is_in(list(_KINDS)).fill_null(False) | told


def whole(read_at: ReadAt, size: int) -> bytes:
    """Read all of a file, unpacked where it is packed by gzip. RejectError where it is cut."""
    data = read_at(0, size)
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise RejectError("truncated_pixels", "a gzip that cannot be unpacked whole") from error


def picture_id(path: str, member: str | None, roots: tuple[str, ...]) -> str:
    """Name a picture by its path below the source that it lies in, without the ending."""
    name = member
    if name is None:
        within = (root for root in sorted(roots, key=len, reverse=True) if path != root)
        found = next((root for root in within if PurePath(path).is_relative_to(root)), None)
        name = str(PurePath(path).relative_to(found)) if found else PurePath(path).name
    ending = next((one for one in _ENDINGS if name.lower().endswith(one)), "")
    return PurePath(name[: len(name) - len(ending)]).as_posix()


def common_fields(kind: Kind, name: str, modality: str) -> MutableRow:
    """Fill the columns that pictures and volumes have alike: one series and study each."""
    return {
        "SOPInstanceUID": name,
        "SeriesInstanceUID": name,
        "StudyInstanceUID": name,
        "Modality": modality,
        "TransferSyntaxUID": SYNTAXES[kind],
        "notes": [],
    }
