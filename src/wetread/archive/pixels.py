"""archive/pixels.py: stored pixels of one row, through one decoder for each transfer syntax.

A decoder's refusal is final: no second, laxer one is tried.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from pydicom.encaps import generate_frames

from wetread.archive.codestream import check_codestream
from wetread.archive.elements import UNDEFINED
from wetread.archive.fields import WANTED
from wetread.archive.header import DEFLATED_LE, Header, inflated, read_header
from wetread.archive.rejects import RejectError
from wetread.archive.sources import ReadAt, opened

Form = Mapping[str, Any]  # one row of the index
MAX_PIXEL_BYTES = 4 * 1024**3


def _decode_jpeg(frame: bytes, row: Form) -> np.ndarray:
    import imagecodecs

    return np.asarray(imagecodecs.jpeg8_decode(frame))


def _decode_jpeg_lossless(frame: bytes, row: Form) -> np.ndarray:
    import imagecodecs

    return np.asarray(imagecodecs.jpegsof3_decode(frame))


def _decode_jpeg_ls(frame: bytes, row: Form) -> np.ndarray:
    import jpeg_ls

    return np.asarray(jpeg_ls.decode(np.frombuffer(frame, np.uint8)))


def _decode_jpeg_2000(frame: bytes, row: Form) -> np.ndarray:
    import openjpeg

    return np.asarray(openjpeg.decode(frame))


def _decode_rle(frame: bytes, row: Form) -> np.ndarray:
    import rle.utils

    rows, columns, bits = row["Rows"], row["Columns"], row["BitsAllocated"]
    flat = np.frombuffer(bytes(rle.utils.decode_frame(frame, rows * columns, bits, "<")), np.uint8)
    planes = flat.view(f"<u{bits // 8}").reshape(-1, rows, columns)
    return planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1)


_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", DEFLATED_LE)
DECODERS: dict[str, Callable[[bytes, Form], np.ndarray]] = {
    "1.2.840.10008.1.2.5": _decode_rle,
    "1.2.840.10008.1.2.4.50": _decode_jpeg,
    "1.2.840.10008.1.2.4.51": _decode_jpeg,
    "1.2.840.10008.1.2.4.57": _decode_jpeg_lossless,
    "1.2.840.10008.1.2.4.70": _decode_jpeg_lossless,
    "1.2.840.10008.1.2.4.80": _decode_jpeg_ls,
    "1.2.840.10008.1.2.4.81": _decode_jpeg_ls,
    "1.2.840.10008.1.2.4.90": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.91": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.201": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.202": _decode_jpeg_2000,
    "1.2.840.10008.1.2.4.203": _decode_jpeg_2000,
}
NATIVE_SYNTAXES = frozenset(_NATIVE)
SUPPORTED_SYNTAXES = NATIVE_SYNTAXES | frozenset(DECODERS)


def read_stored(row: Form) -> np.ndarray:
    """The stored values of one image, masked to BitsStored and signed.

    row: one row of the index as a dict.
    Returns (rows, columns), or (frames, rows, columns) where NumberOfFrames is above 1; uint8,
    int8, uint16, int16, uint32 or int32. Raises RejectError.
    """
    _check_grey(row)
    with opened(row["path"], row["member"]) as (read_at, size):
        header = read_header(read_at, size, WANTED)
        if header.walk.pixel_tag != 0x7FE00010:
            raise RejectError("no_pixels", "no (7FE0,0010) Pixel Data")
        if header.syntax in NATIVE_SYNTAXES:
            words = _native_words(read_at, size, header, row)
        else:
            words = _decoded_words(read_at, size, header, row)
    frames = row["NumberOfFrames"] or 1
    stored = masked(words, row)
    return stored[0] if frames == 1 else stored


def _check_grey(row: Form) -> None:
    if row["state"] != "image":
        raise RejectError("wrong_kind", "not an image")
    colour = (row["SamplesPerPixel"] or 1) != 1
    if colour or row["PhotometricInterpretation"] == "PALETTE COLOR":
        detail = f"{row['PhotometricInterpretation']}: colour, where grey values are wanted"
        raise RejectError("wrong_kind", detail)


def _native_words(read_at: ReadAt, size: int, header: Header, row: Form) -> np.ndarray:
    """(frames, rows, columns) unsigned words as they lie in the file."""
    needed = native_bytes(row)
    if header.syntax == DEFLATED_LE:
        data = inflated(read_at, size, header.data_start)[0]
        data = data[header.walk.pixel_offset : header.walk.pixel_offset + needed]
    else:
        data = read_at(header.walk.pixel_offset, needed)
    if len(data) < needed:
        raise RejectError("truncated_pixels", f"{needed} bytes needed, {len(data)} there")
    order = ">" if header.big_endian else "<"
    words = np.frombuffer(data, f"{order}u{row['BitsAllocated'] // 8}")
    return words.reshape(row["NumberOfFrames"] or 1, row["Rows"], row["Columns"])


def native_bytes(row: Form) -> int:
    """Bytes of uncompressed pixel data that the header asks for."""
    pixels = row["Rows"] * row["Columns"] * (row["NumberOfFrames"] or 1)
    samples = row["SamplesPerPixel"] or 1
    if row["PhotometricInterpretation"] == "YBR_FULL_422" and samples == 3:
        samples = 2
    return int((pixels * samples * row["BitsAllocated"] + 7) // 8)


def _decoded_words(read_at: ReadAt, size: int, header: Header, row: Form) -> np.ndarray:
    """(frames, rows, columns) as the decoder gives them, compared with the header."""
    decode = DECODERS.get(header.syntax)
    if decode is None:
        raise RejectError("unsupported_syntax", f"transfer syntax {header.syntax}")
    if header.walk.pixel_length != UNDEFINED:
        raise RejectError("bad_element", "compressed pixel data of defined length")
    walk_fragments(read_at, size, header.walk.pixel_offset)
    data = read_at(header.walk.pixel_offset, size - header.walk.pixel_offset)
    frames = row["NumberOfFrames"] or 1
    shape = (row["Rows"], row["Columns"])
    found = []
    try:
        for frame in _first(frames, generate_frames(data, number_of_frames=frames)):
            check_codestream(frame, header.syntax, row)
            found.append(decode(frame, row))
    except RejectError:
        raise
    except Exception as error:  # decoders raise what they like
        detail = f"frame {len(found) + 1} of {frames}: {type(error).__name__}: {error}"
        raise RejectError("decode_failed", detail) from error
    if len(found) != frames:
        raise RejectError("truncated_pixels", f"{frames} frames declared, {len(found)} there")
    for number, decoded in enumerate(found, 1):
        if decoded.shape != shape or decoded.dtype.kind not in "iu":
            detail = f"frame {number} decodes to {decoded.shape} {decoded.dtype}, not {shape}"
            raise RejectError("decode_mismatch", detail)
        _check_fits(decoded, row["BitsStored"], number)
    return np.stack(found)


def _first(count: int, frames: Iterator[bytes]) -> Iterator[bytes]:
    for _, frame in zip(range(count), frames, strict=False):
        yield frame


def _check_fits(decoded: np.ndarray, bits: int, number: int) -> None:
    """Values of BitsStored bits, or their sign extension in a wider stream."""
    low, high = int(decoded.min()), int(decoded.max())
    if low >= -(1 << (bits - 1)) and high < 1 << bits:
        return
    wide = 8 * decoded.dtype.itemsize
    signed = decoded.astype(np.int64)
    signed -= (signed >> (wide - 1) & 1) << wide
    if int(signed.min()) < -(1 << (bits - 1)) or int(signed.max()) >= 1 << (bits - 1):
        detail = f"frame {number} holds {low} to {high}, BitsStored is {bits}"
        raise RejectError("decode_mismatch", detail)


def walk_fragments(read_at: ReadAt, size: int, pos: int) -> int:
    """The number of fragments after the offset table; RejectError where they are cut."""
    count = -1
    while True:
        head = read_at(pos, 8)
        if len(head) < 8:
            detail = f"fragment {count + 2} begins at byte {pos}, the file has {size} bytes"
            raise RejectError("truncated_pixels", detail)
        tag, length = head[:4], int.from_bytes(head[4:], "little")
        if tag == b"\xfe\xff\xdd\xe0":
            return max(count, 0)
        if tag != b"\xfe\xff\x00\xe0" or length == UNDEFINED:
            raise RejectError("bad_element", f"no fragment at byte {pos} of the pixel data")
        pos += 8 + length
        count += 1
        if pos > size:
            detail = f"fragment {count} ends at byte {pos}, the file has {size} bytes"
            raise RejectError("truncated_pixels", detail)


def masked(words: np.ndarray, row: Form) -> np.ndarray:
    """BitsStored bits below HighBit of every word, with their sign (PS3.5 8.1.1); same shape.

    words: (..., rows, columns), any integer type; returns the unsigned or signed type of
    BitsAllocated.
    """
    allocated, bits = row["BitsAllocated"], row["BitsStored"]
    unsigned = np.dtype(f"u{allocated // 8}")
    values = words.astype(unsigned)  # wraps modulo 2**allocated, and gives the native byte order
    shift = row["HighBit"] + 1 - bits if words.dtype.kind == "u" else 0
    if shift > 0 and row["TransferSyntaxUID"] in NATIVE_SYNTAXES:
        values >>= unsigned.type(shift)
    if row["PixelRepresentation"] != 1:
        return values if bits == allocated else values & unsigned.type((1 << bits) - 1)
    signed = np.dtype(f"i{allocated // 8}")
    gap = unsigned.type(allocated - bits)
    result: np.ndarray = (values << gap).view(signed) >> signed.type(gap)
    return result
