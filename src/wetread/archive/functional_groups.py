"""archive/functional_groups.py: an enhanced multi-frame object's first frame fills its row."""

from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from wetread.archive.header import Header, data_set_prefix
from wetread.archive.sources import ReadAt

_SHARED, _PER_FRAME = 0x52009229, 0x52009230


def fill_from_functional_groups(
    fields: dict[str, Any], header: Header, read_at: ReadAt, size: int
) -> None:
    """Position, orientation, spacing and rescale of frame 1 (PS3.3 C.7.6.16); other files: nothing.

    A frame's own item goes before the shared one.
    """
    if _SHARED not in header.values and _PER_FRAME not in header.values:
        return
    data, implicit, little = data_set_prefix(read_at, size, header)
    try:
        found = read_dataset(BytesIO(data), implicit, little)
        items = [found[tag].value[0] for tag in (_PER_FRAME, _SHARED) if found.get(tag)]
        for item in items:
            _fill(fields, item)
    except Exception as error:  # pydicom raises what it likes
        fields["notes"].append(f"functional groups cannot be read: {type(error).__name__}")
        return
    fields["notes"].append("multi-frame: position, spacing and rescale are those of frame 1")


def _fill(fields: dict[str, Any], item: Dataset) -> None:
    def first(sequence: str) -> Dataset:
        inside = item.get(sequence)
        return inside[0] if inside else pydicom.Dataset()

    measures, transform = first("PixelMeasuresSequence"), first("PixelValueTransformationSequence")
    found: dict[str, Any] = {
        "position_mm": first("PlanePositionSequence").get("ImagePositionPatient"),
        "orientation": first("PlaneOrientationSequence").get("ImageOrientationPatient"),
    }
    for name, value in found.items():
        if value:
            fields.setdefault(name, [float(number) for number in value])
    if measures.get("PixelSpacing"):
        rows, columns = (float(number) for number in measures.PixelSpacing)
        fields.setdefault("row_spacing_mm", rows)
        fields.setdefault("column_spacing_mm", columns)
    for name, source in (
        ("SliceThickness", measures),
        ("RescaleSlope", transform),
        ("RescaleIntercept", transform),
    ):
        if source.get(name) is not None:
            fields.setdefault(name, float(source[name].value))
