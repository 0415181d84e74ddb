"""archive/dataset/luts.py: the look-up tables and windows that a file carries, as plain values.

PS3.3 C.11.1 (modality), C.11.2 (values of interest).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import SupportsInt

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from wetread.archive.containers.contents import open_contents
from wetread.archive.dataset.header import data_set_prefix, read_header
from wetread.archive.dataset.row_fields import WANTED
from wetread.archive.rejects import RejectError
from wetread.archive.types import IntegerArray, NumberArray, Row

VOI_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
Integers = SupportsInt | Sequence[SupportsInt]  # bytes among them
_FULL_TABLE = 1 << 16  # entries that a count of 0 stands for


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A look-up table: values up to `first` give entries[0], values past its end the last.

    entries: (n,) unsigned of `bits` bits. kind: what the entries are ("HU", "US", ...) or "".
    """

    first: int
    entries: IntegerArray
    bits: int
    kind: str = ""

    def apply(self, values: NumberArray) -> IntegerArray:
        """Look up values of any shape: entries, the same shape; a fraction is rounded down."""
        place = np.clip(np.floor(values).astype(np.int64) - self.first, 0, len(self.entries) - 1)
        found: IntegerArray = self.entries[place]
        return found


@dataclass(frozen=True)
class VoiWindow:
    """A window of the header: center and width in modality units, function one of
    VOI_FUNCTIONS."""

    center: float
    width: float
    function: str = "LINEAR"


def read_modality_table(row: Row) -> LookupTable | None:
    """Read the first item of the Modality LUT Sequence; None where it holds no table.

    Raises RejectError where there is one that cannot be read.
    """
    found, order = _data_set(row)
    item = _first_item(found, 0x00283000)
    return None if item is None else _table(item, order, signed=row["PixelRepresentation"] == 1)


def read_voi(row: Row) -> VoiWindow | LookupTable | None:
    """Read the file's VOI table, else its first window; None where it names neither.

    A row of a frame (key `frame`) gives that frame's own. A table that cannot be read gives way to
    a window. Raises RejectError where it names some, and none can be used.
    """
    found, order = _data_set(row)
    try:
        item = _first_item(found, 0x00283010)
        if item is not None:
            return _table(item, order, signed=_is_signed(item, row))
    except RejectError:
        if windows := _windows(found, row):
            return windows[0]
        raise
    windows = _windows(found, row)
    return windows[0] if windows else None


def read_windows(row: Row) -> list[VoiWindow]:
    """Read the usable windows of the header, in its order; empty where it names none.

    Raises RejectError where it names some, and none can be used.
    """
    return _windows(_data_set(row)[0], row)


def _windows(found: Dataset, row: Row) -> list[VoiWindow]:
    centers, widths = row["WindowCenter"] or [], row["WindowWidth"] or []
    if not centers or not widths:
        _refuse_half_a_window(row)
        return []
    try:
        groups = _of_frame(found, row.get("frame") or 0)
        named = groups.get("VOILUTFunction") or found.get("VOILUTFunction")
    except Exception as error:  # pydicom raises what it likes
        detail = f"the window's function cannot be read: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error
    functions = _functions(named)
    windows: list[VoiWindow] = []
    wrong: list[str] = []
    for number, (center, width) in enumerate(zip(centers, widths, strict=False)):
        function = functions[min(number, len(functions) - 1)]
        if function == "LINEAR" and 0 < width < 1:  # as other readers take it, on fractional values
            function = "LINEAR_EXACT"
        if width > 0:
            windows.append(VoiWindow(center, width, function))
        else:
            wrong.append(f"{width:g}")
    if not windows:
        raise RejectError("bad_number", f"(0028,1051) WindowWidth is {', '.join(wrong)}")
    return windows


def _refuse_half_a_window(row: Row) -> None:
    """Raise RejectError where one of center and width is there alone, or is no number."""
    notes = row["notes"] or ()
    names = {"WindowCenter": "(0028,1050)", "WindowWidth": "(0028,1051)"}
    for name, tag in names.items():
        if f"{name} is no number" in notes:
            raise RejectError("bad_number", f"{tag} {name} is no number")
    for name, tag in names.items():
        if not row[name] and any(row[other] for other in names):
            raise RejectError("bad_element", f"{tag} {name} is absent")


def _functions(value: object) -> list[str]:
    """Read (0028,1056), one or one a window, in the standard's words; LINEAR where absent."""
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    named = [str(entry or "").strip(" \0") for entry in several] or [""]
    functions = [re.sub("[ -]", "_", name.upper()) or "LINEAR" for name in named]
    for name, function in zip(named, functions, strict=True):
        if function not in VOI_FUNCTIONS:
            known = ", ".join(VOI_FUNCTIONS)
            detail = f"(0028,1056) VOILUTFunction is {name[:16]!r}, none of {known}"
            raise RejectError("bad_element", detail)
    return functions


