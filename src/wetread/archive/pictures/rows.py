"""archive/pictures/rows.py: a file without a DICOM header becomes a row of the index."""

from __future__ import annotations

from wetread.archive.pictures.flat import flat_fields
from wetread.archive.pictures.kinds import (
    HU_MODALITY,
    NO_HEADER,
    SYNTAXES,
    Pictures,
    common_fields,
    picture_id,
    picture_kind,
    read_whole,
)
from wetread.archive.pictures.volume_file import volume_fields
from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow, ReadAt


def picture_fields(
    read_at: ReadAt, size: int, path: str, member: str | None, pictures: Pictures | None
) -> MutableRow | None:
    """Fill the columns of a picture or volume; None where the file is neither.

    RejectError where it cannot be read, where no modality is given, or where it does
    not go with that.
    """
    kind = picture_kind(read_at, size)
    if kind is None:
        return None
    if pictures is None:
        detail = f"{SYNTAXES[kind]} {NO_HEADER}; an index with `pictures=MODALITY` takes it"
        raise RejectError("not_dicom", detail)
    in_hu = pictures.modality == HU_MODALITY
    if in_hu and kind != "nifti":
        detail = f"a {kind.upper()} picture of a CT has lost its Hounsfield units"
        raise RejectError("wrong_kind", detail)
    data = read_whole(read_at, size)
    fields = common_fields(kind, picture_id(path, member, pictures.roots), pictures.modality)
    if kind == "nifti":
        return fields | volume_fields(data, pictures.modality)
    return fields | flat_fields(data, lossy=kind == "jpeg")
