"""phantoms/head/dicom.py: one slice becomes the bytes of a DICOM file in the competition's dress.

The same 22 elements as the competition's files: no SOP Class UID in the data set, no
InstanceNumber, no SliceThickness, UIDs that are `ID_` and hexadecimal digits. Numbers have a fixed
width, so that every file of one form has the same size.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

import numpy as np

from wetread.phantoms.writers.elements import (
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    element,
    file_meta,
    identifier_key,
    scramble,
)
from wetread.phantoms.writers.scanner import Scan, Stored

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True)
class Names:
    """Identifiers of one slice, each `ID_` and hexadecimal digits."""

    image: str
    series: str
    study: str
    patient: str


@dataclass(frozen=True)
class Display:
    """Window center and width as written in the files of one study."""

    center: str
    width: str


def draw_display(rng: np.random.Generator, signed: bool) -> Display:
    """Two-valued with leading zeros in the 12 bit form, single in the 16 bit form."""
    if not signed:
        return Display(str(rng.choice(["00040\\00040", "00036\\00036"])), "00080\\00080")
    center, width = (("30", "80"), ("40", "150"), ("35", "100"))[int(rng.integers(3))]
    return Display(center, width.ljust(4))


def name_slice(seed: int, patient: int, study: int, index: int) -> Names:
    """Identifiers from numbers; index is below 64. Nothing of the content shows in them."""
    key = identifier_key(seed)
    return Names(
        image=f"ID_{scramble(study * 64 + index, 36, key):09x}",
        series=f"ID_{scramble(study, 40, key ^ 0x5E51E5):010x}",
        study=f"ID_{scramble(study, 40, key ^ 0x57D1):010x}",
        patient=f"ID_{scramble(patient, 32, key ^ 0xBA7):08x}",
    )


def encode(
    names: Names,
    scan: Scan,
    index: int,
    display: Display,
    stored: Stored,
) -> bytes:
    """The whole file of slice index; stored: (H, W) integers as they go to disk."""
    position = "\\".join(f"{v:012.6f}" for v in scan.position_mm(index))
    orientation = "\\".join(f"{v:+.6f}" for v in scan.orientation)
    spacing = f"{scan.pixel_mm:.6f}"
    bits = 16 if scan.signed else 12
    text: tuple[tuple[int, int, str, str], ...] = (
        (0x08, 0x18, "UI", names.image),
        (0x08, 0x60, "CS", "CT"),
        (0x10, 0x20, "LO", names.patient),
        (0x20, 0x0D, "UI", names.study),
        (0x20, 0x0E, "UI", names.series),
        (0x20, 0x10, "SH", ""),
        (0x20, 0x32, "DS", position),
        (0x20, 0x37, "DS", orientation),
    )
    tail: tuple[tuple[int, int, str, str], ...] = (
        (0x28, 0x30, "DS", f"{spacing}\\{spacing}"),
        (0x28, 0x1050, "DS", display.center),
        (0x28, 0x1051, "DS", display.width),
        (0x28, 0x1052, "DS", "-1024"),
        (0x28, 0x1053, "DS", "1"),
    )
    shorts: tuple[tuple[int, int], ...] = (
        (0x10, scan.size),
        (0x11, scan.size),
        (0x100, 16),
        (0x101, bits),
    )
    shorts += ((0x102, bits - 1), (0x103, int(scan.signed)))
    parts = {(g, n): (vr, value.encode()) for g, n, vr, value in (*text, *tail)}
    parts[(0x28, 0x02)] = ("US", pack("<H", 1))
    parts[(0x28, 0x04)] = ("CS", b"MONOCHROME2")
    parts |= {(0x28, number): ("US", pack("<H", value)) for number, value in shorts}
    parts[(0x7FE0, 0x10)] = ("OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes())
    body = [
        element(group, number, vr, value, scan.implicit)
        for (group, number), (vr, value) in sorted(parts.items())
    ]
    syntax = IMPLICIT_LITTLE_ENDIAN if scan.implicit else EXPLICIT_LITTLE_ENDIAN
    legal_uid = f"2.25.{10**38 + int(names.image[3:], 16)}"
    return file_meta(CT_IMAGE_STORAGE, legal_uid, syntax) + b"".join(body)
