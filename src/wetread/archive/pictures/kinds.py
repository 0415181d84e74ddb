"""archive/pictures/kinds.py: PNG, JPEG and NIfTI recognized by their first bytes, their ids, and
the modality that is given for them."""

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
# Defined terms of (0008,0060) Modality whose images are pictures or volumes, and DR, as some write.
MODALITIES = (
    *("CR", "CT", "DR", "DX", "ES", "GM", "IO", "MG", "MR", "NM", "OCT", "OP", "PT", "PX", "RF"),
    *("RG", "SM", "US", "XA", "XC"),
)
NO_HEADER = "without a DICOM header"  # in the detail of a reject for which no modality was given
HU_MODALITY = "CT"  # of which values are wanted in HU
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ENDINGS = (".nii.gz", ".nii", ".png", ".jpeg", ".jpg")
_NIFTI_HEADER, _NIFTI2_HEADER = 348, 540  # bytes, which the first four state


@dataclass(frozen=True)
class Pictures:
    """How files without a DICOM header are indexed.

    modality: of all of them.
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
    """Recognize a picture or volume by its first bytes; None where it is neither."""
    head = read_at(0, min(size, 1024))
    if head.startswith(PNG_SIGNATURE):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, _NIFTI_HEADER)
        except zlib.error:
            return None
    length = _NIFTI_HEADER.to_bytes(4, "little")
    first = head[:4] in (length, length[::-1]) and head[344:347] == b"n+1"
    return "nifti" if first or is_nifti2(head) else None


def is_nifti2(head: bytes) -> bool:
    """Whether bytes begin with the header of the second version of NIfTI."""
    length = _NIFTI2_HEADER.to_bytes(4, "little")
    return head[:4] in (length, length[::-1]) and head[4:7] == b"n+2"


def kind_of(row: Row) -> Kind | None:
    """Return what a row's file is; None where it is DICOM."""
    return _KINDS.get(row["TransferSyntaxUID"] or "")


def matches_pictures(pictures: Pictures | None) -> pl.Expr:
    """Select the rows of an earlier index that stand: DICOM, and what was taken as a picture of the
    modality given, under the id that it would have now."""
    is_picture = pl.col("TransferSyntaxUID").is_in(list(_KINDS)).fill_null(False)
    if pictures is None:
        return ~is_picture
    ids = pl.struct("path", "member").map_elements(
        lambda row: picture_id(row["path"], row["member"], pictures.roots), pl.String
    )
    same = (pl.col("Modality") == pictures.modality) & (pl.col("SOPInstanceUID") == ids)
    return ~is_picture | same.fill_null(False)


def may_be_picture() -> pl.Expr:
    """Select the rows of rejects whose names end as those of pictures and volumes do."""
    name = pl.coalesce("member", "path").str.to_lowercase()
    return pl.any_horizontal(name.str.ends_with(ending) for ending in _ENDINGS)


def read_whole(read_at: ReadAt, size: int) -> bytes:
    """Read all of a file, unpacked where it is packed by gzip. RejectError where it is cut."""
    data = read_at(0, size)
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise RejectError("truncated_pixels", "a gzip that cannot be unpacked whole") from error


def picture_id(path: str, member: str | None, roots: tuple[str, ...]) -> str:
    """Name a picture by its path below the source that it lies in, without the ending; what is in
    an archive in a folder by the archive's name before, and of several sources by the source's."""
    file = PurePath(path)
    sources = [PurePath(one) for one in roots if file.is_relative_to(one)]
    root = max(sources, key=lambda one: len(one.parts), default=file)
    parts: list[PurePath | str] = []
    if len(roots) > 1 and (root != file or member is not None):
        parts.append(root.stem if root == file else root.name)
    if member is None:
        parts.append(file.name if root == file else file.relative_to(root))
    else:
        parts += [member] if root == file else [file.relative_to(root).with_suffix(""), member]
    name = PurePath(*parts).as_posix()
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
