"""tests/archive/pixels/test_streams.py: codestreams of other bits or sign than the header's
are read as they say themselves, with an issue; what nobody can know is refused."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gdcm
import imagecodecs
import jpeg_ls
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.notes import NAMED, note_names
from wetread.archive.pixels.stored_pixels import read_pixels
from wetread.archive.rejects import RejectError
from wetread.study.slices import slice_from_row
from wetread.verbs.show import examine_file

Write = Callable[..., Path]
JPEG_EXTENDED, LOSSLESS_JPEG, LOSSLESS_SV1, JPEG_LS, J2K, J2K_LOSSY, HTJ2K = (
    UID(f"1.2.840.10008.1.2.4.{end}") for end in (51, 57, 70, 80, 90, 91, 201)
)
SHAPE = (24, 20)


def ramp(low: int, high: int, kind: type[np.integer] = np.uint16) -> np.ndarray:
    """Every kind of value from low to high, both among them."""
    values = np.random.default_rng(high).integers(low, high + 1, SHAPE).astype(kind)
    values[0, :2] = low, high
    return values


def encoded(pixels: np.ndarray, syntax: UID, bits: int) -> bytes:
    """One lossless frame of `bits` bits a sample; JPEG 2000 with the sign of the pixels."""
    if syntax == J2K:
        return bytes(
            imagecodecs.jpeg2k_encode(
                pixels, codecformat="j2k", reversible=True, level=0, bitspersample=bits
            )
        )
    if syntax == HTJ2K:
        assert bits == 8 * pixels.dtype.itemsize
        return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    if syntax == JPEG_LS:
        return jpeg_ls_frame(pixels, bits)
    predictor = 1 if syntax == LOSSLESS_SV1 else 4
    return bytes(
        imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=bits)
    )


def jpeg_ls_frame(pixels: np.ndarray, bits: int) -> bytes:
    form = {"rows": SHAPE[0], "columns": SHAPE[1], "samples_per_pixel": 1, "bits_stored": bits}
    return bytes(jpeg_ls.encode_pixel_data(pixels.tobytes(), 0, **form))


@pytest.fixture
def write_frames(write_ct: Write) -> Write:
    """write_frames(frames, syntax, bits_stored, signed, **tags) -> path."""

    def write(
        frames: Sequence[bytes],
        syntax: UID,
        bits: int,
        signed: int,
        fragments: int = 1,
        **tags: Any,
    ) -> Path:
        many = {"NumberOfFrames": len(frames)} if len(frames) > 1 else {}
        tags = {
            "BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": signed,
            "RescaleIntercept": 0, **many, **tags,
        }  # fmt: skip
        path = write_ct("x", pixels=np.zeros(SHAPE, np.uint16), **tags)
        dataset = pydicom.dcmread(path)
        dataset.PixelData = encapsulate(list(frames), fragments_per_frame=fragments)
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path)
        return path

    return write


def examined(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return {name: found.get(name) for name in (*INDEX_SCHEMA, "reason", "detail")}


def issues_of(path: Path) -> dict[str, str]:
    """List the kinds of archive/notes.py that `show FILE` names."""
    shown = examine_file((path, None, None))
    assert shown.state == "read", (shown.reason, shown.detail)
    names = [issue.name for issue in shown.issues]
    assert len(names) == len(set(names)), names
    return {issue.name: issue.detail for issue in shown.issues if issue.name in NAMED}


def by_gdcm(path: Path) -> np.ndarray:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    image = reader.GetImage()
    form = image.GetPixelFormat()
    kind = f"{'i' if form.GetPixelRepresentation() else 'u'}{form.GetBitsAllocated() // 8}"
    raw = image.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(raw, kind).reshape(SHAPE)


@pytest.mark.parametrize("syntax", [J2K, JPEG_LS, LOSSLESS_JPEG, LOSSLESS_SV1])
@pytest.mark.parametrize(("bits", "stored"), [(11, 12), (9, 12), (10, 16), (14, 16)])
def test_unsigned_streams_of_fewer_bits_than_stored_are_read(
    write_frames: Write, syntax: UID, bits: int, stored: int
) -> None:
    pixels = ramp(0, 2**bits - 1)
    frame = encoded(pixels, syntax, bits)
    path = write_frames([frame], syntax, stored, 0)
    row = examined(path)
    assert row["state"] == "image"
    np.testing.assert_array_equal(read_pixels(row).stored, pixels)
    theirs = by_gdcm(path) if syntax in (J2K, JPEG_LS) else imagecodecs.ljpeg_decode(frame)
    np.testing.assert_array_equal(theirs, pixels)
    told = f"{bits} bits in the codestream, (0028,0101) BitsStored is {stored}"
    assert issues_of(path) == {"precision_differs": f"{told}"}
    assert slice_from_row(row).notes == ()  # the index says it


@pytest.mark.parametrize(("bits", "stored"), [(11, 12), (9, 12), (14, 16), (13, 16)])
def test_signed_jpeg_2000_of_fewer_bits_than_stored_is_read(
    write_frames: Write, bits: int, stored: int
) -> None:
    pixels = ramp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, np.int16)
    path = write_frames([encoded(pixels, J2K, bits)], J2K, stored, 1)
    found = read_pixels(examined(path)).stored
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, pixels)
    np.testing.assert_array_equal(by_gdcm(path), pixels)
    assert list(issues_of(path)) == ["precision_differs"]


def test_signed_htj2k_of_8_bits_in_12_is_read(write_frames: Write) -> None:
    pixels = ramp(-128, 127, np.int8)
    path = write_frames([encoded(pixels, HTJ2K, 8)], HTJ2K, 12, 1)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, pixels)
    np.testing.assert_array_equal(pydicom.dcmread(path).pixel_array, pixels)
    assert list(issues_of(path)) == ["precision_differs"]


@pytest.mark.parametrize("syntax", [JPEG_LS, LOSSLESS_JPEG, LOSSLESS_SV1])
@pytest.mark.parametrize(("bits", "stored"), [(11, 12), (14, 16)])
def test_signed_streams_of_fewer_bits_that_know_no_sign_are_refused_by_both_sides(
    write_frames: Write, syntax: UID, bits: int, stored: int
) -> None:
    path = write_frames([encoded(ramp(0, 2**bits - 1), syntax, bits)], syntax, stored, 1)
    row = examined(path)
    assert (row["state"], row["reason"]) == ("reject", "decode_mismatch")
    assert f"(0028,0101) BitsStored is {stored} with a sign" in row["detail"]
    assert f"{bits} bits" in row["detail"]
    with pytest.raises(RejectError, match="decode_mismatch"):
        read_pixels(row | {"state": "image"})


@pytest.mark.parametrize("syntax", [J2K, JPEG_LS, LOSSLESS_JPEG, HTJ2K])
@pytest.mark.parametrize(("bits", "stored"), [(16, 12), (16, 10)])
def test_streams_of_more_bits_than_stored_are_read(
    write_frames: Write, syntax: UID, bits: int, stored: int
) -> None:
    pixels = ramp(0, 2**stored - 1)
    path = write_frames([encoded(pixels, syntax, bits)], syntax, stored, 0)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, pixels)
    assert list(issues_of(path)) == ["precision_differs"]


def test_a_jpeg_2000_stream_that_uses_more_bits_than_stored_keeps_its_values(
    write_frames: Write,
) -> None:
    signed = ramp(-4096, 4095, np.int16)
    path = write_frames([encoded(signed, J2K, 13)], J2K, 12, 1)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, signed)
    np.testing.assert_array_equal(by_gdcm(path), signed)
    unsigned = ramp(0, 5000)
    path = write_frames([encoded(unsigned, J2K, 16)], J2K, 12, 0)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, unsigned)


@pytest.mark.parametrize(("bits", "stored"), [(12, 12), (11, 12), (12, 16), (16, 16)])
def test_a_signed_jpeg_2000_stream_under_pixel_representation_0_has_negatives(
    write_frames: Write, bits: int, stored: int
) -> None:
    pixels = ramp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, np.int16)
    path = write_frames([encoded(pixels, J2K, bits)], J2K, stored, 0)
    row = examined(path)
    np.testing.assert_array_equal(read_pixels(row).stored, pixels)
    np.testing.assert_array_equal(by_gdcm(path).view(np.int16), pixels)
    np.testing.assert_array_equal(slice_from_row(row).values(), np.maximum(pixels, -1024))
    issues = issues_of(path)
    assert "sign_differs" in issues
    assert "is signed, (0028,0103) PixelRepresentation is 0" in issues["sign_differs"]
    assert ("precision_differs" in issues) == (bits != stored)
    # a row of an index that was made without looking at the stream
    np.testing.assert_array_equal(
        read_pixels(row | {"PixelRepresentation": 0, "notes": []}).stored, pixels
    )


def test_a_signed_htj2k_stream_under_pixel_representation_0_has_negatives(
    write_frames: Write,
) -> None:
    pixels = ramp(-1024, 3071, np.int16)
    path = write_frames([encoded(pixels, HTJ2K, 16)], HTJ2K, 16, 0)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, pixels)
    assert list(issues_of(path)) == ["sign_differs"]


def test_unsigned_values_in_a_wider_signed_stream_stay_positive(write_frames: Write) -> None:
    pixels = ramp(0, 4095, np.int16)
    path = write_frames([encoded(pixels, J2K, 16)], J2K, 12, 0)
    row = examined(path)
    np.testing.assert_array_equal(read_pixels(row).stored, pixels)
    assert set(issues_of(path)) == {"precision_differs", "sign_differs"}


def test_the_padding_of_a_signed_stream_is_signed(write_frames: Write) -> None:
    pixels = ramp(-2000, 1000, np.int16)
    path = write_frames([encoded(pixels, J2K, 16)], J2K, 16, 0)
    dataset = pydicom.dcmread(path)
    dataset.add_new(0x00280120, "US", 63536)
    dataset.save_as(path)
    row = examined(path)
    assert row["PixelPaddingValue"] == -2000
    values = slice_from_row(row).values()
    assert (values[pixels == -2000] == -1024).all()


@pytest.mark.parametrize(("bits", "stored"), [(11, 12), (14, 16)])
def test_an_unsigned_jpeg_2000_stream_of_fewer_bits_under_a_sign_has_no_negatives(
    write_frames: Write, bits: int, stored: int
) -> None:
    pixels = ramp(0, 2**bits - 1)
    path = write_frames([encoded(pixels, J2K, bits)], J2K, stored, 1)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, pixels)
    np.testing.assert_array_equal(by_gdcm(path), pixels)
    assert set(issues_of(path)) == {"precision_differs", "sign_differs"}


def test_twos_complement_in_an_unsigned_stream_of_all_stored_bits_has_its_sign(
    write_frames: Write,
) -> None:
    pixels = ramp(-2048, 2047, np.int16)
    path = write_frames([encoded((pixels & 0xFFF).view(np.uint16), J2K, 12)], J2K, 12, 1)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, pixels)
    np.testing.assert_array_equal(pydicom.dcmread(path).pixel_array, pixels)
    assert list(issues_of(path)) == ["sign_differs"]


def test_one_odd_frame_of_several_is_read_and_named(write_frames: Write) -> None:
    frames = [ramp(0, 4095), ramp(0, 2047), ramp(0, 4095)]
    for syntax in (J2K, JPEG_LS):
        streams = [
            encoded(one, syntax, bits) for one, bits in zip(frames, (12, 11, 12), strict=True)
        ]
        path = write_frames(streams, syntax, 12, 0)
        row = examined(path)
        np.testing.assert_array_equal(read_pixels(row).stored, frames)
        np.testing.assert_array_equal(read_pixels(row | {"frame": 1}).stored, frames[1])
        assert "11 bits in the codestream" in issues_of(path)["precision_differs"]
    signed = examined(write_frames(streams, JPEG_LS, 12, 1))
    assert (signed["reason"], signed["detail"][:16]) == ("decode_mismatch", "frame 2 of 3: (0")


def test_the_header_of_a_stream_behind_a_long_segment_is_found(write_frames: Write) -> None:
    pixels = ramp(0, 2047)
    frame = encoded(pixels, LOSSLESS_SV1, 11)
    comment = b"\xff\xfe" + (5000).to_bytes(2, "big") + bytes(4998)
    path = write_frames([frame[:2] + comment + frame[2:]], LOSSLESS_SV1, 12, 0, fragments=3)
    assert "precision_differs" in note_names(examined(path)["notes"])
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, pixels)


@pytest.mark.parametrize("name", ["Rows", "Columns"])
def test_a_mismatch_names_the_element_that_differs_and_no_other(
    write_frames: Write, name: str
) -> None:
    path = write_frames([encoded(ramp(0, 4095), J2K, 12)], J2K, 12, 0, **{name: 16})
    detail = examined(path)["detail"]
    assert f"{name} is 16, the compressed frame has {SHAPE[name == 'Columns']}" in detail
    assert ("Rows" in detail) != ("Columns" in detail)


def hard_edges(low: int, high: int, kind: type[np.integer] = np.uint16) -> np.ndarray:
    """Checks of low and high: what every lossy codec overshoots at."""
    rows, columns = np.indices(SHAPE)
    return np.where((rows // 3 + columns // 3) % 2, high, low).astype(kind)


def overshoot(decoded: np.ndarray, low: int, high: int) -> int:
    return int(((decoded < low) | (decoded > high)).sum())


def test_a_lossy_10_bit_image_whose_decoder_gives_1024_is_clipped_and_counted(
    write_frames: Write,
) -> None:
    frame = bytes(imagecodecs.jpeg8_encode(hard_edges(0, 1023), level=60, bitspersample=12))
    theirs = imagecodecs.jpeg8_decode(frame)
    beyond = overshoot(theirs, 0, 1023)
    assert beyond > 10
    path = write_frames([frame], JPEG_EXTENDED, 10, 0)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, np.minimum(theirs, 1023))
    told = f"{beyond} of {theirs.size} pixels, 0 to {theirs.max()}, set to 0 to 1023"
    assert issues_of(path)["clipped"] == f"{told}"


@pytest.mark.parametrize("signed", [False, True])
def test_a_lossy_jpeg_2000_image_beyond_12_bits_is_clipped_and_counted(
    write_frames: Write, signed: bool
) -> None:
    low, high, kind = (-2048, 2047, np.int16) if signed else (0, 4095, np.uint16)
    frame = bytes(
        imagecodecs.jpeg2k_encode(hard_edges(low, high, kind), codecformat="j2k", level=30)
    )
    theirs = imagecodecs.jpeg2k_decode(frame)
    beyond = overshoot(theirs, low, high)
    assert beyond > 10
    path = write_frames([frame], J2K_LOSSY, 12, int(signed))
    found = read_pixels(examined(path))
    np.testing.assert_array_equal(found.stored, np.clip(theirs, low, high))
    assert f"clipped: {beyond} of {theirs.size} pixels, " in "\n".join(found.notes)
    # under a syntax that says lossless the wavelet tells
    lossless = examined(write_frames([frame], J2K, 12, int(signed)))
    np.testing.assert_array_equal(read_pixels(lossless).stored, np.clip(theirs, low, high))


def test_lossy_twos_complement_beyond_its_range_is_clipped_and_not_wrapped(
    write_frames: Write,
) -> None:
    """JPEG-LS with a permitted error of 3, of 12-bit signed values whose sign fills 16 bits."""
    pixels = hard_edges(-2048, 2047, np.int16)
    theirs = pixels + np.where(pixels > 0, 3, -3).astype(np.int16)  # what error 3 may give
    frame = jpeg_ls_frame(theirs.view(np.uint16), 16)
    near = UID("1.2.840.10008.1.2.4.81")
    path = write_frames([frame], near, 12, 1)
    found = read_pixels(examined(path))
    np.testing.assert_array_equal(found.stored, pixels)
    assert f"clipped: {theirs.size} of {theirs.size} pixels, -2051 to 2050" in found.notes[-1]


@pytest.mark.parametrize("syntax", [J2K, JPEG_LS, LOSSLESS_JPEG])
def test_lossless_values_beyond_the_stored_bits_are_kept_as_the_stream_has_them(
    write_frames: Write, syntax: UID
) -> None:
    pixels = ramp(0, 5000)
    path = write_frames([encoded(pixels, syntax, 16)], syntax, 12, 0)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, pixels)
    assert list(issues_of(path)) == ["precision_differs"]
    signed = ramp(-3000, 3000, np.int16)
    frame = encoded(signed if syntax == J2K else signed.view(np.uint16), syntax, 16)
    path = write_frames([frame], syntax, 12, 1)
    np.testing.assert_array_equal(read_pixels(examined(path)).stored, signed)
    assert list(issues_of(path)) == ["precision_differs"]


def test_lossy_values_far_beyond_the_stored_bits_are_no_overshoot(write_frames: Write) -> None:
    frame = bytes(imagecodecs.jpeg8_encode(ramp(0, 4095), level=95, bitspersample=12))
    path = write_frames([frame], JPEG_EXTENDED, 8, 0)
    np.testing.assert_array_equal(
        read_pixels(examined(path)).stored, imagecodecs.jpeg8_decode(frame)
    )
    assert list(issues_of(path)) == ["precision_differs"]


def test_eight_bit_jpeg_in_twelve_stored_is_read(write_frames: Write) -> None:
    frame = bytes(imagecodecs.jpeg8_encode(ramp(0, 255, np.uint8)))
    path = write_frames([frame], UID("1.2.840.10008.1.2.4.50"), 12, 0)
    np.testing.assert_array_equal(
        read_pixels(examined(path)).stored, imagecodecs.jpeg8_decode(frame)
    )
    assert list(issues_of(path)) == ["precision_differs"]


def test_a_lossy_jpeg_xl_image_beyond_its_bits_is_clipped(write_frames: Write) -> None:
    frame = bytes(imagecodecs.jpegxl_encode(hard_edges(0, 1023), distance=4.0, bitspersample=12))
    theirs = imagecodecs.jpegxl_decode(frame)
    beyond = overshoot(theirs, 0, 1023)
    assert beyond > 10
    path = write_frames([frame], HTJ2K, 10, 0)  # pydicom writes no syntax that it does not know
    known, jpeg_xl = b"1.2.840.10008.1.2.4.201", b"1.2.840.10008.1.2.4.112"
    path.write_bytes(path.read_bytes().replace(known, jpeg_xl, 1))
    row = examined(path)
    assert row["state"] == "image"
    found = read_pixels(row)
    np.testing.assert_array_equal(found.stored, np.minimum(theirs, 1023))
    assert found.notes[0].startswith(f"clipped: {beyond} of {theirs.size} pixels")
