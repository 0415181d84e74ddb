"""tests/archive/pixels/test_color.py: colour becomes the grey of its red, green and blue, whatever
the form it is stored in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.color import rgb_to_gray, ybr_to_rgb
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import RejectError

Write = Callable[..., Path]
RGB = np.random.default_rng(8).integers(0, 256, (16, 12, 3)).astype(np.uint8)
GREY = np.rint(0.299 * RGB[..., 0] + 0.587 * RGB[..., 1] + 0.114 * RGB[..., 2]).astype(np.uint8)
COLOUR = {
    "Modality": "DX",
    "SamplesPerPixel": 3,
    "PhotometricInterpretation": "RGB",
    "PlanarConfiguration": 0,
    "PixelRepresentation": 0,
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "RescaleSlope": None,
    "RescaleIntercept": None,
}


def row_of(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    assert found["state"] == "image", found
    return {name: found.get(name) for name in INDEX_SCHEMA}


def test_grey_is_luma() -> None:
    np.testing.assert_array_equal(rgb_to_gray(RGB), GREY)
    assert rgb_to_gray(np.full((1, 1, 3), 65535, np.uint16)).tolist() == [[65535]]


def test_ybr_becomes_rgb_as_in_pydicom() -> None:
    ybr = np.random.default_rng(9).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    ours, theirs = ybr_to_rgb(ybr, 8), convert_color_space(ybr, "YBR_FULL", "RGB")
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("planar", [0, 1])
def test_planes_and_pixels_give_the_same_grey(write_ct: Write, planar: int) -> None:
    data = np.moveaxis(RGB, -1, 0) if planar else RGB
    tags = COLOUR | {"PlanarConfiguration": planar, "PixelData": data.tobytes()}
    np.testing.assert_array_equal(read_stored(row_of(write_ct("x", **tags))), GREY)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_lossless_compression_keeps_the_grey(write_ct: Write, syntax: str) -> None:
    tags = COLOUR | {"Rows": 64, "Columns": 96, "PixelData": np.tile(RGB, (4, 8, 1)).tobytes()}
    path = write_ct("x", **tags)
    dataset = pydicom.dcmread(path)
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path)
    np.testing.assert_array_equal(read_stored(row_of(path)), np.tile(GREY, (4, 8)))


def test_full_ybr_is_converted_and_halved_chroma_is_spread(write_ct: Write) -> None:
    whole = write_ct(
        "a", **COLOUR | {"PhotometricInterpretation": "YBR_FULL", "PixelData": RGB.tobytes()}
    )
    expected = rgb_to_gray(convert_color_space(RGB, "YBR_FULL", "RGB")).astype(int)
    assert np.abs(read_stored(row_of(whole)) - expected).max() <= 1
    halved = np.concatenate([RGB[:, ::2, :1], RGB[:, 1::2, :1], RGB[:, ::2, 1:]], axis=-1)
    spread = RGB.copy()
    spread[:, 1::2, 1:] = RGB[:, ::2, 1:]
    path = write_ct(
        "b", **COLOUR | {"PhotometricInterpretation": "YBR_FULL_422", "PixelData": halved.tobytes()}
    )
    np.testing.assert_array_equal(read_stored(row_of(path)), rgb_to_gray(ybr_to_rgb(spread, 8)))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_numbers_of_a_palette_are_looked_up(write_ct: Write, syntax: str) -> None:
    numbers = np.arange(192, dtype=np.uint8).reshape(16, 12)
    tags: dict[str, Any] = COLOUR | {
        "SamplesPerPixel": 1,
        "PlanarConfiguration": None,
        "PhotometricInterpretation": "PALETTE COLOR",
    }
    del tags["PlanarConfiguration"]
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    for k, name in enumerate(("Red", "Green", "Blue")):
        entries = np.roll(np.arange(256) * 257, 40 * k).astype(f"{order}u2")
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{name}PaletteColorLookupTableData"] = entries.tobytes()
    path = write_ct("x", syntax=syntax, **tags, PixelData=numbers.tobytes())
    expected = rgb_to_gray(apply_color_lut(numbers, pydicom.dcmread(path)))
    found = read_stored(row_of(path))
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 100


@pytest.mark.parametrize(
    "tags",
    [
        {"Modality": "CT"},
        {"PhotometricInterpretation": "HSV"},
        {"SamplesPerPixel": 4, "PhotometricInterpretation": "CMYK"},
        {"Modality": "CT", "PhotometricInterpretation": "PALETTE COLOR", "SamplesPerPixel": 1},
    ],
)
def test_what_is_no_radiograph_in_known_colours_is_the_wrong_kind(
    write_ct: Write, tags: dict[str, Any]
) -> None:
    path = write_ct("x", **COLOUR | tags, PixelData=bytes(16 * 12 * 4))
    with pytest.raises(RejectError, match="wrong_kind"):
        read_stored(row_of(path))
