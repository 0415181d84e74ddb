"""phantoms/dicom/elements.py: values become the elements of a DICOM file, numbers identifiers."""

from __future__ import annotations

from collections.abc import Iterable
from struct import pack

import numpy as np
from numpy.typing import NDArray

from wetread.archive.dataset.phantom_mark import PHANTOM_IMPLEMENTATION
from wetread.phantoms.random_streams import Stream, seed_sequence

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"

# Group, number, VR, value: text, one unsigned short, or bytes as they stand in the file
Element = tuple[int, int, str, str | int | bytes]
LONG_FORM = frozenset({"OB", "OW"})  # explicit VRs with a 32 bit length (PS3.5, 7.1.2)


def scramble(number: int, bits: int, key: int) -> int:
    """Permute 0 .. 2**bits - 1, one to one: different numbers never share an identifier.

    key: any integer; another key gives another permutation.
    """
    mask, half = (1 << bits) - 1, bits // 2
    for turn in range(3):
        odd = ((key >> (turn * 7)) * 2 + 0x9E3779B97F4A7C15 + 2 * turn) & mask | 1
        number = (number * odd + key) & mask
        number ^= number >> half
    return number


def identifier_key(seed: int) -> int:
    """Derive the key of 64 bits that scrambles the identifiers of a seed's archive."""
    return int(seed_sequence(seed, Stream.IDENTIFIERS).generate_state(1, np.uint64)[0])


def element(group: int, number: int, vr: str, value: bytes, implicit: bool) -> bytes:
    """Encode one data element, its value padded to an even length (PS3.5, 7.1).

    implicit: without its VR, as in Implicit VR Little Endian.
    """
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    tag = pack("<HH", group, number)
    if implicit:
        return tag + pack("<I", len(value)) + value
    if vr in LONG_FORM:
        return tag + vr.encode() + b"\0\0" + pack("<I", len(value)) + value
    return tag + vr.encode() + pack("<H", len(value)) + value


def encode_elements(elements: Iterable[Element], *, implicit: bool) -> bytes:
    """Encode elements in ascending order of their tags; numbers are US, text is ASCII."""
    return b"".join(
        element(group, number, vr, _value_bytes(value), implicit)
        for group, number, vr, value in sorted(elements, key=lambda one: one[:2])
    )


def _value_bytes(value: str | int | bytes) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return pack("<H", value) if isinstance(value, int) else value


def pixel_data(stored: NDArray[np.generic]) -> Element:
    """Make the native Pixel Data element of stored integers (H, W), little endian."""
    return 0x7FE0, 0x10, "OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes()


def encapsulated(codestream: bytes) -> bytes:
    """Encode the Pixel Data of one frame in one fragment, its offset table empty (PS3.5, A.4)."""
    stream = codestream + b"\0" * (len(codestream) % 2)
    head = pack("<HH", 0x7FE0, 0x10) + b"OB\0\0\xff\xff\xff\xff"
    items = pack("<HHI", 0xFFFE, 0xE000, 0) + pack("<HHI", 0xFFFE, 0xE000, len(stream)) + stream
    return head + items + pack("<HHI", 0xFFFE, 0xE0DD, 0)


def file_meta(sop_class: str, instance: str, syntax: str) -> bytes:
    """Encode preamble and file meta information (PS3.10, 7.1) for a SOP class and instance."""
    body = b"".join(
        element(2, number, vr, value, False)
        for number, vr, value in (
            (0x01, "OB", b"\0\1"),
            (0x02, "UI", sop_class.encode()),
            (0x03, "UI", instance.encode()),
            (0x10, "UI", syntax.encode()),
            (0x12, "UI", PHANTOM_IMPLEMENTATION.encode()),
            (0x13, "SH", b"WETREAD-PHANTOM"),
        )
    )
    return bytes(128) + b"DICM" + element(2, 0, "UL", pack("<I", len(body)), False) + body
