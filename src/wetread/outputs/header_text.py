"""outputs/header_text.py: a header's elements as people read them: tag, VR, keyword, value.

What identifies stands as "present, n characters" (archive/identity/privacy.py) unless it is
asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.charset import convert_encodings, decode_bytes

from wetread.archive.containers.contents import open_contents
from wetread.archive.dataset.dump import ITEM, Element, dump_elements
from wetread.archive.dataset.elements import UNDEFINED
from wetread.archive.files.foreign_text import escaped
from wetread.archive.identity.privacy import describe_presence, is_sound, is_withheld
from wetread.archive.rejects import RejectError

_CHARSET = 0x00080005
_TEXTS = frozenset(
    {
        "AE",
        "AS",
        "CS",
        "DA",
        "DS",
        "DT",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "ST",
        "TM",
        "UC",
        "UI",
        "UR",
        "UT",
    }
)
_ENCODED = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})  # in the file's character set
_NUMBERS = {
    "US": "u2", "SS": "i2", "UL": "u4", "SL": "i4", "UV": "u8", "SV": "i8", "FL": "f4", "FD": "f8",
}  # fmt: skip
_MOST_NUMBERS = 64


@dataclass(frozen=True)
class HeaderLine:
    """One line of a header.

    depth: sequences around it; tag: "(0010,0010)" or "item 1"; value: text, made printable; form:
    "value", "withheld", "bytes", "items", or "fault" of the line that says where the header ends.
    """

    depth: int
    tag: str
    vr: str
    keyword: str
    value: str
    form: str


def header_lines(
    path: str, member: str | None = None, *, identifiers: str = "withhold"
) -> Iterator[HeaderLine]:
    """Yield a file's header line by line; its last line says where it is damaged, if it is.

    identifiers: "withhold", or "show" the values that identify.
    """
    if identifiers not in ("withhold", "show"):
        raise ValueError(f"identifiers is 'withhold' or 'show', not {identifiers!r}")
    charset: list[str] | None = None
    try:
        with open_contents(path, member) as (read_at, size):
            for element in dump_elements(read_at, size):
                if element.tag == _CHARSET and not element.within:
                    charset = _encodings(element.value)
                yield _line(element, charset, identifiers)
    except RejectError as reject:
        yield HeaderLine(0, "", "", "", f"{reject.reason}: {reject.detail}", "fault")


def _line(element: Element, charset: list[str] | None, identifiers: str) -> HeaderLine:
    depth = len(element.within)
    if element.tag == ITEM:
        return HeaderLine(depth, f"item {element.number}", "", "", "", "items")
    withheld = identifiers == "withhold" and (
        is_withheld(element.tag, element.meaning)
        or any(is_withheld(tag, "SQ") for tag in element.within)
    )
    if element.meaning in _TEXTS and element.value:
        value, form = _text_value(element, charset, identifiers if not withheld else "never")
    else:
        value, form = _other_value(element, withheld)
    tag = f"({element.tag >> 16:04X},{element.tag & 0xFFFF:04X})"
    return HeaderLine(depth, tag, element.vr, element.keyword, value, form)


def _text_value(element: Element, charset: list[str] | None, identifiers: str) -> tuple[str, str]:
    """Return (text, form); no value of its VR may be another element's, and is withheld."""
    text = _decoded(element.value, charset if element.meaning in _ENCODED else None)
    if identifiers == "never":
        return describe_presence(len(text)), "withheld"
    if identifiers == "withhold" and not is_sound(text, element.meaning):
        return f"{describe_presence(len(text))}, no {element.vr}", "withheld"
    return escaped(text), "value"


def _other_value(element: Element, withheld: bool) -> tuple[str, str]:
    """Return (text, form) of numbers, tags, bytes and sequences."""
    raw, order = element.value, ">" if element.big_endian else "<"
    if element.meaning == "SQ":
        return "", "items"
    if element.length == UNDEFINED:
        return "encapsulated", "bytes"
    if not raw:
        return f"{element.length} bytes" if element.length else "", "bytes"
    if withheld:
        return describe_presence(len(raw), "byte"), "withheld"
    if element.meaning == "AT":
        pairs = np.frombuffer(raw[: len(raw) // 4 * 4], f"{order}u2").reshape(-1, 2)
        shown = [f"({group:04X},{number:04X})" for group, number in pairs[:_MOST_NUMBERS]]
        return "\\".join(shown), "value"
    if element.meaning in _NUMBERS:
        dtype = np.dtype(order + _NUMBERS[element.meaning])
        whole = raw[: len(raw) // dtype.itemsize * dtype.itemsize]
        values = np.frombuffer(whole, dtype)
        more = ["..."] if len(values) > _MOST_NUMBERS else []
        return "\\".join([*map(str, values[:_MOST_NUMBERS].tolist()), *more]), "value"
    return f"{len(raw)} bytes", "bytes"


def _encodings(raw: bytes) -> list[str] | None:
    """Return Python's names of the file's character sets; None: the default."""
    names = [name.strip(" \0") for name in raw.decode("latin-1").split("\\")]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote the value
            return convert_encodings(names)
    except (LookupError, ValueError):
        return None


def _decoded(raw: bytes, charset: list[str] | None) -> str:
    """Return text without its padding; bytes that cannot be read become U+FFFD."""
    if charset is None or (raw.isascii() and b"\x1b" not in raw):
        return raw.decode("latin-1").rstrip(" \0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(decode_bytes(raw, charset, set())).rstrip(" \0")
    except (LookupError, UnicodeError):
        return raw.decode("latin-1").rstrip(" \0")
