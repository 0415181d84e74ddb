"""tests/exports/test_stills.py: a picture's file gives back its pixels, and 16 bits give back the
values, by other readers."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as of_numpy

from wetread.archive.rejects import RejectError
from wetread.exports.stills import (
    as_smallest_type,
    encode_jpeg,
    encode_png,
    encode_png16,
    encode_tiff,
    encode_tiff16,
)

Image = pytest.importorskip("PIL.Image")
tifffile = pytest.importorskip("tifffile")
RNG = np.random.default_rng(0)
SHAPES = [(5, 7), (5, 7, 3), (64, 48), (64, 48, 3)]


def unchanged(content: bytes) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(found)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_png_gives_back_its_pixels_red_first(shape: tuple[int, ...]) -> None:
    picture = RNG.integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(BytesIO(encode_png(picture)))), picture)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_tiff_gives_back_its_pixels_red_first(shape: tuple[int, ...]) -> None:
    picture = RNG.integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(
        np.asarray(Image.open(BytesIO(encode_tiff(picture, None)))), picture
    )


@pytest.mark.parametrize("shape", [(64, 48), (64, 48, 3)])
def test_a_jpeg_is_near_its_pixels_in_every_channel(shape: tuple[int, ...]) -> None:
    """Smooth channels that differ: a swapped or thinned channel would be far off."""
    ramp = np.linspace(0, 250, 48)
    picture = np.zeros(shape, np.uint8)
    picture[...] = ramp[:, None] * (1, 0.5, 0.1) if len(shape) == 3 else ramp
    back = np.asarray(Image.open(BytesIO(encode_jpeg(picture, 95))))
    assert np.abs(back.astype(int) - picture).max() <= 4
    assert len(encode_jpeg(picture, 20)) < len(encode_jpeg(picture, 95))


@settings(max_examples=80, deadline=None)
@given(of_numpy.arrays(np.int16, (3, 4)))
def test_every_int16_hu_comes_back_from_a_16_bit_png(hu: np.ndarray) -> None:
    encoded = encode_png16(hu.astype(np.float32), "HU")
    back = unchanged(encoded.content)
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back * encoded.scale + encoded.offset, hu)


@settings(max_examples=40, deadline=None)
@given(of_numpy.arrays(np.uint16, (3, 4)))
def test_every_stored_grey_comes_back_from_a_16_bit_png(grey: np.ndarray) -> None:
    encoded = encode_png16(grey.astype(np.float32), "grey")
    np.testing.assert_array_equal(unchanged(encoded.content) * 1.0 + encoded.offset, grey)


def test_a_16_bit_png_says_in_the_file_what_its_numbers_mean() -> None:
    for unit, said in (("HU", "HU = number - 32768"), ("grey", "grey = number")):
        encoded = encode_png16(np.zeros((2, 2), np.float32), unit)
        assert Image.open(BytesIO(encoded.content)).text == {"Description": said}


@pytest.mark.parametrize("value", [0.5, 40_000.0, -40_000.0, np.nan])
def test_what_16_bits_cannot_hold_is_refused_and_not_rounded(value: float) -> None:
    with pytest.raises(RejectError, match="tiff keeps them"):
        encode_png16(np.full((2, 2), value, np.float32), "HU")


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([-1024, 3071], "int16"),
        ([-1024, 32767], "int16"),
        ([0, 65535], "uint16"),
        ([-1024, 32768], "float32"),
        ([0.5, 1], "float32"),
        ([-1024.25, 7], "float32"),
    ],
)
def test_a_tiff_holds_the_values_in_the_smallest_type_that_has_them(
    values: list[float], dtype: str
) -> None:
    options = np.array([values], np.float32)
    encoded = encode_tiff16(options, "HU", (0.5, 0.25))
    assert encoded.dtype == dtype
    back = tifffile.imread(BytesIO(encoded.content))
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, options)
    np.testing.assert_array_equal(as_smallest_type(options), options)


def test_a_tiff_says_its_resolution_and_what_its_numbers_mean() -> None:
    with tifffile.TiffFile(
        BytesIO(encode_tiff16(np.zeros((4, 4), np.float32), "HU", (0.5, 0.25)).content)
    ) as file:
        tags = file.pages[0].tags
        across, down = (tags[name].value for name in ("XResolution", "YResolution"))
        assert across[0] / across[1] == pytest.approx(40)  # pixels a cm, 0.25 mm apart
        assert down[0] / down[1] == pytest.approx(20)
        assert tags["ImageDescription"].value == "HU = number"
