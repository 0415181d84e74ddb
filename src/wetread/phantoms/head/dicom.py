"""phantoms/head/dicom.py: one slice becomes the bytes of a DICOM file in the competition's form.

It has the 22 elements of the competition's files: no SOP Class UID in the data set, no
InstanceNumber, no SliceThickness, UIDs that are `ID_` and hexadecimal digits. Numbers have a fixed
width, so that every file of one form has the same size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.phantoms.dicom.elements import (
    CT_IMAGE_STORAGE,
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    Element,
    encode_elements,
    file_meta,
    identifier_key,
    pixel_data,
    scramble,
)
from wetread.phantoms.head.scan import HeadScan
from wetread.phantoms.types import StoredArray


@dataclass(frozen=True)
class HeadSliceIds:
    """Identifiers of one slice, each `ID_` and hexadecimal digits."""

    image: str
    series: str
    study: str
    patient: str


@dataclass(frozen=True)
class WindowValues:
    """Window center and width as written in the files of one study."""

    center: str
    width: str


def draw_window_values(rng: np.random.Generator, signed: bool) -> WindowValues:
    """Draw the window: two values with leading zeros in the 12 bit form, one in the 16 bit form."""
    if not signed:
        return WindowValues(str(rng.choice(["00040\\00040", "00036\\00036"])), "00080\\00080")
    center, width = (("30", "80"), ("40", "150"), ("35", "100"))[int(rng.integers(3))]
    return WindowValues(center, width.ljust(4))


def identify_head_slice(seed: int, patient: int, study: int, index: int) -> HeadSliceIds:
    """Derive identifiers from numbers, index below 64; nothing of the content shows in them."""
    key = identifier_key(seed)
    return HeadSliceIds(
        image=f"ID_{scramble(study * 64 + index, 36, key):09x}",
        series=f"ID_{scramble(study, 40, key ^ 0x5E51E5):010x}",
        study=f"ID_{scramble(study, 40, key ^ 0x57D1):010x}",
        patient=f"ID_{scramble(patient, 32, key ^ 0xBA7):08x}",
    )


def encode_head_slice(
    ids: HeadSliceIds, scan: HeadScan, index: int, window: WindowValues, stored: StoredArray
) -> bytes:
    """Encode the whole file of slice index; stored: (H, W) integers as they go to disk."""
    spacing = f"{scan.pixel_mm:.6f}"
    bits = 16 if scan.signed else 12
    elements: list[Element] = [
        (0x08, 0x18, "UI", ids.image),
        (0x08, 0x60, "CS", "CT"),
        (0x10, 0x20, "LO", ids.patient),
        (0x20, 0x0D, "UI", ids.study),
        (0x20, 0x0E, "UI", ids.series),
        (0x20, 0x10, "SH", ""),
        (0x20, 0x32, "DS", "\\".join(f"{v:012.6f}" for v in scan.position_mm(index))),
        (0x20, 0x37, "DS", "\\".join(f"{v:+.6f}" for v in scan.orientation)),
        (0x28, 0x02, "US", 1),
        (0x28, 0x04, "CS", "MONOCHROME2"),
        (0x28, 0x10, "US", scan.size),
        (0x28, 0x11, "US", scan.size),
        (0x28, 0x30, "DS", f"{spacing}\\{spacing}"),
        (0x28, 0x100, "US", 16),
        (0x28, 0x101, "US", bits),
        (0x28, 0x102, "US", bits - 1),
        (0x28, 0x103, "US", int(scan.signed)),
        (0x28, 0x1050, "DS", window.center),
        (0x28, 0x1051, "DS", window.width),
        (0x28, 0x1052, "DS", "-1024"),
        (0x28, 0x1053, "DS", "1"),
        pixel_data(stored),
    ]
    syntax = IMPLICIT_LITTLE_ENDIAN if scan.implicit else EXPLICIT_LITTLE_ENDIAN
    legal_uid = f"2.25.{10**38 + int(ids.image[3:], 16)}"
    meta = file_meta(CT_IMAGE_STORAGE, legal_uid, syntax)
    return meta + encode_elements(elements, implicit=scan.implicit)
