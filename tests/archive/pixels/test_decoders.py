"""tests/archive/pixels/test_decoders.py: every image of pydicom's own test set is read as other
decoders read it, or has a reason."""

import warnings
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.color import PALETTE, rgb_to_gray
from wetread.archive.pixels.decoders import NATIVE_SYNTAXES
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError

FOLDER = Path(str(pydicom.__path__[0])) / "data" / "test_files"
LOSSY = {f"1.2.840.10008.1.2.4.{end}" for end in (50, 51, 81, 91, 203)}
TWELVE_BIT_JPEG = "1.2.840.10008.1.2.4.51"
REJECTED = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "decode_mismatch",  # its SIZ is overwritten
    "MR_truncated.dcm": "truncated_pixels",
    "UN_sequence.dcm": "no_pixels",
    "meta_missing_tsyntax.dcm": "bad_pixel_header",  # a header without rows
    "nested_priv_SQ.dcm": "bad_pixel_header",
    "no_meta.dcm": "not_dicom",
    "no_meta_group_length.dcm": "truncated_header",
    "priv_SQ.dcm": "no_pixels",
    "zipMR.gz": "io_error",  # named for what it is, and not looked into
}
NO_DICOM = {"README.txt", "rtplan.dump", "rtstruct.dump", "test1.json", "test_PN.json",
            "crayons.icc"}  # fmt: skip


def examined(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return {name: found.get(name) for name in (*INDEX_SCHEMA, "reason")}


def images() -> list[Path]:
    return [path for path in sorted(FOLDER.glob("*.dcm")) if examined(path)["state"] == "image"]


def test_every_file_is_an_image_another_object_or_has_a_reason() -> None:
    states: dict[str, list[str]] = {"image": [], "not_image": []}
    rejects = {}
    for path in sorted(path for path in FOLDER.iterdir() if path.is_file()):
        row = examined(path)
        reason = row["reason"]
        if row["state"] == "image":
            try:
                read_stored(row)
            except RejectError as error:
                reason = error.reason
        if reason is None:
            states[row["state"]].append(path.name)
        else:
            rejects[path.name] = reason
    not_dicom = {name for name, reason in rejects.items() if reason == "not_dicom"}
    assert not_dicom == NO_DICOM | {"no_meta.dcm"}
    assert {name: rejects[name] for name in rejects if name not in NO_DICOM} == REJECTED
    assert len(states["image"]) + len(states["not_image"]) + len(rejects) == sum(
        path.is_file() for path in FOLDER.iterdir()
    )
    assert len(states["image"]) >= 50


def by_plugin(path: Path, plugin: str, row: dict[str, Any]) -> np.ndarray | None:
    """Grey stored values by one of pydicom's plugins; None where that plugin cannot."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        try:
            found, _ = get_decoder(UID(row["TransferSyntaxUID"])).as_array(
                dataset, decoding_plugin=plugin
            )
        except Exception:  # a plugin that is absent or refuses is no second opinion
            return None
    if row["SamplesPerPixel"] == 3:
        found = rgb_to_gray(found)
    return np.asarray(found)


def by_gdcm(path: Path) -> np.ndarray:
    """Decode 12-bit JPEG, which pydicom does not let its plugin do."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    image = reader.GetImage()
    raw = image.GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(raw, np.uint16).reshape(image.GetDimension(1), image.GetDimension(0))


def test_two_decoders_agree_on_every_image_of_the_set() -> None:
    compared: dict[str, set[str]] = {}
    for path in images():
        row = examined(path)
        if path.name in REJECTED or row["PhotometricInterpretation"] == PALETTE:
            continue
        syntax = row["TransferSyntaxUID"]
        plugins = (
            [""]
            if syntax in NATIVE_SYNTAXES
            else ["pylibjpeg", "pyjpegls", "pillow", "gdcm", "pydicom"]
        )
        for plugin in plugins:
            theirs = by_plugin(path, plugin, row)
            if theirs is None:
                continue
            ours = read_stored(row)
            assert theirs.shape == ours.shape, (path.name, plugin)
            worst = int(np.abs(theirs.astype(np.int64) - ours.astype(np.int64)).max())
            # grey of 8-bit colour is rounded; two roundings may meet at a half
            bound = 1 if syntax in LOSSY or row["SamplesPerPixel"] == 3 else 0
            assert worst <= bound, (path.name, plugin, worst)
            compared.setdefault(syntax, set()).add(path.name)
    assert len(set().union(*compared.values())) >= 45
    assert len(compared) >= 11


def test_the_pixels_of_a_palette_are_compared_before_it_is_applied() -> None:
    """The palette itself is compared in test_color.py."""
    path = FOLDER / "examples_palette.dcm"
    row = examined(path) | {"PhotometricInterpretation": "MONOCHROME2"}
    np.testing.assert_array_equal(read_stored(row), pydicom.dcmread(path).pixel_array)


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_twelve_bit_jpeg_agrees_with_gdcm(name: str) -> None:
    row = examined(FOLDER / name)
    assert row["TransferSyntaxUID"] == TWELVE_BIT_JPEG
    worst = np.abs(read_stored(row).astype(int) - by_gdcm(FOLDER / name)).max()
    assert worst <= 1


def test_real_lossless_jpeg_agrees_with_two_other_decoders(real_data: Path) -> None:
    import imagecodecs

    for path in sorted((real_data / "chest_ct").glob("*.dcm"))[::25]:
        row = examined(path)
        dataset = pydicom.dcmread(path)
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        stored = read_stored(row)
        np.testing.assert_array_equal(stored, imagecodecs.ljpeg_decode(frame).view(np.int16))
        np.testing.assert_array_equal(stored, imagecodecs.jpegsof3_decode(frame).view(np.int16))


@pytest.mark.parametrize("predictor", range(1, 8))
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_jpeg_is_exact_at_every_predictor(predictor: int, bits: int) -> None:
    import imagecodecs

    from wetread.archive.pixels.decoders import decode_frame

    pixels = np.random.default_rng(predictor).integers(0, 1 << bits, (40, 56))
    pixels = pixels.astype(np.uint8 if bits == 8 else np.uint16)
    frame = bytes(
        imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=bits)
    )
    row = {"Rows": 40, "Columns": 56, "SamplesPerPixel": 1, "BitsStored": bits}
    found = decode_frame(frame, "1.2.840.10008.1.2.4.57", row)
    np.testing.assert_array_equal(found.samples, pixels)
