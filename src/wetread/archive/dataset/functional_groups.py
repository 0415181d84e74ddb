"""archive/dataset/functional_groups.py: an enhanced object's groups become columns of frames.

PS3.3 C.7.6.16: an attribute comes from the frame's own item, else from the shared one, else from
the top level.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from typing import SupportsFloat, cast

import pydicom
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from wetread.archive.dataset.header import Header, data_set_prefix
from wetread.archive.dataset.numbers import spacing_fault
from wetread.archive.notes import note
from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow, ReadAt

SHARED_GROUPS, FRAME_GROUPS = 0x52009229, 0x52009230
# group, keyword, columns; one value a column, or all in one
_LISTS = (
    ("PlanePositionSequence", "ImagePositionPatient", "position_mm", 3),
    ("PlaneOrientationSequence", "ImageOrientationPatient", "orientation", 6),
)
_NUMBERS = (
    ("PixelMeasuresSequence", "SliceThickness", "SliceThickness"),
    ("PixelValueTransformationSequence", "RescaleSlope", "RescaleSlope"),
    ("PixelValueTransformationSequence", "RescaleIntercept", "RescaleIntercept"),
    ("CTXRayDetailsSequence", "KVP", "KVP"),
    ("MREchoSequence", "EffectiveEchoTime", "EchoTime"),
    ("MRDiffusionSequence", "DiffusionBValue", "DiffusionBValue"),
    ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase", "cardiac_phase_percent"),
    ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "TriggerTime"),
)
_WHOLE = (
    ("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber"),
    ("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIndex"),
)
_TEXTS = (
    ("PixelValueTransformationSequence", "RescaleType", "RescaleType"),
    ("FrameContentSequence", "StackID", "stack_id"),
    ("CTReconstructionSequence", "ConvolutionKernel", "ConvolutionKernel"),
    *(
        (f"{kind}FrameTypeSequence", "FrameType", "ImageType")
        for kind in ("CTImage", "MRImage", "PET", "XRay3D")
    ),
)
_DATE_TIME = re.compile(r"\d{8}(\d\d)(\d\d)?(\d\d(?:\.\d{1,6})?)?")
_WINDOWS = ("WindowCenter", "WindowWidth")


def fill_from_functional_groups(
    fields: MutableRow, header: Header, read_at: ReadAt, size: int
) -> None:
    """Fill the columns of frame 1 into an object's row; nothing without functional groups."""
    if SHARED_GROUPS not in header.values and FRAME_GROUPS not in header.values:
        return
    try:
        shared, own = functional_groups(read_at, size, header)
        fields.update(group_columns(shared) | group_columns(own[0] if own else Dataset()))
    except RejectError as error:
        fields["notes"].append(f"functional groups cannot be read: {error.detail}")
        return
    faults = Counter(fault for item in (shared, *own) if (fault := _spacing(item)[1]))
    fields["notes"] += [
        note("spacing_unusable", f"(0028,0030) PixelSpacing {fault} in {count} functional groups")
        for fault, count in faults.items()
    ]
    fields["notes"].append("multi-frame: position, spacing and rescale are those of frame 1")


def functional_groups(read_at: ReadAt, size: int, header: Header) -> tuple[Dataset, list[Dataset]]:
    """Read (the shared item, one item a frame). Raises RejectError `bad_element`."""
    data, implicit, little = data_set_prefix(read_at, size, header)
    try:
        found = read_dataset(BytesIO(data), implicit, little)
        shared = found[SHARED_GROUPS].value if SHARED_GROUPS in found else ()
        own = found[FRAME_GROUPS].value if FRAME_GROUPS in found else ()
        return (shared[0] if shared else Dataset()), list(own or ())
    except Exception as error:  # pydicom raises what it likes
        detail = f"(5200,9229) and (5200,9230) cannot be read: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error


def group_columns(item: Dataset) -> MutableRow:
    """Read the columns of INDEX_SCHEMA, and `stack_id`, that one item of functional groups fills.

    Raises RejectError `bad_number` or `bad_element`.
    """
    columns: MutableRow = {}
    for group, keyword, column, count in _LISTS:
        if found := _values(_first(item, group), keyword):
            if len(found) != count:
                detail = f"{keyword} of {group} has {len(found)} values, not {count}"
                raise RejectError("bad_number", detail)
            columns[column] = found
    spacing, fault = _spacing(item)
    if spacing or fault:
        columns["row_spacing_mm"], columns["column_spacing_mm"] = spacing or (None, None)
    for group, keyword, column in _NUMBERS:
        if found := _values(_first(item, group), keyword):
            columns[column] = found[0]
    for group, keyword, column in _WHOLE:
        if found := _values(_first(item, group), keyword):
            columns[column] = int(found[0])
    for group, keyword, column in _TEXTS:
        if text := _text(_value(_first(item, group), keyword)):
            columns[column] = text
    _fill_time(columns, _first(item, "FrameContentSequence"))
    if columns.get("RescaleSlope") == 0.0:
        raise RejectError("bad_number", "(0028,1053) RescaleSlope is 0")
    for keyword in _WINDOWS:
        if found := _values(_first(item, "FrameVOILUTSequence"), keyword):
            columns[keyword] = found
    return columns


def _spacing(item: Dataset) -> tuple[list[float], str | None]:
    """Read ([between rows, between columns] mm, empty where there is none; its fault in words)."""
    try:
        found = _values(_first(item, "PixelMeasuresSequence"), "PixelSpacing")
    except RejectError:
        return [], "is no number"
    fault = spacing_fault(found) if found else None
    return ([] if fault else found), fault


def _text(value: object) -> str:
    """Join values by a backslash; "" where there is none."""
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return "\\".join(str(part) for part in several if part is not None).strip(" \0")


def _fill_time(columns: MutableRow, content: Dataset) -> None:
    """Fill in the seconds since midnight of FrameAcquisitionDateTime (DT, PS3.5 6.2)."""
    found = _DATE_TIME.match(_text(_value(content, "FrameAcquisitionDateTime")))
    if found:
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        columns["acquisition_time_s"] = hours * 3600 + minutes * 60 + seconds


def _first(item: Dataset, sequence: str) -> Dataset:
    inside = _value(item, sequence)
    return inside[0] if isinstance(inside, pydicom.Sequence) and inside else Dataset()


def _value(item: Dataset, keyword: str) -> object:
    """Read an element's value, which pydicom parses here. Raises RejectError `bad_element`."""
    try:
        return item.get(keyword)
    except Exception as error:  # pydicom raises what it likes
        detail = f"{keyword} of a functional group cannot be read: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error


def _values(item: Dataset, keyword: str) -> list[float]:
    """Read the finite numbers of an element; empty where it is absent or empty."""
    value = _value(item, keyword)
    if value is None or value == "":
        return []
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    try:
        found = [float(number) for number in cast(Sequence[SupportsFloat], several)]
    except (TypeError, ValueError):
        raise RejectError("bad_number", f"{keyword} of a functional group is no number") from None
    if not all(map(math.isfinite, found)):
        raise RejectError("bad_number", f"{keyword} of a functional group is not finite")
    return found
