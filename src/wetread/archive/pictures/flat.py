"""archive/pictures/flat.py: a PNG or JPEG as columns of a row, and as stored values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import numpy as np
from PIL import Image

from wetread.archive.pictures.kinds import PNG_SIGNATURE
from wetread.archive.rejects import RejectError
from wetread.archive.types import IntegerArray, MutableRow, Row

# Pillow's modes: bits of a gray sample, or of one of three of a color. Others are made RGB.
_GRAY = {"1": 8, "L": 8, "LA": 8, "I;16": 16, "I;16B": 16, "I;16L": 16, "I": 16}
_DEPTH, _COLOR_TYPE, _GRAY_TYPE = 24, 25, 0  # bytes of IHDR, and the color type that is gray alone
_WHOLE = {8: ([128.0], [256.0])}  # the window under which 8 bits are seen as they are


def is_png(data: bytes) -> bool:
    """Whether bytes begin as a PNG does."""
    return data.startswith(PNG_SIGNATURE) and len(data) > _COLOR_TYPE


def flat_fields(data: bytes, *, lossy: bool) -> MutableRow:
    """Fill the columns of pixels. RejectError where the picture cannot be opened."""
    if is_png(data) and data[_DEPTH] == 16 and data[_COLOR_TYPE] != _GRAY_TYPE:
        raise RejectError("wrong_kind", "a PNG of 16 bits with color or transparency")
    with _opened(data) as image:
        columns, rows = image.size
        bits, frames = _GRAY.get(image.mode), getattr(image, "n_frames", 1)
    if frames > 1:
        raise RejectError("wrong_kind", f"a picture of {frames} frames")
    center, width = _WHOLE.get(bits or 8, (None, None))
    return {
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 1 if bits else 3,
        "PhotometricInterpretation": "MONOCHROME2" if bits else "RGB",
        "BitsAllocated": bits or 8,
        "BitsStored": bits or 8,
        "HighBit": (bits or 8) - 1,
        "PixelRepresentation": 0,
        "WindowCenter": center,
        "WindowWidth": width,
        "lossy": True if lossy else None,
    }


def flat_samples(data: bytes, row: Row) -> IntegerArray:
    """Decode a picture: (rows, columns) uint8 or uint16, of color (rows, columns, 3) uint8.
    Transparency is left out. RejectError where it cannot be decoded, or is not as the row says."""
    with _opened(data) as image:
        try:
            image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise RejectError("truncated_pixels", "the picture cannot be decoded whole") from error
        if image.mode not in _GRAY:
            image = image.convert("RGB")
        elif _GRAY[image.mode] == 8:
            image = image.convert("L")
        samples = np.asarray(image)
    if samples.shape[:2] != (row["Rows"], row["Columns"]):
        raise RejectError("decode_mismatch", f"{samples.shape[:2]} rows and columns")
    bits = row["BitsStored"]
    return np.ascontiguousarray(samples, np.uint8 if bits == 8 else np.uint16)


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """Open a picture, its pixels not yet decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=("PNG", "JPEG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RejectError("too_big", "a picture of more pixels than a film has") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise RejectError("truncated_header", "a picture whose header cannot be read") from error
    with image:
        yield image
