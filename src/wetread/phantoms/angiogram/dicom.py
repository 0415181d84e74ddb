"""phantoms/angiogram/dicom.py: one slice of an angiogram becomes the bytes of a DICOM file.

In the competition's dress: every UID is twelve hexadecimal digits, no patient, date or maker is
told, the kernel is. Numbers have a fixed width, so all files of one form have the same size.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

import numpy as np

from wetread.phantoms.angiogram.scan import CtpaScan
from wetread.phantoms.head.dicom import CT_IMAGE_STORAGE
from wetread.phantoms.writers.elements import (
    EXPLICIT_LITTLE_ENDIAN,
    IMPLICIT_LITTLE_ENDIAN,
    element,
    file_meta,
    identifier_key,
    scramble,
)
from wetread.phantoms.writers.scanner import Stored

MOST_IMAGES = 1024  # of one study, as far as identifiers go
KERNELS = ("STANDARD", "B30f    ", "B31f    ", "FC08    ", "B       ", "SOFT    ")
WINDOWS = (("40", "400"), ("50", "350"), ("90", "500"), ("100", "700"))


@dataclass(frozen=True)
class SliceNames:
    """Identifiers of one slice: twelve hexadecimal digits each."""

    image: str
    series: str
    study: str


@dataclass(frozen=True)
class Machine:
    """What a study's headers say of the machine and the display; nothing of what is found."""

    kilovolts: int
    current: int
    table_mm: float
    kernel: str
    center: str
    width: str
    bits: int


def draw_machine(rng: np.random.Generator, scan: CtpaScan) -> Machine:
    """Drawn without a look at the exam; 12 or 16 bits where numbers have no sign."""
    center, width = WINDOWS[int(rng.integers(len(WINDOWS)))]
    return Machine(
        kilovolts=int(rng.choice((100, 120), p=(0.4, 0.6))),
        current=int(rng.integers(120, 660)),
        table_mm=float(np.round(rng.uniform(110, 190), 1)),
        kernel=str(rng.choice(KERNELS)),
        center=center.ljust(4),
        width=width.ljust(4),
        bits=16 if scan.signed or rng.random() < 0.5 else 12,
    )


def name_ctpa_slice(seed: int, study: int, index: int) -> SliceNames:
    """Identifiers from numbers, index below MOST_IMAGES; nothing of the content shows in them."""
    key = identifier_key(seed)
    return SliceNames(
        image=f"{scramble(study * MOST_IMAGES + index, 48, key):012x}",
        series=f"{scramble(study, 48, key ^ 0x5E51E5):012x}",
        study=f"{scramble(study, 48, key ^ 0x57D1):012x}",
    )


def encode_ctpa_slice(
    names: SliceNames, scan: CtpaScan, machine: Machine, index: int, stored: Stored
) -> bytes:
    """The whole file of slice index, counted from the feet; stored: (H, W) integers."""
    number = index + 1 if scan.upwards else scan.slices - index
    position = scan.position_mm(index)
    spacing = f"{scan.pixel_mm:.6f}"
    text: tuple[tuple[int, int, str, str], ...] = (
        (0x08, 0x16, "UI", CT_IMAGE_STORAGE),
        (0x08, 0x18, "UI", names.image),
        (0x08, 0x60, "CS", "CT"),
        (0x18, 0x50, "DS", f"{scan.thick_mm:.6f}"),
        (0x18, 0x60, "DS", str(machine.kilovolts)),
        (0x18, 0x1120, "DS", "0.000"),
        (0x18, 0x1130, "DS", f"{machine.table_mm:07.3f}"),
        (0x18, 0x1151, "IS", str(machine.current)),
        (0x18, 0x1210, "SH", machine.kernel),
        (0x18, 0x5100, "CS", "HFS"),
        (0x20, 0x0D, "UI", names.study),
        (0x20, 0x0E, "UI", names.series),
        (0x20, 0x13, "IS", f"{number:04d}"),
        (0x20, 0x32, "DS", "\\".join(f"{v:+012.5f}" for v in position)),
        (0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0"),
        (0x20, 0x52, "UI", names.study),
        (0x28, 0x04, "CS", "MONOCHROME2"),
        (0x28, 0x30, "DS", f"{spacing}\\{spacing}"),
        (0x28, 0x1050, "DS", machine.center),
        (0x28, 0x1051, "DS", machine.width),
        (0x28, 0x1052, "DS", "-1024"),
        (0x28, 0x1053, "DS", "1"),
        (0x28, 0x1054, "LO", "HU"),
    )
    shorts = (
        (0x02, 1),
        (0x10, scan.size),
        (0x11, scan.size),
        (0x100, 16),
        (0x101, machine.bits),
        (0x102, machine.bits - 1),
        (0x103, int(scan.signed)),
    )
    parts = {(group, at): (vr, value.encode()) for group, at, vr, value in text}
    parts |= {(0x28, at): ("US", pack("<H", value)) for at, value in shorts}
    parts[(0x7FE0, 0x10)] = ("OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes())
    body = b"".join(
        element(group, at, vr, value, scan.implicit)
        for (group, at), (vr, value) in sorted(parts.items())
    )
    syntax = IMPLICIT_LITTLE_ENDIAN if scan.implicit else EXPLICIT_LITTLE_ENDIAN
    return file_meta(CT_IMAGE_STORAGE, names.image, syntax) + body
