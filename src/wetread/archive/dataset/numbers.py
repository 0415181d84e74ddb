"""archive/dataset/numbers.py: the numbers of a header's elements."""

import math
import re

from wetread.archive.identity.privacy import describe_presence, is_sound
from wetread.archive.notes import note
from wetread.archive.rejects import RejectError

_THOUSANDS = re.compile(rb"\s*[+-]?[1-9]\d{0,2},\d{3}[\s\0]*")


def numbers(raw: bytes) -> list[float]:
    """Parse the numbers of a DS or IS. Raises ValueError where one is no finite number."""
    if b"_" in raw:  # Python's float would take it
        raise ValueError("an underscore")
    found = [float(part) for part in raw.decode("latin-1").strip(" \0").split("\\")]
    if not all(map(math.isfinite, found)):
        raise ValueError("not finite")
    return found


def _parsed(raw: bytes, name: str, notes: list[str]) -> list[float] | None:
    """Parse the numbers; None where empty. Raises ValueError where they are none.

    One comma in a value is a decimal point, but where it may as well part thousands: `1,024`.
    """
    if is_blank(raw):
        return None
    try:
        return numbers(raw)
    except ValueError:
        if b"," not in raw or any(map(_THOUSANDS.fullmatch, raw.split(b"\\"))):
            raise
    found = numbers(raw.replace(b",", b"."))
    notes.append(f"{name} has a decimal comma")
    return found


def is_blank(raw: bytes | None) -> bool:
    """Whether an element is there and holds nothing: no bytes, or blanks and separators."""
    return raw is not None and not raw.strip(b" \0\\")


def optional_numbers(
    values: dict[int, bytes], tag: int, name: str, notes: list[str]
) -> list[float] | None:
    """Read the numbers of an element; None where it is absent, or wrong, which is noted."""
    raw = values.get(tag)
    if not raw:
        return None
    try:
        return _parsed(raw, name, notes)
    except ValueError:
        notes.append(f"{name} is no number")
        return None


def leading_numbers(
    values: dict[int, bytes], tag: int, name: str, notes: list[str]
) -> list[float] | None:
    """Read the numbers of an element up to the first value that is none, which is noted."""
    found = optional_numbers(values, tag, name, notes)
    if found is not None or not (raw := values.get(tag)):
        return found
    leading: list[float] = []
    for part in raw.split(b"\\"):
        try:
            leading += numbers(part)
        except ValueError:
            break
    return leading or None


def needed_numbers(
    values: dict[int, bytes], tag: int, name: str, count: int, notes: list[str]
) -> list[float] | None:
    """Read the numbers of an element that may be absent but, where present, must be right.

    Raises RejectError `bad_number` for what is no number, or not count of them.
    """
    raw = values.get(tag)
    if not raw:
        return None
    try:
        found = _parsed(raw, name, notes)
    except ValueError:
        text = raw.decode("latin-1").strip(" \0")
        shown = repr(text) if is_sound(text, "DS") else describe_presence(len(text))
        raise RejectError(
            "bad_number", f"{tag_and_name(tag, name)} is {shown}, no number"
        ) from None
    if found is not None and len(found) != count:
        detail = f"{tag_and_name(tag, name)} has {len(found)} values, not {count}"
        raise RejectError("bad_number", detail)
    return found


def usable_spacing(
    values: dict[int, bytes], tag: int, name: str, notes: list[str]
) -> list[float] | None:
    """Read [between rows, between columns] mm; None where absent or no pair of lengths above 0.

    Anonymizers and converters write `0\\0`, blanks or one value where there is no spacing: noted.
    """
    raw = values.get(tag)
    if raw is None:
        return None
    try:
        found = _parsed(raw, name, notes)
        fault = None if found is not None else "is blank"
    except ValueError:
        found, fault = None, "is no number"
    if found is not None:
        fault = spacing_fault(found)
    if fault is None:
        return found
    notes.append(note("spacing_unusable", f"{tag_and_name(tag, name)} {fault}"))
    return None


def spacing_fault(found: list[float]) -> str | None:
    """Describe why numbers are no spacing; None where they are one."""
    if len(found) != 2:
        return f"has {len(found)} values, not 2"
    return f"is {found[0]:g}\\{found[1]:g}" if min(found) <= 0 else None


def tag_and_name(tag: int, name: str) -> str:
    """Name an element as errors do: `(0028,1053) RescaleSlope`."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name}"
