"""archive/luts.py: the look-up tables and windows that a file carries, as plain values.

PS3.3 C.11.1 (modality), C.11.2 (values of interest).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from wetread.archive.contents import opened
from wetread.archive.fields import WANTED
from wetread.archive.header import data_set_prefix, read_header
from wetread.archive.rejects import RejectError

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_FULL_TABLE = 1 << 16  # entries that a count of 0 stands for


@dataclass(frozen=True, eq=False)
class Table:
    """A look-up table: values up to `first` give entries[0], values past its end the last.

    entries: (n,) unsigned of `bits` bits. kind: what the entries are ("HU", "US", ...) or "".
    """

    first: int
    entries: np.ndarray
    bits: int
    kind: str = ""

    def look_up(self, values: np.ndarray) -> np.ndarray:
        """Any shape of numbers to entries of the same shape; a fraction counts as what is below."""
        place = np.clip(np.floor(values).astype(np.int64) - self.first, 0, len(self.entries) - 1)
        found: np.ndarray = self.entries[place]
        return found


@dataclass(frozen=True)
class Window:
    """A window of the header: center and width in modality units, function one of FUNCTIONS."""

    center: float
    width: float
    function: str = "LINEAR"


def read_modality_table(row: Mapping[str, Any]) -> Table | None:
    """The first item of the Modality LUT Sequence; None where it holds no table.

    RejectError where there is one that cannot be read.
    """
    found, order = _data_set(row)
    item = _first_item(found, 0x00283000)
    return None if item is None else _table(item, order, signed=row["PixelRepresentation"] == 1)


def read_voi(row: Mapping[str, Any]) -> Window | Table | None:
    """What the file says of its presentation: its VOI table, else its first window, else None.

    A row of a frame (key `frame`) gives that frame's own. RejectError where it cannot be read.
    """
    found, order = _data_set(row)
    item = _first_item(found, 0x00283010)
    if item is not None:  # values after the modality transform may be negative
        return _table(item, order, signed=True)
    groups = _of_frame(found, row.get("frame") or 0)
    centers, widths = row["WindowCenter"], row["WindowWidth"]
    if not centers or not widths:
        return None
    function = str(groups.get("VOILUTFunction") or found.get("VOILUTFunction") or "LINEAR").strip()
    if function not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        detail = f"(0028,1056) VOILUTFunction is {function[:16]!r}, none of {known}"
        raise RejectError("bad_element", detail)
    if widths[0] < (1 if function == "LINEAR" else 0) or widths[0] == 0:
        raise RejectError("bad_number", f"(0028,1051) WindowWidth is {widths[0]} for {function}")
    return Window(centers[0], widths[0], function)


def _of_frame(found: Dataset, number: int) -> Dataset:
    """The Frame VOI LUT item of a frame, else the shared one, else an empty one."""
    frames = found.get("PerFrameFunctionalGroupsSequence") or ()
    shared = found.get("SharedFunctionalGroupsSequence") or ()
    own = [frames[number]] if number < len(frames) else []
    for item in (*own, *shared):
        if inside := item.get("FrameVOILUTSequence"):
            return Dataset(inside[0])
    return Dataset()


def _data_set(row: Mapping[str, Any]) -> tuple[Dataset, str]:
    """(everything before the pixels, the byte order of its numbers, "<" or ">")."""
    with opened(row["path"], row["member"]) as (read_at, size):
        data, implicit, little = data_set_prefix(read_at, size, read_header(read_at, size, WANTED))
    try:
        return Dataset(read_dataset(BytesIO(data), implicit, little)), "<" if little else ">"
    except Exception as error:  # pydicom raises what it likes
        detail = f"the header cannot be read as a whole: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error


def _first_item(found: Dataset, tag: int) -> Dataset | None:
    """The first item of a sequence of tables; None where it has no entries."""
    try:
        items = found[tag].value if tag in found else None
        return items[0] if items and items[0].get("LUTData") not in (None, b"", "", []) else None
    except Exception as error:  # pydicom raises what it likes
        detail = f"({tag >> 16:04X},{tag & 0xFFFF:04X}) cannot be read: {type(error).__name__}"
        raise RejectError("bad_element", detail) from error


def _table(item: Dataset, order: str, *, signed: bool) -> Table:
    """The table of one item; RejectError `bad_element` where its parts disagree."""
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
    if signed and first >= 1 << 15:
        first -= _FULL_TABLE
    if not 8 <= bits <= 16:
        raise RejectError("bad_element", f"(0028,3002) LUTDescriptor names {bits} bits")
    entries = _entries(raw, count, order)
    if len(entries) < count:
        detail = f"(0028,3006) LUTData has {len(entries)} entries, the descriptor says {count}"
        raise RejectError("bad_element", detail)
    return Table(first, entries[:count], bits, kind)


def _entries(raw: Any, count: int, order: str) -> np.ndarray:
    """LUTData of VR US, SS or OW; 8-bit entries may lie two in a word."""
    if isinstance(raw, bytes):
        width = f"{order}u2" if len(raw) >= 2 * count else "u1"
        return np.frombuffer(raw[: len(raw) // 2 * 2], width).astype(np.uint16)
    return np.array(_integers(raw, order), np.int64).astype(np.uint16)


def _integers(value: Any, order: str) -> list[int]:
    """The numbers of a value of VR US or SS, or its two-byte words where the VR is not known."""
    if isinstance(value, bytes):
        return [int(one) for one in np.frombuffer(value[: len(value) // 2 * 2], f"{order}u2")]
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return [int(one) for one in several]