def _is_signed(item: Dataset, row: Row) -> bool:
    """Whether a VOI table's first value is signed: as Pixel Representation says (PS3.3 C.11.2.1.1).

    Unsigned pixels may be rescaled to negative values: there it is signed where it would else lie
    above every value.
    """
    if row["PixelRepresentation"] == 1:
        return True
    slope = 1.0 if row["RescaleSlope"] is None else row["RescaleSlope"]
    intercept = row["RescaleIntercept"] or 0.0
    ends = (intercept, ((1 << row["BitsStored"]) - 1) * slope + intercept)
    try:
        first = _integers(item["LUTDescriptor"].value, "<")[1] % _FULL_TABLE
    except Exception:  # pydicom raises what it likes: the table says what is wrong
        return False
    return bool(min(ends) < 0 and first > max(ends))


def _of_frame(found: Dataset, number: int) -> Dataset:
    """Find the Frame VOI LUT item of a frame, else the shared one, else an empty one."""
    frames = found.get("PerFrameFunctionalGroupsSequence") or ()
    shared = found.get("SharedFunctionalGroupsSequence") or ()
    own = [frames[number]] if number < len(frames) else []
    for item in (*own, *shared):
        if inside := item.get("FrameVOILUTSequence"):
            return Dataset(inside[0])
    return Dataset()


def _data_set(row: Row) -> tuple[Dataset, str]:
    """Read (everything before the pixels, the byte order of its numbers, "<" or ">")."""
    with open_contents(row["path"], row["member"]) as (read_at, size):
        data, implicit, little = data_set_prefix(read_at, size, read_header(read_at, size, WANTED))
    try:
        return Dataset(read_dataset(BytesIO(data), implicit, little)), "<" if little else ">"
    except Exception as error:  # pydicom raises what it likes
        detail = f"the header cannot be read as a whole: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error


def _first_item(found: Dataset, tag: int) -> Dataset | None:
    """Find the first item of a sequence of tables; None where it has no entries."""
    try:
        items = found[tag].value if tag in found else None
        return items[0] if items and items[0].get("LUTData") not in (None, b"", "", []) else None
    except Exception as error:  # pydicom raises what it likes
        detail = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) cannot be read: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error


def _table(item: Dataset, order: str, *, signed: bool) -> LookupTable:
    """Read the table of one item. Raises RejectError `bad_element` where its parts disagree."""
    try:
        descriptor = _integers(item["LUTDescriptor"].value, order)
        raw = item["LUTData"].value
        kind = str(item.get("ModalityLUTType") or "")
    except Exception as error:  # pydicom raises what it likes
        detail = f"a look-up table cannot be read: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error
    if len(descriptor) != 3:
        raise RejectError("bad_element", f"(0028,3002) LUTDescriptor has {len(descriptor)} values")
    count, first, bits = descriptor[0] % _FULL_TABLE or _FULL_TABLE, descriptor[1], descriptor[2]
    first %= _FULL_TABLE  # its VR, US or SS, is often wrong
    if signed and first >= 1 << 15:
        first -= _FULL_TABLE
    if not 8 <= bits <= 16:
        raise RejectError("bad_element", f"(0028,3002) LUTDescriptor names {bits} bits")
    entries = _entries(raw, count, order)
    if len(entries) < count:
        detail = f"(0028,3006) LUTData has {len(entries)} entries, the descriptor says {count}"
        raise RejectError("bad_element", detail)
    entries = entries[:count]
    return LookupTable(first, entries, max(bits, int(entries.max()).bit_length()), kind)


def _entries(raw: Integers, count: int, order: str) -> IntegerArray:
    """Read LUTData of VR US, SS or OW: (n,) uint16.

    Entries of 8 bits may lie two in a word, the first in its low byte (PS3.3 C.11.2.1.1).
    """
    if isinstance(raw, bytes):
        words = np.frombuffer(raw[: len(raw) // 2 * 2], f"{order}u2")
    else:
        words = np.array(_integers(raw, order), np.int64).astype(np.uint16)
    if len(words) < count <= 2 * len(words):
        return words.astype("<u2").view(np.uint8).astype(np.uint16)
    return words.astype(np.uint16)


def _integers(value: Integers, order: str) -> list[int]:
    """Read the numbers of a value of VR US or SS, or its two-byte words where it has no VR."""
    if isinstance(value, bytes):
        return [int(entry) for entry in np.frombuffer(value[: len(value) // 2 * 2], f"{order}u2")]
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [int(entry) for entry in several]
