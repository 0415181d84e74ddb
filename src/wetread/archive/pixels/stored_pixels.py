"""archive/pixels/stored_pixels.py: stored pixels of a row, one frame or all."""

from dataclasses import dataclass

import numpy as np

from wetread.archive.containers.contents import open_contents
from wetread.archive.dataset.elements import UNDEFINED
from wetread.archive.dataset.header import DEFLATED_LE, Header, inflate, read_header
from wetread.archive.dataset.row_fields import WANTED
from wetread.archive.pictures.flat import flat_samples
from wetread.archive.pictures.kinds import Kind, kind_of, read_whole
from wetread.archive.pictures.volume_file import volume_stored
from wetread.archive.pixels.color import (
    PALETTE,
    check_color,
    palette_to_gray,
    samples_to_gray,
)
from wetread.archive.pixels.decoders import NATIVE_SYNTAXES, decode_frame
from wetread.archive.pixels.fragments import find_fragments, frame_spans, read_frame
from wetread.archive.pixels.samples import mask_words, stored_values
from wetread.archive.rejects import RejectError
from wetread.archive.types import IntegerArray, ReadAt, Row

MAX_PIXEL_BYTES = 4 * 1024**3
MAX_FRAME_BYTES = 512 * 1024**2  # the greatest radiographs have a fifth of it
_PIXEL_DATA, _PLANAR_CONFIGURATION = 0x7FE00010, 0x00280006


@dataclass(frozen=True, eq=False)
class Pixels:
    """The stored values of one image.

    stored: (rows, columns), or (frames, rows, columns) where NumberOfFrames is above 1 and no frame
            was named; uint8, int8, uint16, int16, uint32 or int32.
    notes:  found while decoding (archive/notes.py), each once.
    """

    stored: IntegerArray
    notes: tuple[str, ...] = ()


def read_stored(row: Row) -> IntegerArray:
    """Read the stored values of one row as `read_pixels` does, without the notes: (rows, columns)
    or (frames, rows, columns)."""
    return read_pixels(row).stored


def read_pixels(row: Row) -> Pixels:
    """Read the stored values of one image, in BitsStored bits and signed; color as gray.

    row: of the index, then (rows, columns), or (frames, rows, columns) where it has several; or of
    one frame (key `frame`, from 0), then (rows, columns). Raises RejectError.
    """
    if row["state"] != "image":
        raise RejectError("wrong_kind", "not an image")
    check_color(row)
    frames, only = row["NumberOfFrames"] or 1, row.get("frame")
    if native_bytes(row) // frames > MAX_FRAME_BYTES:
        raise RejectError("too_big", f"a frame of {native_bytes(row) // frames} bytes")
    if only is not None and not 0 <= only < frames:
        raise RejectError("bad_pixel_header", f"frame {only} of {frames}")
    numbers = range(frames) if only is None else range(only, only + 1)
    notes: tuple[str, ...] = ()
    if (kind := kind_of(row)) is not None:
        stored = _without_header(row, kind)[numbers.start : numbers.stop]
        return Pixels(stored if frames > 1 and only is None else stored[0])
    with open_contents(row["path"], row["member"]) as (read_at, size):
        header = read_header(read_at, size, WANTED | {_PLANAR_CONFIGURATION})
        if header.walk.pixel_tag != _PIXEL_DATA:
            raise RejectError("no_pixels", "no (7FE0,0010) Pixel Data")
        if header.syntax in NATIVE_SYNTAXES:
            stored = _native(read_at, size, header, row, numbers)
        else:
            stored, notes = _decoded(read_at, size, header, row, numbers)
        if row["PhotometricInterpretation"] == PALETTE:
            stored = palette_to_gray(stored, read_at, size, header)
    return Pixels(stored if frames > 1 and only is None else stored[0], notes)


def _without_header(row: Row, kind: Kind) -> IntegerArray:
    """Read a picture or volume without a DICOM header: (frames, rows, columns), color as gray."""
    if kind == "nifti":
        return volume_stored(row)
    with open_contents(row["path"], row["member"]) as (read_at, size):
        samples = flat_samples(read_whole(read_at, size), row)
    return (samples_to_gray(samples, row) if samples.ndim == 3 else samples)[None]


