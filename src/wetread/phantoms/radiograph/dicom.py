"""phantoms/radiograph/dicom.py: one film becomes the bytes of a DICOM file in the competition's
dress.

The same elements as the competition's files, with their oddities: a Patient ID and name of its own
in every file, an age without unit, the Pixel Spacing of the film before it was made smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from struct import pack

import cv2
import numpy as np
from numpy.typing import NDArray

from wetread.phantoms.writers.elements import (
    EXPLICIT_LITTLE_ENDIAN,
    JPEG_BASELINE,
    element,
    encapsulated,
    file_meta,
    identifier_key,
    scramble,
)

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SPACINGS = (
    ("0.14300000000000002", 0.34),
    ("0.139", 0.285),
    ("0.168", 0.245),
    ("0.19431099999999998", 0.075),
    ("0.171", 0.05),
    ("0.19430799999999998", 0.005),
)


@dataclass(frozen=True)
class FilmNames:
    """Identifiers of one film: UIDs, and the header's Patient ID, new in every file."""

    image: str
    series: str
    study: str
    patient: str


@dataclass(frozen=True)
class FilmForm:
    """How a film is stored: raw is 12 bit without compression, else 8 bit JPEG of a quality.

    inverted: MONOCHROME1, small numbers are bright. spacing: text of Pixel Spacing, mm.
    """

    raw: bool
    inverted: bool
    quality: int
    spacing: str


def draw_form(rng: np.random.Generator) -> FilmForm:
    """Drawn without a look at the film: most as in the competition, some raw, some inverted."""
    texts, shares = zip(*SPACINGS, strict=True)
    return FilmForm(
        raw=bool(rng.random() < 0.12),
        inverted=bool(rng.random() < 0.08),
        quality=int(rng.integers(88, 96)),
        spacing=str(rng.choice(texts, p=np.array(shares) / sum(shares))),
    )


def name_film(seed: int, number: int) -> FilmNames:
    """Identifiers from a film's number; UIDs of the 2.25 form (PS3.5, B.2)."""
    key = identifier_key(seed)

    def uid(salt: int) -> str:
        return f"2.25.{10**38 + scramble(number, 48, key ^ salt) * 10**20 + key}"

    digits = f"{scramble(number, 64, key ^ 0xBA7):016x}{scramble(number, 64, key ^ 0x1D):016x}"
    cuts = (0, 8, 12, 16, 20, 32)
    patient = "-".join(digits[a:b] for a, b in pairwise(cuts))
    return FilmNames(uid(0x1A6E), uid(0x5E51E5), uid(0x57D1), patient)


def encode_film(
    names: FilmNames,
    form: FilmForm,
    grey: NDArray[np.float32],
    *,
    female: bool,
    age: int,
    view: str,
) -> bytes:
    """The whole file; grey: (H, W) in 0..1, bright where little came through."""
    shown = 1 - grey if form.inverted else grey
    bits = 12 if form.raw else 8
    texts: list[tuple[int, int, str, str]] = [
        (0x08, 0x05, "CS", "ISO_IR 100"),
        (0x08, 0x16, "UI", SECONDARY_CAPTURE),
        (0x08, 0x18, "UI", names.image),
        (0x08, 0x20, "DA", "19010101"),
        (0x08, 0x30, "TM", "000000.00"),
        (0x08, 0x50, "SH", ""),
        (0x08, 0x60, "CS", "CR"),
        (0x08, 0x64, "CS", "WSD"),
        (0x08, 0x90, "PN", ""),
        (0x08, 0x103E, "LO", f"view: {view}"),
        (0x10, 0x10, "PN", names.patient),
        (0x10, 0x20, "LO", names.patient),
        (0x10, 0x30, "DA", ""),
        (0x10, 0x40, "CS", "F" if female else "M"),
        (0x10, 0x1010, "AS", str(age)),
        (0x18, 0x15, "CS", "CHEST"),
        (0x18, 0x5101, "CS", view),
        (0x20, 0x0D, "UI", names.study),
        (0x20, 0x0E, "UI", names.series),
        (0x20, 0x10, "SH", ""),
        (0x20, 0x11, "IS", "1"),
        (0x20, 0x13, "IS", "1"),
        (0x20, 0x20, "CS", ""),
        (0x28, 0x04, "CS", "MONOCHROME1" if form.inverted else "MONOCHROME2"),
        (0x28, 0x30, "DS", f"{form.spacing}\\{form.spacing}"),
    ]
    if not form.raw:
        texts += [(0x28, 0x2110, "CS", "01"), (0x28, 0x2114, "CS", "ISO_10918_1")]
    rows, columns = grey.shape
    shorts = [(0x02, 1), (0x10, rows), (0x11, columns), (0x100, 16 if form.raw else 8)]
    shorts += [(0x101, bits), (0x102, bits - 1), (0x103, 0)]
    parts = {(g, n): (vr, value.encode()) for g, n, vr, value in texts}
    parts |= {(0x28, number): ("US", pack("<H", value)) for number, value in shorts}
    body = b"".join(element(g, n, vr, v, False) for (g, n), (vr, v) in sorted(parts.items()))
    if form.raw:
        stored = np.rint(shown * 4095).astype("<u2")
        body += element(0x7FE0, 0x10, "OW", stored.tobytes(), False)
        return file_meta(SECONDARY_CAPTURE, names.image, EXPLICIT_LITTLE_ENDIAN) + body
    eight = np.rint(shown * 255).astype(np.uint8)
    _, stream = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, form.quality])
    body += encapsulated(stream.tobytes())
    return file_meta(SECONDARY_CAPTURE, names.image, JPEG_BASELINE) + body
