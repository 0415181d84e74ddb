"""archive/dataset/row_fields.py: a header's raw bytes become one row of the Index."""

import math
import re
import struct
import warnings
from typing import Literal

from pydicom.charset import convert_encodings, decode_bytes

from wetread.archive.dataset.header import Header
from wetread.archive.dataset.numbers import (
    is_blank,
    leading_numbers,
    needed_numbers,
    optional_numbers,
    tag_and_name,
    usable_spacing,
)
from wetread.archive.dataset.phantom_mark import PHANTOM, is_phantom
from wetread.archive.notes import note
from wetread.archive.rejects import RejectError
from wetread.archive.types import MutableRow

_TEXTS = {
    "SOPInstanceUID": 0x00080018,
    "SOPClassUID": 0x00080016,
    "SeriesInstanceUID": 0x0020000E,
    "StudyInstanceUID": 0x0020000D,
    "FrameOfReferenceUID": 0x00200052,
    "PatientSex": 0x00100040,
    "Modality": 0x00080060,
    "BodyPartExamined": 0x00180015,
    "ViewPosition": 0x00185101,
    "ImageType": 0x00080008,
    "PhotometricInterpretation": 0x00280004,
}
_FREE_TEXTS = {  # in the file's own character set
    "PatientID": 0x00100020,
    "Manufacturer": 0x00080070,
    "ManufacturerModelName": 0x00081090,
    "ConvolutionKernel": 0x00181210,
    "SeriesDescription": 0x0008103E,
    "RescaleType": 0x00281054,
}
_WHOLE = {
    "InstanceNumber": 0x00200013,
    "AcquisitionNumber": 0x00200012,
    "TemporalPositionIdentifier": 0x00200100,
    "EchoNumbers": 0x00180086,
}
_REAL = {
    "KVP": 0x00180060,
    "SliceThickness": 0x00180050,
    "EchoTime": 0x00180081,
    "TriggerTime": 0x00181060,
}
_BINARY = {"cardiac_phase_percent": 0x00209241, "DiffusionBValue": 0x00189087}  # VR FL, FD
_TEMPORAL_INDEX = 0x00209128  # VR UL
PIXEL_FORM = {
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "SamplesPerPixel": 0x00280002,
    "BitsAllocated": 0x00280100,
    "BitsStored": 0x00280101,
    "HighBit": 0x00280102,
    "PixelRepresentation": 0x00280103,
}
_RESCALE = {"RescaleSlope": 0x00281053, "RescaleIntercept": 0x00281052}
_WINDOWS = {"WindowCenter": 0x00281050, "WindowWidth": 0x00281051}
_PADDING = {"PixelPaddingValue": 0x00280120, "PixelPaddingRangeLimit": 0x00280121}
_META_CLASS, _META_INSTANCE, _SYNTAX = 0x00020002, 0x00020003, 0x00020010
_CHARSET, _AGE, _FRAMES, _LOSSY = 0x00080005, 0x00101010, 0x00280008, 0x00282110
_SPACING, _DETECTOR_SPACING = 0x00280030, 0x00181164
_POSITION, _ORIENTATION = 0x00200032, 0x00200037
_known_fields: dict[tuple[object, ...], MutableRow] = {}  # raw values to the columns they give
_MAX_KNOWN, _LONG_HEADER = 2048, 64 * 1024  # headers kept, bytes of one that is not kept
_MODALITY_LUT, _BURNED_IN, _MULTI_ENERGY = 0x00283000, 0x00280301, 0x00189361
_TIMES = {"content_time_s": 0x00080033, "acquisition_time_s": 0x00080032}
_ACQUIRED = 0x0008002A  # AcquisitionDateTime, which may stand for AcquisitionTime
_TIME_NAMES = {"content_time_s": "ContentTime", "acquisition_time_s": "AcquisitionTime"}
_NUMBER, _TRIGGER = 0x00200013, _REAL["TriggerTime"]
OWN = (  # elements that differ from file to file in one series
    *(_TEXTS["SOPInstanceUID"], _META_INSTANCE, _NUMBER, _POSITION, _TRIGGER),
    *(*_TIMES.values(), _ACQUIRED),
)
OWN_COLUMNS = frozenset(
    ("SOPInstanceUID", "InstanceNumber", "position_mm", "TriggerTime", *_TIMES)
)  # what `fill_own` fills in from them
_SHARED_GROUPS, _FRAME_GROUPS = 0x52009229, 0x52009230

