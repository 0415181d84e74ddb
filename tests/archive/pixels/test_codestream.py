"""tests/archive/pixels/test_codestream.py: a codestream names its size, bytes around it that mean
nothing are passed over, and what is cut stays refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from wetread.archive.pixels.codestream import Codestream, read_codestream
from wetread.archive.pixels.stored_pixels import read_pixels
from wetread.archive.rejects import RejectError
from wetread.verbs.show import examine_file

Write = Callable[..., Path]
JPEG, LOSSLESS, JPEG_LS, J2K, HTJ2K = (
    UID(f"1.2.840.10008.1.2.4.{end}") for end in (50, 70, 80, 90, 201)
)
SHAPE = (24, 20)
PIXELS = np.random.default_rng(8).integers(0, 4096, SHAPE).astype(np.uint16)
STREAMS: dict[UID, bytes] = {
    JPEG_LS: bytes(jpeg_ls.encode_array(PIXELS)),
    J2K: bytes(
        imagecodecs.jpeg2k_encode(
            PIXELS, codecformat="j2k", reversible=True, level=0, bitspersample=12
        )
    ),
    HTJ2K: bytes(imagecodecs.htj2k_encode(PIXELS, reversible=True)),
    LOSSLESS: bytes(imagecodecs.jpeg8_encode(PIXELS, lossless=True, bitspersample=12)),
}
END = b"\xff\xd9"


@pytest.fixture
def write_items(write_ct: Write) -> Write:
    """write_items(fragments, syntax, frames=1) -> path: the fragments, made even, and no table."""

    def write(fragments: list[bytes], syntax: UID, frames: int = 1) -> Path:
        many = {"NumberOfFrames": frames} if frames > 1 else {}
        path = write_ct(
            "x", pixels=np.zeros(SHAPE, np.uint16), BitsStored=12, HighBit=11,
            RescaleIntercept=-1024, **many,
        )  # fmt: skip
        dataset = pydicom.dcmread(path)
        even = [one + b"\0" * (len(one) % 2) for one in (b"", *fragments)]
        items = [b"\xfe\xff\x00\xe0" + len(one).to_bytes(4, "little") + one for one in even]
        dataset.PixelData = b"".join(items)
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path)
        return path

    return write


def row_of(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["state"] == "image", found["detail"]
    return {name: found.get(name) for name in INDEX_SCHEMA}


def stray_of(path: Path) -> str | None:
    shown = examine_file((path, None, None))
    assert shown.state == "read"
    found = [one.detail for one in shown.issues if one.name == "stream_out_of_form"]
    return found[0] if found else None


@pytest.mark.parametrize("syntax", [JPEG_LS, J2K, HTJ2K])
@pytest.mark.parametrize("stray", [b"\0", b"\0\0\0", bytes(40), b"\0\xff\xff", b"\0\0\xff"])
def test_zero_bytes_before_the_end_marker_are_no_data_and_are_named(
    write_items: Write, syntax: UID, stray: bytes
) -> None:
    frame = STREAMS[syntax]
    assert frame.endswith(END)
    path = write_items([frame[:-2] + stray + END], syntax)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, PIXELS)
    assert stray_of(path) == f"{len(stray)} stray bytes before its end marker"


@pytest.mark.parametrize("syntax", [LOSSLESS, JPEG])
@pytest.mark.parametrize("stray", [b"\0", b"\0\0\0", b"\xff\xff", b"\0\xff"])
def test_bytes_before_the_end_marker_of_jpeg_change_no_pixel(
    write_items: Write, syntax: UID, stray: bytes
) -> None:
    pixels = (PIXELS >> 4).astype(np.uint8)
    frame = STREAMS.get(syntax) or bytes(imagecodecs.jpeg8_encode(pixels))
    row = row_of(write_items([STREAMS[LOSSLESS]], LOSSLESS))
    if syntax == JPEG:
        row |= {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "TransferSyntaxUID": str(JPEG)}
    whole = read_pixels(row | {"path": str(write_items([frame], LOSSLESS))}).stored
    path = write_items([frame[:-2] + stray + END], LOSSLESS)
    np.testing.assert_array_equal(read_pixels(row | {"path": str(path)}).stored, whole)


@pytest.mark.parametrize("syntax", list(STREAMS))
@pytest.mark.parametrize("fill", [b"\xff", b"\xff\xff\xff"])
def test_fill_bytes_before_the_end_marker_are_allowed(
    write_items: Write, syntax: UID, fill: bytes
) -> None:
    path = write_items([STREAMS[syntax][:-2] + fill + END], syntax)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, PIXELS)
    if syntax in (JPEG_LS, LOSSLESS):  # T.81 B.1.1.2; JPEG 2000 has no fill bytes
        assert stray_of(path) is None


@pytest.mark.parametrize("syntax", list(STREAMS))
@pytest.mark.parametrize("behind", [b"\0", b"\0\0\0", bytes(300), b"\0\xff", b"\xff\xd9\0"])
def test_bytes_behind_the_end_marker_are_padding(
    write_items: Write, syntax: UID, behind: bytes
) -> None:
    path = write_items([STREAMS[syntax] + behind], syntax)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, PIXELS)


@pytest.mark.parametrize("syntax", list(STREAMS))
@pytest.mark.parametrize("before", [b"\xff", b"\xff\xff\xff", b"\0", b"\0\0"])
def test_bytes_before_the_start_marker_are_passed_over(
    write_items: Write, syntax: UID, before: bytes
) -> None:
    path = write_items([before + STREAMS[syntax]], syntax)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, PIXELS)


@pytest.mark.parametrize("syntax", [J2K, HTJ2K])
def test_zeros_in_place_of_the_end_marker_of_whole_tiles_are_named(
    write_items: Write, syntax: UID
) -> None:
    path = write_items([STREAMS[syntax][:-2] + b"\0\0"], syntax)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, PIXELS)
    assert stray_of(path) == "zero bytes instead of its end marker"


@pytest.mark.parametrize("syntax", list(STREAMS))
def test_a_stream_that_lacks_data_is_refused_whatever_fills_it_up(
    write_items: Write, syntax: UID
) -> None:
    frame = STREAMS[syntax]
    for lost in (9, 40, len(frame) // 2):
        for fill in (b"", b"\0", b"\0\0\0", b"\xff\xff"):
            for end in (END, b"\0\0", b""):
                row = row_of(write_items([frame[: -2 - lost] + fill + end], syntax))
                with pytest.raises(RejectError, match=r"truncated_pixels|decode_failed"):
                    read_pixels(row)


def test_zeros_that_are_data_stay_data(write_items: Write) -> None:
    """Streams whose own last byte is zero, with zeros behind it that are none."""
    rng, met = np.random.default_rng(1), 0
    for _ in range(4000):
        pixels = rng.integers(0, 4096, SHAPE).astype(np.uint16)
        frame = bytes(jpeg_ls.encode_array(pixels))
        if frame[-3] != 0:
            continue
        met += 1
        path = write_items([frame[:-2] + b"\0\0" + END], JPEG_LS)
        np.testing.assert_array_equal(read_pixels(row_of(path)).stored, pixels)
        if met == 3:
            break
    assert met == 3


@pytest.mark.parametrize("syntax", list(STREAMS))
def test_frames_of_several_fragments_with_fill_between_them_are_read(
    write_items: Write, syntax: UID
) -> None:
    frame = STREAMS[syntax]
    third = len(frame) // 6 * 2
    parts = [frame[:third], frame[third : 2 * third], frame[2 * third :] + b"\0\0"]
    second = [b"\xff\xff" + frame[:third], frame[third:] + b"\0"]
    path = write_items([*parts, *second], syntax, frames=2)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, [PIXELS, PIXELS])
    path = write_items([*parts, bytes(8), *second, b"", b"\xff\xff"], syntax, frames=2)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, [PIXELS, PIXELS])
    np.testing.assert_array_equal(read_pixels(row_of(path) | {"frame": 1}).stored, PIXELS)


def test_frames_by_an_offset_table_may_have_fill_behind_them(write_ct: Write) -> None:
    frames = [STREAMS[JPEG_LS] + bytes(6), STREAMS[JPEG_LS][:-2] + b"\0" + END]
    path = write_ct(
        "x", pixels=np.zeros(SHAPE, np.uint16), BitsStored=12, HighBit=11, NumberOfFrames=2
    )
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate(frames, fragments_per_frame=4)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = JPEG_LS
    dataset.save_as(path)
    np.testing.assert_array_equal(read_pixels(row_of(path)).stored, [PIXELS, PIXELS])
    assert stray_of(path) == "1 of 2 slices: 1 stray bytes before its end marker"


def test_a_codestream_names_its_own_size() -> None:
    narrow, wide = np.zeros((5, 7), np.uint8), np.zeros((5, 7), np.uint16)
    lossy = imagecodecs.jpeg2k_encode(wide.view(np.int16), codecformat="j2k", level=40)
    for frame, bits, color, signed, loss in (
        # libjpeg writes JFIF before grey, too
        (imagecodecs.jpeg8_encode(narrow), 8, "YBR", None, False),
        (imagecodecs.jpegls_encode(wide), 16, None, None, False),
        (
            imagecodecs.jpeg2k_encode(wide, codecformat="j2k", reversible=True),
            16,
            None,
            False,
            False,
        ),
        (lossy, 16, None, True, True),
    ):
        found = read_codestream(bytes(frame) + b"\0")
        assert found == Codestream(
            5, 7, 1, bits, color=color, end=len(frame) - 2, signed=signed, loss=loss
        )
    assert read_codestream(b"nothing") is None
