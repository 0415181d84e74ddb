"""tests/archive/pixels/test_cut_streams.py: a compressed stream cut anywhere is a reject."""

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.codestream import read_codestream
from wetread.archive.pixels.decoders import decode_frame
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError

Write = Callable[..., Path]
JPEG, J2K = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
CUTS = 24
REFUSALS = {"truncated_pixels", "decode_failed", "decode_mismatch"}


def row_of(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return {name: found.get(name) for name in INDEX_SCHEMA}


def frame_of(path: Path) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
    return next(generate_frames(dataset.PixelData, number_of_frames=1))


def compressed_files(real_data: Path) -> list[Path]:
    folder = real_data / "codecs"
    with open(folder / "manifest.csv", newline="") as file:
        names = [line["file"] for line in csv.DictReader(file)]
    return [folder / name for name in names if name[0] in "23456"]


def refused(frame: bytes, row: dict[str, Any]) -> str:
    with pytest.raises(RejectError) as error:
        decode_frame(frame, row["TransferSyntaxUID"], row)
    assert error.value.reason in REFUSALS, error.value
    return error.value.reason


def test_every_real_stream_cut_anywhere_is_refused(real_data: Path) -> None:
    rng = np.random.default_rng(11)
    files = compressed_files(real_data)
    assert len(files) == 24
    for path in files:
        row, frame = row_of(path), frame_of(path)
        ends = [1, 60, 66, len(frame) // 2, len(frame) - 3, *rng.integers(64, len(frame) - 3, CUTS)]
        # RLE has no end marker: what its last segment lacks is what shows
        spare = len(frame) - len(frame.rstrip(b"\0")) + 2
        for end in sorted(min(int(end), len(frame) - spare) for end in ends):
            refused(frame[:end], row)


def test_a_cut_that_is_closed_by_an_end_marker_is_refused_too(real_data: Path) -> None:
    """The one that libjpeg fills up and says nothing."""
    rng = np.random.default_rng(12)
    for path in compressed_files(real_data):
        row, frame = row_of(path), frame_of(path)
        if row["TransferSyntaxUID"] == "1.2.840.10008.1.2.5":
            continue
        first = len(frame) // 20  # behind the headers
        for end in (*rng.integers(first, len(frame) - 64, 6), len(frame) - 64):
            refused(frame[: int(end)] + b"\xff\xd9", row)


def test_what_is_cut_is_refused_from_the_file_with_its_reason(
    real_data: Path, tmp_path: Path
) -> None:
    for name in ("20_rle_dcmtk", "31_jpeg_lossless_sv1_dcmtk", "40_jpegls_lossless_dcmtk",
                 "50_j2k_lossless_gdcm", "60_htj2k_lossless_signed"):  # fmt: skip
        source = real_data / "codecs" / f"{name}.dcm"
        dataset = pydicom.dcmread(source)
        dataset.PixelData = encapsulate([frame_of(source)[:90_000]])
        dataset.save_as(tmp_path / "cut.dcm")
        with pytest.raises(RejectError) as error:
            read_stored(row_of(tmp_path / "cut.dcm"))
        wanted = "decode_failed" if "rle" in name else "truncated_pixels"
        assert error.value.reason == wanted, name


def test_an_end_marker_inside_a_segment_is_no_end() -> None:
    import imagecodecs

    image = np.tile(np.arange(64, dtype=np.uint8), (64, 1))
    frame = bytes(imagecodecs.jpeg8_encode(image))
    comment = b"\xff\xfe\x00\x06a\xff\xd9b"
    found = read_codestream(frame[:2] + comment + frame[2:])
    assert found is not None
    assert found.end == len(frame) + len(comment) - 2
    cut = read_codestream(frame[:2] + comment + frame[2:-2])
    assert cut is not None
    assert cut.end is None


def test_a_tile_part_that_is_shortened_is_no_whole_stream() -> None:
    import imagecodecs

    noise = np.random.default_rng(2).integers(0, 256, (64, 64)).astype(np.uint8)
    frame = bytes(imagecodecs.jpeg2k_encode(noise, codecformat="j2k", reversible=True))
    middle = len(frame) // 2
    whole, cut = read_codestream(frame), read_codestream(frame[:middle] + frame[middle + 5 :])
    assert whole is not None
    assert cut is not None
    assert (whole.end, cut.end) == (len(frame) - 2, None)


def test_a_wrapped_jpeg_2000_stream_is_read(write_ct: Write) -> None:
    import imagecodecs

    pixels = np.random.default_rng(5).integers(0, 4096, (32, 24)).astype(np.uint16)
    path = write_ct("x", pixels=pixels)
    row = row_of(path) | {"PixelRepresentation": 0}
    wrapped = bytes(imagecodecs.jpeg2k_encode(pixels, codecformat="jp2", reversible=True))
    np.testing.assert_array_equal(decode_frame(wrapped, J2K, row).samples, pixels)
    assert refused(wrapped[:-40], row | {"TransferSyntaxUID": J2K}) == "truncated_pixels"


def test_a_panic_of_a_native_decoder_is_a_refusal(
    write_ct: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openjpeg

    class Panic(BaseException):
        pass

    def dies(frame: bytes) -> np.ndarray:
        raise Panic("index out of bounds")

    import imagecodecs

    pixels = np.zeros((32, 24), np.uint16)
    frame = bytes(imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", reversible=True))
    monkeypatch.setattr(openjpeg, "decode", dies)
    row = row_of(write_ct("x", pixels=pixels)) | {"TransferSyntaxUID": J2K}
    assert refused(frame, row) == "decode_failed"