MODALITY_TABLE = (
    "modality_lut"  # the note: values go through the file's table (archive/dataset/luts.py)
)
MULTI_ENERGY = "multi_energy"  # the note: (0018,9361) is YES

WANTED = frozenset(
    (
        *(*_TEXTS.values(), *_FREE_TEXTS.values(), *_WHOLE.values(), *_REAL.values()),
        *(*PIXEL_FORM.values(), *_RESCALE.values(), *_WINDOWS.values(), *_PADDING.values()),
        *(_CHARSET, _AGE, _FRAMES, _LOSSY, _SPACING, _DETECTOR_SPACING, _POSITION, _ORIENTATION),
        *(_MODALITY_LUT, _BURNED_IN, _MULTI_ENERGY, _SHARED_GROUPS, _FRAME_GROUPS),
        *(*_BINARY.values(), _TEMPORAL_INDEX, *_TIMES.values(), _ACQUIRED),
    )
)

_ALWAYS_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "53", "55", "81"))
_MAYBE_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{end}" for end in ("91", "111", "112", "203"))
_TIME_FORM = re.compile(r"(\d\d):?(\d\d)?:?(\d\d(?:\.\d{1,6})?)?$")
_DATE_FORM = re.compile(r"\s*\d{8}(\d{2,6}(?:\.\d{1,6})?)")  # of a DT; a zone may follow
_AGE_FORM = re.compile(r"(\d{1,3})\s*([YMWD]?)$")
_YEARS = {"Y": 1.0, "": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_ORDERS: dict[bool, Literal["little", "big"]] = {False: "little", True: "big"}
_SHORT = {False: struct.Struct("<H").unpack, True: struct.Struct(">H").unpack}
_FLOATS = {4: "f", 8: "d"}  # bytes to the code of struct
_SIGNED = {False: struct.Struct("<h").unpack, True: struct.Struct(">h").unpack}


def row_fields(header: Header) -> MutableRow:
    """Fill the columns of INDEX_SCHEMA from a header; absent values are absent keys.

    Raises RejectError `bad_number` or `bad_pixel_header`.
    """
    values = header.values
    rest = values.copy()
    for tag in OWN:
        rest.pop(tag, None)
    faults = header.meta_faults
    key = (header.syntax, header.big_endian, header.notes, faults, *rest, *rest.values())
    shared = _known_fields.get(key)
    if shared is None:
        shared = _shared_fields(header)
        if header.walk.pixel_offset < _LONG_HEADER:
            if len(_known_fields) >= _MAX_KNOWN:
                _known_fields.clear()
            _known_fields[key] = shared
    row = shared.copy()
    notes = row["notes"] = list(row["notes"])
    fill_own(row, values, notes)
    return row


def _shared_fields(header: Header) -> MutableRow:
    """Fill the columns that the files of a series have alike; they are kept for the next file."""
    values = header.values
    notes = [note("meta_out_of_form", fault) for fault in header.meta_faults]
    notes += [text for text in header.notes if text not in header.meta_faults]
    row: MutableRow = {"TransferSyntaxUID": header.syntax, "notes": notes}
    for name, tag in _TEXTS.items():
        raw = values.get(tag)
        if raw and tag not in OWN:
            text = raw.decode("latin-1").strip(" \0")
            if text:
                row[name] = text
    for name, tag in _FREE_TEXTS.items():
        raw = values.get(tag)
        if raw:
            text = _free_text(raw, values.get(_CHARSET)).strip(" \0")
            if text:
                row[name] = text
    _fill_class(row, values, notes)
    for name, tag in _WHOLE.items():
        if tag not in OWN:
            _fill_whole(row, values, tag, name, notes)
    for name, tag in _REAL.items():
        if tag not in OWN and (number := optional_numbers(values, tag, name, notes)):
            row[name] = number[0]
    for name, tag in _BINARY.items():
        raw = values.get(tag, b"")
        if code := _FLOATS.get(len(raw)):
            (binary,) = struct.unpack(("<", ">")[header.big_endian] + code, raw)
            row[name] = binary if math.isfinite(binary) else None
    if len(raw := values.get(_TEMPORAL_INDEX, b"")) == 4:
        row["TemporalPositionIndex"] = int.from_bytes(raw, _ORDERS[header.big_endian])
    for name, tag in _WINDOWS.items():
        if number := leading_numbers(values, tag, name, notes):
            row[name] = number
    _fill_age(row, values, notes)
    _fill_pixel_form(row, values, header.big_endian)
    _fill_place(row, values, notes)
    for name, tag in _RESCALE.items():
        if number := needed_numbers(values, tag, name, 1, notes):
            row[name] = number[0]
    for name, tag in (_RESCALE | _WINDOWS | {"NumberOfFrames": _FRAMES}).items():
        if is_blank(values.get(tag)):
            notes.append(note("number_blank", f"{tag_and_name(tag, name)} is blank"))
    if row.get("RescaleSlope") == 0.0:
        raise RejectError("bad_number", "(0028,1053) RescaleSlope is 0")
    row["lossy"] = _is_lossy(header.syntax, values.get(_LOSSY))
    if _MODALITY_LUT in values:
        notes.append(MODALITY_TABLE)
    if values.get(_BURNED_IN, b"").strip() == b"YES":
        notes.append("burned_in")
    if values.get(_MULTI_ENERGY, b"").strip() == b"YES":
        notes.append(MULTI_ENERGY)
    if is_phantom(values):
        notes.append(PHANTOM)
    return row


def fill_own(row: MutableRow, values: dict[int, bytes], notes: list[str]) -> None:
    """Fill the columns that differ from file to file: identifier, number, position, times."""
    name = "SOPInstanceUID"
    uid = values.get(_TEXTS[name], b"").decode("latin-1").strip(" \0")
    if not uid:
        uid = values.get(_META_INSTANCE, b"").decode("latin-1").strip(" \0")
        notes.append(f"{name} from the file meta" if uid else f"no {name}")
    if uid:
        row[name] = uid
        _note_illegal(uid, name, notes)
    if _NUMBER in values:
        _fill_whole(row, values, _NUMBER, "InstanceNumber", notes)
    else:
        notes.append("no InstanceNumber")
    if place := needed_numbers(values, _POSITION, "ImagePositionPatient", 3, notes):
        row["position_mm"] = place
    if number := optional_numbers(values, _TRIGGER, "TriggerTime", notes):
        row["TriggerTime"] = number[0]
    for column, tag in _TIMES.items():
        if tag in values:
            _fill_time(row, values[tag], column, notes)
    if _ACQUIRED in values and "acquisition_time_s" not in row:
        found = _DATE_FORM.match(values[_ACQUIRED].decode("latin-1"))
        if found:
            _fill_time(row, found[1].encode(), "acquisition_time_s", notes)


def _fill_whole(
    row: MutableRow, values: dict[int, bytes], tag: int, name: str, notes: list[str]
) -> None:
    if number := optional_numbers(values, tag, name, notes):
        row[name] = int(number[0]) if abs(number[0]) < 2**53 else None


def _free_text(raw: bytes, charset: bytes | None) -> str:
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    try:
        names = [name.strip() for name in (charset or b"").decode("latin-1").split("\\")]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escape sequences that are none; they quote values
            return str(decode_bytes(raw, convert_encodings(names), set()))
    except (LookupError, UnicodeError):
        return raw.decode("latin-1")


def _fill_class(row: MutableRow, values: dict[int, bytes], notes: list[str]) -> None:
    name = "SOPClassUID"
    if name not in row:
        text = values.get(_META_CLASS, b"").decode("latin-1").strip(" \0")
        if text:
            row[name] = text
            notes.append(f"{name} from the file meta")
        else:
            notes.append(f"no {name}")
    for name in ("SeriesInstanceUID", "StudyInstanceUID"):
        _note_illegal(row.get(name, ""), name, notes)


def _note_illegal(uid: str, name: str, notes: list[str]) -> None:
    if uid and not uid.replace(".", "").isdigit():
        notes.append(f"{name} is no legal UID")


def _fill_age(row: MutableRow, values: dict[int, bytes], notes: list[str]) -> None:
    text = values.get(_AGE, b"").decode("latin-1").strip(" \0").upper()
    if not text:
        return
    found = _AGE_FORM.match(text)
    if found is None:
        notes.append("PatientAge cannot be read")
        return
    row["age_years"] = int(found[1]) * _YEARS[found[2]]
    if not found[2]:
        notes.append("PatientAge without its unit: taken as years")


def _fill_time(row: MutableRow, raw: bytes | None, column: str, notes: list[str]) -> None:
    """Fill in seconds since midnight (TM, PS3.5 6.2, and its old form with colons)."""
    if not raw:
        return
    text = raw.decode("latin-1").strip(" \0")
    found = _TIME_FORM.match(text)
    if found:
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        row[column] = hours * 3600 + minutes * 60 + seconds
    elif text:
        notes.append(f"{_TIME_NAMES[column]} cannot be read")


def _fill_pixel_form(row: MutableRow, values: dict[int, bytes], big_endian: bool) -> None:
    unpack = _SHORT[big_endian]
    for name, tag in PIXEL_FORM.items():
        raw = values.get(tag)
        if raw:
            if len(raw) != 2:
                detail = f"{tag_and_name(tag, name)} has {len(raw)} bytes, not 2"
                row.setdefault("_bad_pixel_form", detail)
                continue
            row[name] = unpack(raw)[0]
    signed = row.get("PixelRepresentation") == 1
    for name, tag in _PADDING.items():
        raw = values.get(tag)
        if raw and len(raw) == 2:  # its VR, US or SS, is often wrong: the pixels' sign decides
            row[name] = (_SIGNED if signed else _SHORT)[big_endian](raw)[0]
    frames = needed_numbers(values, _FRAMES, "NumberOfFrames", 1, row["notes"])
    if frames == [0.0]:  # as other readers take it: one frame
        row["notes"].append(note("number_blank", "(0028,0008) NumberOfFrames is 0"))
    elif frames:
        row["NumberOfFrames"] = int(frames[0])


def _fill_place(row: MutableRow, values: dict[int, bytes], notes: list[str]) -> None:
    if orientation := needed_numbers(values, _ORIENTATION, "ImageOrientationPatient", 6, notes):
        row["orientation"] = orientation
    spacing = usable_spacing(values, _SPACING, "PixelSpacing", notes)
    if not spacing:
        spacing = usable_spacing(values, _DETECTOR_SPACING, "ImagerPixelSpacing", notes)
        if spacing:
            notes.append("spacing_from_detector")
    if spacing:
        row["row_spacing_mm"], row["column_spacing_mm"] = spacing


def _is_lossy(syntax: str, flag: bytes | None) -> bool | None:
    if syntax in _ALWAYS_LOSSY or (flag is not None and flag.strip() == b"01"):
        return True
    return None if syntax in _MAYBE_LOSSY else False
