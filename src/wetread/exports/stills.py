"""exports/stills.py: one slice becomes the bytes of a PNG, JPEG or TIFF file.

Eight bits are a picture for the eye. Sixteen are the values: TIFF holds them as they are, PNG
knows no sign and holds HU + 32768, which the file says itself.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import cv2
import imagecodecs
import numpy as np

from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, NumberArray, UInt8Array
from wetread.outputs.optional import import_optional
from wetread.study.unit import UNITLESS

HU_OFFSET = 32768  # what a 16-bit PNG adds to HU: every int16 fits
_IHDR_END = 33  # signature 8, and a chunk of 4 + 4 + 13 + 4 bytes


@dataclass(frozen=True, eq=False)
class EncodedImage:
    """A file's bytes and what its numbers mean: value = number * scale + offset, in the unit of the
    slice; NaN for a picture, whose numbers are grays."""

    content: bytes
    dtype: str
    scale: float = np.nan
    offset: float = np.nan


def encode_png(picture: UInt8Array) -> bytes:
    """Encode a picture (rows, columns) or (rows, columns, 3) uint8, red first, as PNG.

    Settings measured on head and chest CT (bench/export.py): color is smallest unfiltered, gray
    with Paeth and runs; a sixth of the time of level 6, and about its size.
    """
    png = imagecodecs.PNG
    if picture.ndim == 2:
        return _encode_png(picture, png.STRATEGY.RLE, png.FILTER.PAETH)
    return _encode_png(picture, png.STRATEGY.DEFAULT, png.FILTER.NONE)


def _encode_png(numbers: NumberArray, strategy: int, filtered: int) -> bytes:
    encoded = imagecodecs.png_encode(
        np.ascontiguousarray(numbers), level=1, strategy=strategy, filter=filtered
    )
    return bytes(encoded)


def encode_jpeg(picture: UInt8Array, quality: int) -> bytes:
    """Encode a picture (rows, columns) or (rows, columns, 3) uint8, red first, as JPEG.

    Color keeps its full resolution, for its channels are windows. quality: 1 to 100.
    """
    shown = picture if picture.ndim == 2 else picture[..., ::-1]
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, code = cv2.imencode(".jpg", shown, settings)
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of {picture.shape}")
    return bytes(code.tobytes())


def encode_tiff(
    numbers: NumberArray, spacing_mm: tuple[float, float] | None, description: str = ""
) -> bytes:
    """Encode numbers (rows, columns) of any type, or (rows, columns, 3) uint8, without loss.

    spacing_mm: between rows and between columns; becomes the resolution.
    """
    file = BytesIO()
    resolution = {}
    if spacing_mm is not None:
        per_cm = (10 / spacing_mm[1], 10 / spacing_mm[0])  # along x, along y
        resolution = {"resolution": per_cm, "resolutionunit": "CENTIMETER"}
    import_optional("tifffile").imwrite(
        file,
        np.ascontiguousarray(numbers),
        photometric="rgb" if numbers.ndim == 3 else "minisblack",
        compression="zlib",
        predictor=True,
        description=description or None,
        metadata=None,
        software="wetread",
        **resolution,
    )
    return file.getvalue()


def encode_png16(values: Float32Array, unit: str | None) -> EncodedImage:
    """Encode values (rows, columns), HU or gray, as a PNG of 16 bits.

    HU + 32768; gray, which radiographs store without a sign, as it is. RejectError where the
    values are not whole or do not fit.
    """
    offset, named = -HU_OFFSET if unit == "HU" else 0, unit or UNITLESS
    low, high = float(values.min()), float(values.max())
    whole = np.rint(values)
    if not np.array_equal(whole, values):
        detail = "the values are not whole numbers, which 16-bit PNG needs; tiff keeps them"
        raise RejectError("bad_number", f"{named} from {low:g} to {high:g}: {detail}")
    if low < offset or high >= offset + (1 << 16):
        detail = f"16-bit PNG holds {offset} to {offset + 0xFFFF}; tiff keeps them"
        raise RejectError("bad_number", f"{named} from {low:g} to {high:g}: {detail}")
    numbers = (whole - offset).astype(np.uint16)
    png = imagecodecs.PNG
    content = _encode_png(numbers, png.STRATEGY.RLE, png.FILTER.PAETH)
    text = f"{named} = number - {-offset}" if offset else f"{named} = number"
    return EncodedImage(with_text_chunk(content, "Description", text), "uint16", 1.0, float(offset))


def encode_tiff16(
    values: Float32Array, unit: str | None, spacing_mm: tuple[float, float] | None
) -> EncodedImage:
    """Encode values (rows, columns) as TIFF: integers of 16 bits where all are whole and fit, else
    float32."""
    numbers = as_smallest_type(values)
    content = encode_tiff(numbers, spacing_mm, f"{unit or UNITLESS} = number")
    return EncodedImage(content, numbers.dtype.name, 1.0, 0.0)


def as_smallest_type(values: Float32Array) -> NumberArray:
    """Return values of any shape as int16 or uint16 where all are whole and fit, else float32."""
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    for dtype in (np.int16, np.uint16):
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            numbers = values.astype(dtype)
            return numbers if np.array_equal(numbers, values) else values
    return values


def with_text_chunk(png: bytes, keyword: str, text: str) -> bytes:
    """Return the PNG file with a tEXt chunk after its header (PNG 11.3.3.2)."""
    body = b"tEXt" + keyword.encode("latin-1") + b"\0" + text.encode("latin-1")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_IHDR_END] + chunk + png[_IHDR_END:]


EncodePicture = Callable[[UInt8Array, int, tuple[float, float] | None], bytes]
# Eight bits: (picture, quality, spacing) to bytes.
PICTURE_ENCODERS: dict[str, EncodePicture] = {
    "png": lambda picture, quality, spacing: encode_png(picture),
    "jpeg": lambda picture, quality, spacing: encode_jpeg(picture, quality),
    "tiff": lambda picture, quality, spacing: encode_tiff(picture, spacing),
}
EncodeValues = Callable[[Float32Array, str | None, tuple[float, float] | None], EncodedImage]
# Sixteen: (values, unit, spacing) to bytes and what their numbers mean.
VALUE_ENCODERS: dict[str, EncodeValues] = {
    "png": lambda values, unit, spacing: encode_png16(values, unit),
    "tiff": encode_tiff16,
}
