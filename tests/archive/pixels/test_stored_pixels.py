"""tests/archive/pixels/test_stored_pixels.py: stored pixels equal those of pydicom, brute force
and the reference files of every syntax."""

import csv
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError

Write = Callable[..., Path]
RLE_FORM: dict[str, Any] = {
    "rows": 64, "columns": 72, "samples_per_pixel": 1, "bits_allocated": 16, "bits_stored": 16,
    "pixel_representation": 0, "photometric_interpretation": "MONOCHROME2", "number_of_frames": 1,
}  # fmt: skip
WIDE = np.random.default_rng(4).integers(0, 4096, (64, 72)).astype(np.uint16)


def row_of(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["state"] == "image", found
    return {name: found.get(name) for name in INDEX_SCHEMA}


def compressed(path: Path, syntax: UID) -> Path:
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_native_pixels_equal_what_was_written(
    write_ct: Write, noise: np.ndarray, syntax: UID
) -> None:
    np.testing.assert_array_equal(read_stored(row_of(write_ct("x", syntax=syntax))), noise)


def test_big_endian_pixels_equal_those_of_pydicom(write_ct: Write, noise: np.ndarray) -> None:
    path = write_ct("x", syntax=ExplicitVRBigEndian, pixels=noise.byteswap())
    stored = read_stored(row_of(path))
    np.testing.assert_array_equal(stored, noise)
    np.testing.assert_array_equal(stored, pydicom.dcmread(path).pixel_array)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize(("bits", "kind"), [(16, np.int16), (16, np.uint16), (12, np.uint16)])
def test_lossless_compression_gives_back_what_was_written(
    write_ct: Write, syntax: UID, bits: int, kind: type[np.integer]
) -> None:
    rng = np.random.default_rng(3)
    low = -(2 ** (bits - 1)) if kind is np.int16 else 0
    pixels = rng.integers(low, low + 2**bits, (64, 72)).astype(kind)
    path = write_ct("x", pixels=pixels, BitsStored=bits, HighBit=bits - 1)
    np.testing.assert_array_equal(read_stored(row_of(compressed(path, syntax))), pixels)


def test_frames_come_as_one_block(write_ct: Write, noise: np.ndarray) -> None:
    both = np.stack([noise, noise[::-1]])
    path = write_ct("x", NumberOfFrames=2, PixelData=both.tobytes())
    np.testing.assert_array_equal(read_stored(row_of(path)), both)
    np.testing.assert_array_equal(read_stored(row_of(compressed(path, RLELossless))), both)


def test_unused_bits_of_rle_words_mean_nothing(write_ct: Write) -> None:
    """RLE packs the words as they are, an old overlay in their high bits with them."""
    words = WIDE | np.uint16(0xA000)
    path = write_ct("x", pixels=words, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_stored(row_of(path)), WIDE)
    frame = next(RLELosslessEncoder.iter_encode(words, **RLE_FORM))
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.save_as(path)
    np.testing.assert_array_equal(read_stored(row_of(path)), WIDE)


def test_a_frame_that_no_scanner_makes_is_too_big_before_memory_is_taken(write_ct: Write) -> None:
    path = compressed(write_ct("x", pixels=WIDE), JPEG2000Lossless)
    dataset = pydicom.dcmread(path)
    dataset.Rows, dataset.Columns, dataset.BitsAllocated = 65535, 65535, 8
    dataset.BitsStored, dataset.HighBit = 8, 7
    dataset.save_as(path)
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["reason"] == "too_big"


def rare_frames(pixels: np.ndarray) -> dict[str, bytes]:
    """One frame in each of the syntaxes that pydicom does not write."""
    import imagecodecs

    narrow = (pixels >> 4).astype(np.uint8)
    return {
        "1.2.1.98": pixels.tobytes(),
        "1.2.8.1": zlib.compress(pixels.tobytes(), wbits=-zlib.MAX_WBITS),
        "1.2.4.53": cv2.imencode(".jpg", narrow, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes(),
        "1.2.4.110": bytes(imagecodecs.jpegxl_encode(pixels, lossless=True, bitspersample=12)),
    }


@pytest.mark.parametrize("end", ["1.2.1.98", "1.2.8.1", "1.2.4.53", "1.2.4.110"])
def test_rare_syntaxes_are_read_and_refused_where_cut(write_ct: Write, end: str) -> None:
    ramp = (np.arange(64)[:, None] * 20 + np.arange(72) * 37).astype(np.uint16)
    frame = rare_frames(ramp)[end]
    bits = {"BitsStored": 12, "HighBit": 11}
    if end == "1.2.4.53":
        bits = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    path = write_ct("x", pixels=ramp, **bits)
    dataset = pydicom.dcmread(path)
    for whole in (True, False):
        dataset.PixelData = encapsulate([frame if whole else frame[: len(frame) * 2 // 3]])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        uid = f"1.2.840.10008.{end}".encode()
        known = b"1.2.840.10008.1.2.4.201" if len(uid) == 23 else b"1.2.840.10008.1.2.4.80"
        dataset.file_meta.TransferSyntaxUID = UID(known.decode())
        dataset.save_as(path)  # pydicom writes no syntax that it does not know
        path.write_bytes(path.read_bytes().replace(known, uid.ljust(len(known), b"\0"), 1))
        if not whole:
            with pytest.raises(RejectError, match=r"truncated_pixels|decode_failed"):
                read_stored(row_of(path))
        elif end == "1.2.4.53":
            expected = cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_GRAYSCALE)
            assert np.abs(read_stored(row_of(path)).astype(int) - expected).max() <= 1
        else:
            np.testing.assert_array_equal(read_stored(row_of(path)), ramp)


def test_signed_12_bit_values_survive_every_stream(write_ct: Write) -> None:
    """The stream holds 12 bits or their sign in 16: what two libraries get wrong."""
    import imagecodecs

    pixels = np.random.default_rng(6).integers(-2048, 2048, (64, 72)).astype(np.int16)
    pixels[0, :2] = -2048, 2047
    twelve, sixteen = (pixels & 0xFFF).astype(np.uint16), pixels.view(np.uint16)
    path = write_ct("x", pixels=pixels, BitsStored=12, HighBit=11)
    frames = {
        (UID("1.2.840.10008.1.2.4.57"), 12): imagecodecs.ljpeg_encode(twelve, bitspersample=12),
        (UID("1.2.840.10008.1.2.4.57"), 16): imagecodecs.ljpeg_encode(sixteen, bitspersample=16),
        (JPEGLSLossless, 16): imagecodecs.jpegls_encode(sixteen),
        (JPEGLSLossless, 12): imagecodecs.jpegls_encode(twelve),
        (JPEG2000Lossless, 12): imagecodecs.jpeg2k_encode(
            twelve, codecformat="j2k", reversible=True, level=0, bitspersample=12
        ),
        (JPEG2000Lossless, 16): imagecodecs.jpeg2k_encode(
            pixels, codecformat="j2k", reversible=True, level=0
        ),
    }
    dataset = pydicom.dcmread(path)
    for (syntax, bits), frame in frames.items():
        dataset.PixelData = encapsulate([bytes(frame)])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path)
        np.testing.assert_array_equal(
            read_stored(row_of(path)), pixels, err_msg=f"{syntax.name}, {bits} bits"
        )


def test_surplus_bytes_are_no_frame(write_ct: Write, noise: np.ndarray) -> None:
    path = write_ct("x", PixelData=noise.tobytes() * 2)
    np.testing.assert_array_equal(read_stored(row_of(path)), noise)


def test_a_frame_of_another_size_than_the_header_is_a_mismatch(write_ct: Write) -> None:
    path = compressed(write_ct("x"), JPEGLSLossless)
    dataset = pydicom.dcmread(path)
    whole = row_of(path)
    dataset.Columns = 11
    dataset.save_as(path)
    with pytest.raises(RejectError, match=r"decode_mismatch: \(0028,0011\) Columns is 11"):
        read_stored(whole | {"Columns": 11})
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["reason"] == "decode_mismatch"  # the index says so, too


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_frame_without_its_end_is_refused_before_a_decoder_invents_it(
    write_ct: Write, syntax: UID
) -> None:
    path = compressed(write_ct("x", pixels=WIDE), syntax)
    dataset = pydicom.dcmread(path)
    frame = next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([frame[: len(frame) // 2]])
    dataset.save_as(path)
    with pytest.raises(RejectError, match="truncated_pixels"):
        read_stored(row_of(path))


def test_garbage_is_a_decode_failure(write_ct: Write) -> None:
    for syntax in (RLELossless, JPEG2000Lossless):
        path = compressed(write_ct("x", pixels=WIDE), syntax)
        whole = row_of(path)
        dataset = pydicom.dcmread(path)
        dataset.PixelData = encapsulate([bytes(range(256))])
        dataset.save_as(path)
        with pytest.raises(RejectError, match="decode_failed"):
            read_stored(whole)


def test_a_ct_in_colour_is_the_wrong_kind(write_ct: Write, noise: np.ndarray) -> None:
    path = write_ct("x", SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0,
                    PixelData=noise.tobytes() * 3)  # fmt: skip
    with pytest.raises(RejectError, match="wrong_kind"):
        read_stored(row_of(path))


def test_every_syntax_gives_the_reference_slice(real_data: Path) -> None:
    folder = real_data / "codecs"
    with open(folder / "manifest.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 30
    references = {}
    for line in lines:
        row = row_of(folder / line["file"])
        slope, intercept = row["RescaleSlope"], row["RescaleIntercept"]
        hu = read_stored(row) * slope + intercept
        references[line["file"]] = hu
        reference = references.get(line["reference_file"], hu)
        worst = float(np.abs(hu - reference).max())
        assert worst <= float(line["max_abs_error_hu_vs_reference"] or 0) + 1e-3, line["file"]
    assert len({row_of(folder / line["file"])["TransferSyntaxUID"] for line in lines}) == 16


def test_real_slices_equal_those_of_pydicom(real_data: Path) -> None:
    paths = sorted((real_data / "hemorrhage" / "stage_2_train").glob("*.dcm"))[::6]
    assert paths
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = pydicom.dcmread(path).pixel_array
        np.testing.assert_array_equal(read_stored(row_of(path)), expected)
