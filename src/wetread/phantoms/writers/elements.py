"""phantoms/writers/elements.py: values become the elements of a DICOM file, numbers its
identifiers."""

from __future__ import annotations

from struct import pack

import numpy as np

from wetread.archive.dataset.phantom_mark import PHANTOM_IMPLEMENTATION

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
LONG_FORM = frozenset({"OB", "OW"})  # explicit VRs with a 32 bit length (PS3.5, 7.1.2)


def scramble(number: int, bits: int, key: int) -> int:
    """One to one on 0 .. 2**bits - 1: different numbers never share an identifier."""
    mask, half = (1 << bits) - 1, bits // 2
    for turn in range(3):
        odd = ((key >> (turn * 7)) * 2 + 0x9E3779B97F4A7C15 + 2 * turn) & mask | 1
        number = (number * odd + key) & mask
        number ^= number >> half
    return number


def identifier_key(seed: int) -> int:
    """What scrambles the identifiers of a seed's archive, 64 bits."""
    return int(np.random.SeedSequence(seed, spawn_key=(3,)).generate_state(1, np.uint64)[0])


def element(group: int, number: int, vr: str, value: bytes, implicit: bool) -> bytes:
    """One data element, padded to an even length."""
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    tag = pack("<HH", group, number)
    if implicit:
        return tag + pack("<I", len(value)) + value
    if vr in LONG_FORM:
        return tag + vr.encode() + b"\0\0" + pack("<I", len(value)) + value
    return tag + vr.encode() + pack("<H", len(value)) + value


def encapsulated(codestream: bytes) -> bytes:
    """Pixel Data of one frame in one fragment, with an empty offset table (PS3.5, A.4)."""
    stream = codestream + b"\0" * (len(codestream) % 2)
    head = pack("<HH", 0x7FE0, 0x10) + b"OB\0\0\xff\xff\xff\xff"
    items = pack("<HHI", 0xFFFE, 0xE000, 0) + pack("<HHI", 0xFFFE, 0xE000, len(stream)) + stream
    return head + items + pack("<HHI", 0xFFFE, 0xE0DD, 0)


def file_meta(sop_class: str, instance: str, syntax: str) -> bytes:
    """Preamble and file meta information (PS3.10, 7.1)."""
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
