"""phantoms/angiogram/dicom.py: one slice of an angiogram becomes the bytes of a DICOM file.

In the competition's form: every UID is twelve hexadecimal digits; the kernel stands there, no
patient, date or manufacturer does. Numbers have a fixed width, so all files of one form have one
size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wetread.phantoms.angiogram.scan import AngiogramScan
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
from wetread.phantoms.types import StoredArray

MAX_IMAGES = 1024  # of one study, as far as identifiers go
KERNELS = ("STANDARD", "B30f    ", "B31f    ", "FC08    ", "B       ", "SOFT    ")
WINDOWS = (("40", "400"), ("50", "350"), ("90", "500"), ("100", "700"))


@dataclass(frozen=True)
class AngiogramSliceIds:
    """Identifiers of one slice: twelve hexadecimal digits each."""

    image: str
    series: str
    study: str


@dataclass(frozen=True)
class Acquisition:
    """Scanner and window in a study's headers, and nothing of its findings.

    current: of the tube, mA; table_mm: height of the table; center, width: of the window, HU.
    """

    kilovolts: int
    current: int
    table_mm: float
    kernel: str
    center: str
    width: str
    bits: int


def draw_acquisition(rng: np.random.Generator, scan: AngiogramScan) -> Acquisition:
    """Draw the headers without knowing the exam; 12 or 16 bits where numbers have no sign."""
    center, width = WINDOWS[int(rng.integers(len(WINDOWS)))]
    return Acquisition(
        kilovolts=int(rng.choice((100, 120), p=(0.4, 0.6))),
        current=int(rng.integers(120, 660)),
        table_mm=float(np.round(rng.uniform(110, 190), 1)),
        kernel=str(rng.choice(KERNELS)),
        center=center.ljust(4),
        width=width.ljust(4),
        bits=16 if scan.signed or rng.random() < 0.5 else 12,
    )


def identify_angiogram_slice(seed: int, study: int, index: int) -> AngiogramSliceIds:
    """Derive identifiers from numbers, index below MAX_IMAGES; none shows the content."""
    key = identifier_key(seed)
    return AngiogramSliceIds(
        image=f"{scramble(study * MAX_IMAGES + index, 48, key):012x}",
        series=f"{scramble(study, 48, key ^ 0x5E51E5):012x}",
        study=f"{scramble(study, 48, key ^ 0x57D1):012x}",
    )


def encode_angiogram_slice(
    ids: AngiogramSliceIds,
    scan: AngiogramScan,
    acquisition: Acquisition,
    index: int,
    stored: StoredArray,
) -> bytes:
    """Encode the whole file of slice index, counted from the feet; stored: (H, W) integers."""
    number = index + 1 if scan.upwards else scan.slices - index
    spacing = f"{scan.pixel_mm:.6f}"
    elements: list[Element] = [
        (0x08, 0x16, "UI", CT_IMAGE_STORAGE),
        (0x08, 0x18, "UI", ids.image),
        (0x08, 0x60, "CS", "CT"),
        (0x18, 0x50, "DS", f"{scan.thick_mm:.6f}"),
        (0x18, 0x60, "DS", str(acquisition.kilovolts)),
        (0x18, 0x1120, "DS", "0.000"),
        (0x18, 0x1130, "DS", f"{acquisition.table_mm:07.3f}"),
        (0x18, 0x1151, "IS", str(acquisition.current)),
        (0x18, 0x1210, "SH", acquisition.kernel),
        (0x18, 0x5100, "CS", "HFS"),
        (0x20, 0x0D, "UI", ids.study),
        (0x20, 0x0E, "UI", ids.series),
        (0x20, 0x13, "IS", f"{number:04d}"),
        (0x20, 0x32, "DS", "\\".join(f"{v:+012.5f}" for v in scan.position_mm(index))),
        (0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0"),
        (0x20, 0x52, "UI", ids.study),
        (0x28, 0x02, "US", 1),
        (0x28, 0x04, "CS", "MONOCHROME2"),
        (0x28, 0x10, "US", scan.size),
        (0x28, 0x11, "US", scan.size),
        (0x28, 0x30, "DS", f"{spacing}\\{spacing}"),
        (0x28, 0x100, "US", 16),
        (0x28, 0x101, "US", acquisition.bits),
        (0x28, 0x102, "US", acquisition.bits - 1),
        (0x28, 0x103, "US", int(scan.signed)),
        (0x28, 0x1050, "DS", acquisition.center),
        (0x28, 0x1051, "DS", acquisition.width),
        (0x28, 0x1052, "DS", "-1024"),
        (0x28, 0x1053, "DS", "1"),
        (0x28, 0x1054, "LO", "HU"),
        pixel_data(stored),
    ]
    syntax = IMPLICIT_LITTLE_ENDIAN if scan.implicit else EXPLICIT_LITTLE_ENDIAN
    meta = file_meta(CT_IMAGE_STORAGE, ids.image, syntax)
    return meta + encode_elements(elements, implicit=scan.implicit)