def native_bytes(row: Row) -> int:
    """Compute the bytes of uncompressed pixel data that the header asks for."""
    pixels = row["Rows"] * row["Columns"] * (row.get("NumberOfFrames") or 1)
    samples = row.get("SamplesPerPixel") or 1
    if samples == 3 and row.get("PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2
    return int((pixels * samples * row["BitsAllocated"] + 7) // 8)


def _native(read_at: ReadAt, size: int, header: Header, row: Row, numbers: range) -> IntegerArray:
    """Read the frames in numbers from the words in the file: (frames, rows, columns)."""
    each = native_bytes(row) // (row["NumberOfFrames"] or 1)
    start, needed = header.walk.pixel_offset + numbers.start * each, each * len(numbers)
    if header.syntax == DEFLATED_LE:
        data = inflate(read_at, size, header.data_start)[0][start : start + needed]
    else:
        available = header.walk.pixel_offset + header.walk.pixel_length - start
        data = read_at(start, max(min(needed, available), 0))
    if len(data) < needed:
        raise RejectError("truncated_pixels", f"{needed} bytes needed, {len(data)} there")
    if header.big_endian and row["BitsAllocated"] == 8 and _pixel_vr(read_at, header) == b"OW":
        data = _swapped(read_at(start, needed + 1), needed)
    words = np.frombuffer(data, f"{'>' if header.big_endian else '<'}u{row['BitsAllocated'] // 8}")
    shape = (len(numbers), row["Rows"], row["Columns"])
    if (row["SamplesPerPixel"] or 1) == 1:
        return mask_words(words.reshape(shape), row)
    if row["PhotometricInterpretation"] == "YBR_FULL_422":  # Y Y B R for two pixels of a row
        if row["Columns"] % 2:
            raise RejectError("bad_pixel_header", "YBR_FULL_422 with an odd number of columns")
        pairs = words.reshape(-1, 4)[:, [0, 2, 3, 1, 2, 3]]
        return samples_to_gray(mask_words(pairs.reshape(*shape, 3), row), row)
    planar = header.values.get(_PLANAR_CONFIGURATION, b"\0\0")
    if int.from_bytes(planar, "big" if header.big_endian else "little") == 1:
        samples = np.moveaxis(words.reshape(len(numbers), 3, *shape[1:]), 1, -1)
    else:
        samples = words.reshape(*shape, 3)
    return samples_to_gray(mask_words(samples, row), row)


def _pixel_vr(read_at: ReadAt, header: Header) -> bytes:
    """Read the VR of pixel data in explicit VR: two letters, then two bytes and the length."""
    return read_at(header.walk.pixel_offset - 8, 2)


def _swapped(data: bytes, count: int) -> bytes:
    """Swap the first count bytes of big-endian words that hold two bytes each (PS3.5 8.1.2)."""
    pairs = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
    return (pairs + data[len(pairs) :])[:count]


def _decoded(
    read_at: ReadAt, size: int, header: Header, row: Row, numbers: range
) -> tuple[IntegerArray, tuple[str, ...]]:
    """Decode the frames in numbers and check each: ((frames, rows, columns), notes)."""
    if header.walk.pixel_length != UNDEFINED:
        raise RejectError("bad_element", "compressed pixel data of defined length")
    fragments = find_fragments(read_at, size, header.walk.pixel_offset)
    frames = row["NumberOfFrames"] or 1
    if not fragments.spans:
        raise RejectError("no_pixels", "encapsulated pixel data without a fragment")
    spans = frame_spans(read_at, fragments, frames)
    found, notes = [], dict[str, None]()
    for number in numbers:
        try:
            decoded = decode_frame(read_frame(read_at, spans[number]), header.syntax, row)
            samples, noted = stored_values(decoded, row)
        except RejectError as error:
            if frames == 1:
                raise
            detail = f"frame {number + 1} of {frames}: {error.detail}"
            raise RejectError(error.reason, detail) from error
        notes |= dict.fromkeys(noted)
        found.append(samples_to_gray(samples, row) if samples.ndim == 3 else samples)
    return np.stack(found), tuple(notes)
