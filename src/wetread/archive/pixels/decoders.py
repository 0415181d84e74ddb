"""archive/pixels/decoders.py: one compressed frame becomes an array.

DECODERS is the one table of transfer syntaxes: for each one decoder, the fastest that is right;
its refusal is final.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from wetread.archive.dataset.header import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from wetread.archive.pixels.codestream import (
    Codestream,
    bare_codestream,
    check_codestream,
    read_codestream,
)
from wetread.archive.pixels.color import COLOR_FORMS
from wetread.archive.rejects import RejectError
from wetread.archive.types import IntegerArray, Row

Decode = Callable[[bytes, Row], IntegerArray]
# Begins with a bit that is 1, where libjpeg goes on with 0 when the data has run out.
_JPEG_COLOR = {"RGB": "RGB", "YBR": "YCBCR"}
_FILL = b"\xaa" * 64
_JPEG_LS_ZEROS = 4  # that entropy-coded data may end with: a code is 32 bits at most
_END = b"\xff\xd9"  # EOI and EOC


@dataclass(frozen=True, eq=False)
class Decoded:
    """One decoded frame.

    samples: (rows, columns) or (rows, columns, 3) integers, as the decoder has them.
    stream:  the frame's own headers; None for syntaxes without a codestream.
    stray:   bytes before the end marker that belonged to nothing, in words; empty: none.
    """

    samples: IntegerArray
    stream: Codestream | None = None
    stray: str = ""


def _decode_jpeg(frame: bytes, row: Row) -> IntegerArray:
    """Decode every JPEG process; color comes in the form that the header's interpretation names.

    libjpeg goes on silently where the data ends before the image does. What is whole decodes alike
    whatever follows it, so other bytes before the end marker must not change the picture.
    """
    import imagecodecs

    found = read_codestream(frame)
    if found is None:
        raise ValueError("no JPEG frame header")
    own, named = None, None  # of one sample libjpeg chooses
    if row["SamplesPerPixel"] == 3:
        color = COLOR_FORMS[row["PhotometricInterpretation"]]
        own, named = _JPEG_COLOR[found.color or color], _JPEG_COLOR[color]
    decode = partial(imagecodecs.jpeg8_decode, colorspace=own, outcolorspace=named)
    decoded = np.asarray(decode(frame))
    filled = frame[: found.end].rstrip(b"\xff") + _FILL + b"\xff\xd9"
    if not np.array_equal(decoded, decode(filled)):
        raise RejectError("truncated_pixels", "the compressed frame ends before its image does")
    return decoded


def _decode_jpeg_ls(frame: bytes, row: Row) -> IntegerArray:
    import jpeg_ls

    decoded = np.asarray(jpeg_ls.decode(np.frombuffer(frame, np.uint8)))
    planes = decoded.ndim == 3 and decoded.shape[0] == 3 and decoded.shape[2] != 3
    return np.moveaxis(decoded, 0, -1) if planes else decoded


def _decode_jpeg_2000(frame: bytes, row: Row) -> IntegerArray:
    import openjpeg

    return np.asarray(openjpeg.decode(frame))


def _decode_rle(frame: bytes, row: Row) -> IntegerArray:
    import rle.utils

    rows, columns, bits = row["Rows"], row["Columns"], row["BitsAllocated"]
    flat = np.frombuffer(bytes(rle.utils.decode_frame(frame, rows * columns, bits, "<")), np.uint8)
    planes = flat.view(f"<u{bits // 8}").reshape(-1, rows, columns)
    return planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1)


def _decode_jpeg_xl(frame: bytes, row: Row) -> IntegerArray:
    import imagecodecs

    if row["SamplesPerPixel"] == 3 and COLOR_FORMS[row["PhotometricInterpretation"]] != "RGB":
        raise RejectError("wrong_kind", "JPEG XL of a photometric interpretation that is not RGB")
    return np.asarray(imagecodecs.jpegxl_decode(frame))


def _decode_uncompressed(frame: bytes, row: Row) -> IntegerArray:
    """Read the words of a frame of one sample as they are (PS3.5 A.4.11): (rows, columns)."""
    shape, bytes_each = (row["Rows"], row["Columns"]), row["BitsAllocated"] // 8
    needed = shape[0] * shape[1] * bytes_each
    if (row["SamplesPerPixel"] or 1) != 1:
        raise RejectError("wrong_kind", "colour in frames without a codec")
    if len(frame) < needed:
        raise RejectError("truncated_pixels", f"{needed} bytes needed, {len(frame)} there")
    return np.frombuffer(frame[:needed], f"<u{bytes_each}").reshape(shape)


def _decode_deflated(frame: bytes, row: Row) -> IntegerArray:
    """Inflate a frame by itself, bounded by its size (PS3.5 A.4.13): (rows, columns)."""
    needed = row["Rows"] * row["Columns"] * row["BitsAllocated"] // 8
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, needed)
    return _decode_uncompressed(inflated, row)


NATIVE_SYNTAXES = frozenset((IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE))
DECODERS: dict[str, Decode] = {
    "1.2.840.10008.1.2.5": _decode_rle,
    "1.2.840.10008.1.2.1.98": _decode_uncompressed,
    "1.2.840.10008.1.2.8.1": _decode_deflated,
    "1.2.840.10008.1.2.4.50": _decode_jpeg,
    "1.2.840.10008.1.2.4.51": _decode_jpeg,
    "1.2.840.10008.1.2.4.53": _decode_jpeg,  # progressive, retired
    "1.2.840.10008.1.2.4.55": _decode_jpeg,  # progressive, retired
    "1.2.840.10008.1.2.4.57": _decode_jpeg,
    "1.2.840.10008.1.2.4.70": _decode_jpeg,
    "1.2.840.10008.1.2.4.80": _decode_jpeg_ls,
    "1.2.840.10008.1.2.4.81": _decode_jpeg_ls,
    "1.2.840.10008.1.2.4.90": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.91": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.110": _decode_jpeg_xl,
    "1.2.840.10008.1.2.4.111": _decode_jpeg_xl,
    "1.2.840.10008.1.2.4.112": _decode_jpeg_xl,
    "1.2.840.10008.1.2.4.201": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.202": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.203": _decode_jpeg_2000,
}
_JPEG_LS = frozenset(("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"))
# Their words are the file's own: unused bits may hold anything, and HighBit counts.
WORD_SYNTAXES = NATIVE_SYNTAXES | {
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.8.1",
}
SUPPORTED_SYNTAXES = NATIVE_SYNTAXES | frozenset(DECODERS)


def decode_frame(frame: bytes, syntax: str, row: Row) -> Decoded:
    """Decode one frame, and read its codestream's own headers.

    Raises RejectError where the frame contradicts the header, is cut, or is refused.
    """
    decode = DECODERS.get(syntax)
    if decode is None:
        raise RejectError("unsupported_syntax", f"transfer syntax {syntax}")
    frame = bare_codestream(frame)
    stream = check_codestream(frame, syntax, row)
    if stream is not None and stream.end is not None:
        frame = frame[: stream.end] + _END  # what follows is padding
    stray = "" if stream is None else stream.stray
    try:
        if syntax in _JPEG_LS:
            decoded, stray = _without_stray_zeros(decode, frame, row)
        else:
            decoded = decode(frame, row)
    except (RejectError, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # decoders raise what they like; a panic of Rust is no Exception
        detail = f"{type(error).__name__}: {error}"
        raise RejectError("decode_failed", detail) from error
    shape = (row["Rows"], row["Columns"])
    if decoded.shape not in (shape, (*shape, row["SamplesPerPixel"])) or decoded.dtype.kind not in (
        "iu"
    ):
        detail = f"the frame decodes to {decoded.shape} {decoded.dtype}, not {shape}"
        raise RejectError("decode_mismatch", detail)
    return Decoded(decoded, stream, stray)


def _without_stray_zeros(decode: Decode, frame: bytes, row: Row) -> tuple[IntegerArray, str]:
    """Decode without stray zeros: (samples, the bytes before the end marker left out, in words).

    Which zeros are data the decoder alone knows: it refuses a stream with one too many or too few.
    """
    try:
        return decode(frame, row), ""
    except RuntimeError as error:
        refusal = error
    data = frame[:-2].rstrip(b"\xff").rstrip(b"\0")
    spare = len(frame) - 2 - len(data)
    for kept in range(min(spare, _JPEG_LS_ZEROS + 1)):
        try:
            samples = decode(data + bytes(kept) + _END, row)
        except RuntimeError:
            continue
        return samples, f"{spare - kept} stray bytes before its end marker"
    raise refusal
