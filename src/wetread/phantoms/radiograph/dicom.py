"""phantoms/radiograph/dicom.py: one film becomes a DICOM file in the competition's form.

It has the elements of the competition's files, with their oddities: a Patient ID and name of its
own in every file, an age without unit, the Pixel Spacing of the film before it was made smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from wetread.archive.types import Float32Array
from wetread.phantoms.dicom.elements import (
    EXPLICIT_LITTLE_ENDIAN,
    JPEG_BASELINE,
    Element,
    encapsulated,
    encode_elements,
    file_meta,
    identifier_key,
    pixel_data,
    scramble,
)
from wetread.study.header_content import SECONDARY_CAPTURE

SPACINGS = (
    ("0.14300000000000002", 0.34),
    ("0.139", 0.285),
    ("0.168", 0.245),
    ("0.19431099999999998", 0.075),
    ("0.171", 0.05),
    ("0.19430799999999998", 0.005),
)


@dataclass(frozen=True)
class FilmIds:
    """Identifiers of one film: UIDs, and the header's Patient ID, new in every file."""

    image: str
    series: str
    study: str
    patient: str


@dataclass(frozen=True)
class FilmEncoding:
    """How a film is stored.

    raw:      12 bit without compression, else 8 bit JPEG of a quality.
    inverted: MONOCHROME1, small numbers are bright. spacing: text of Pixel Spacing, mm.
    """

    raw: bool
    inverted: bool
    quality: int
    spacing: str


def draw_film_encoding(rng: np.random.Generator) -> FilmEncoding:
    """Draw the form without knowing the film: most as in the competition, some raw or inverted."""
    texts, shares = zip(*SPACINGS, strict=True)
    return FilmEncoding(
        raw=bool(rng.random() < 0.12),
        inverted=bool(rng.random() < 0.08),
        quality=int(rng.integers(88, 96)),
        spacing=str(rng.choice(texts, p=np.array(shares) / sum(shares))),
    )


def identify_film(seed: int, number: int) -> FilmIds:
    """Derive identifiers from a film's number; UIDs of the 2.25 form (PS3.5, B.2)."""
    key = identifier_key(seed)

    def uid(salt: int) -> str:
        return f"2.25.{10**38 + scramble(number, 48, key ^ salt) * 10**20 + key}"

    digits = f"{scramble(number, 64, key ^ 0xBA7):016x}{scramble(number, 64, key ^ 0x1D):016x}"
    cuts = (0, 8, 12, 16, 20, 32)
    patient = "-".join(digits[a:b] for a, b in pairwise(cuts))
    return FilmIds(uid(0x1A6E), uid(0x5E51E5), uid(0x57D1), patient)


def encode_film(
    ids: FilmIds,
    encoding: FilmEncoding,
    gray: Float32Array,
    *,
    female: bool,
    age: int,
    view: str,
) -> bytes:
    """Encode the whole file; gray: (H, W) float32 in 0..1, bright where little came through."""
    shown = 1 - gray if encoding.inverted else gray
    bits = 12 if encoding.raw else 8
    rows, columns = gray.shape
    elements: list[Element] = [
        (0x08, 0x05, "CS", "ISO_IR 100"),
        (0x08, 0x16, "UI", SECONDARY_CAPTURE),
        (0x08, 0x18, "UI", ids.image),
        (0x08, 0x20, "DA", "19010101"),
        (0x08, 0x30, "TM", "000000.00"),
        (0x08, 0x50, "SH", ""),
        (0x08, 0x60, "CS", "CR"),
        (0x08, 0x64, "CS", "WSD"),
        (0x08, 0x90, "PN", ""),
        (0x08, 0x103E, "LO", f"view: {view}"),
        (0x10, 0x10, "PN", ids.patient),
        (0x10, 0x20, "LO", ids.patient),
        (0x10, 0x30, "DA", ""),
        (0x10, 0x40, "CS", "F" if female else "M"),
        (0x10, 0x1010, "AS", str(age)),
        (0x18, 0x15, "CS", "CHEST"),
        (0x18, 0x5101, "CS", view),
        (0x20, 0x0D, "UI", ids.study),
        (0x20, 0x0E, "UI", ids.series),
        (0x20, 0x10, "SH", ""),
        (0x20, 0x11, "IS", "1"),
        (0x20, 0x13, "IS", "1"),
        (0x20, 0x20, "CS", ""),
        (0x28, 0x02, "US", 1),
        (0x28, 0x04, "CS", "MONOCHROME1" if encoding.inverted else "MONOCHROME2"),
        (0x28, 0x10, "US", rows),
        (0x28, 0x11, "US", columns),
        (0x28, 0x30, "DS", f"{encoding.spacing}\\{encoding.spacing}"),
        (0x28, 0x100, "US", 16 if encoding.raw else 8),
        (0x28, 0x101, "US", bits),
        (0x28, 0x102, "US", bits - 1),
        (0x28, 0x103, "US", 0),
    ]
    if encoding.raw:
        elements.append(pixel_data(np.rint(shown * 4095).astype(np.uint16)))
        meta = file_meta(SECONDARY_CAPTURE, ids.image, EXPLICIT_LITTLE_ENDIAN)
        return meta + encode_elements(elements, implicit=False)
    elements += [(0x28, 0x2110, "CS", "01"), (0x28, 0x2114, "CS", "ISO_10918_1")]
    eight = np.rint(shown * 255).astype(np.uint8)
    _, stream = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, encoding.quality])
    meta = file_meta(SECONDARY_CAPTURE, ids.image, JPEG_BASELINE)
    return meta + encode_elements(elements, implicit=False) + encapsulated(stream.tobytes())
