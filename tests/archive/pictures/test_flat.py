"""tests/archive/pictures/test_flat.py: PNG and JPEG as other libraries read them."""

import contextlib
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from wetread.archive.pictures.flat import flat_fields, flat_samples
from wetread.archive.rejects import RejectError

GRAY = np.random.default_rng(0).integers(0, 256, (12, 9), np.uint8)
DEEP = np.random.default_rng(1).integers(0, 2**16, (12, 9)).astype(np.uint16)
COLOR = np.random.default_rng(2).integers(0, 256, (12, 9, 3), np.uint8)


def png(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


def saved(image: Image.Image, form: str = "PNG") -> bytes:
    out = BytesIO()
    image.save(out, form)
    return out.getvalue()


def read(data: bytes) -> tuple[dict[str, Any], np.ndarray]:
    fields = flat_fields(data, lossy=False)
    return fields, flat_samples(data, fields)


@pytest.mark.parametrize(("pixels", "bits"), [(GRAY, 8), (DEEP, 16)])
def test_gray_is_read_to_the_bit(pixels: np.ndarray, bits: int) -> None:
    fields, samples = read(png(pixels))
    np.testing.assert_array_equal(samples, pixels)
    assert samples.dtype == pixels.dtype
    assert (fields["BitsStored"], fields["SamplesPerPixel"]) == (bits, 1)
    assert (fields["Rows"], fields["Columns"]) == (12, 9)
    assert fields["PhotometricInterpretation"] == "MONOCHROME2"
    # 8 bits are seen as they are; of 16 it is not known which of them are used.
    assert fields["WindowCenter"] == ([128.0] if bits == 8 else None)


def test_color_palettes_and_transparency_are_red_green_and_blue() -> None:
    for data in (
        png(COLOR[..., ::-1]),  # OpenCV has blue first
        saved(Image.fromarray(np.dstack([COLOR, GRAY]), "RGBA")),
    ):
        fields, samples = read(data)
        np.testing.assert_array_equal(samples, COLOR)
        assert (fields["PhotometricInterpretation"], fields["SamplesPerPixel"]) == ("RGB", 3)
    palette = Image.fromarray(COLOR).convert("P")
    _, samples = read(saved(palette))
    np.testing.assert_array_equal(samples, np.asarray(palette.convert("RGB")))


def test_gray_with_transparency_and_of_one_bit_is_gray() -> None:
    _, samples = read(saved(Image.fromarray(np.dstack([GRAY, GRAY]), "LA")))
    np.testing.assert_array_equal(samples, GRAY)
    _, samples = read(saved(Image.fromarray(GRAY > 127)))
    np.testing.assert_array_equal(samples, np.where(GRAY > 127, 255, 0))


@pytest.mark.parametrize("pixels", [np.dstack([DEEP] * 3), np.dstack([DEEP] * 4)])
def test_sixteen_bits_of_color_are_refused_not_halved(pixels: np.ndarray) -> None:
    with pytest.raises(RejectError, match="a PNG of 16 bits with color or transparency"):
        flat_fields(png(pixels), lossy=False)


def test_jpeg_is_as_another_decoder_has_it_but_for_its_rounding() -> None:
    smooth = cv2.GaussianBlur(np.tile(GRAY, (4, 4)), (0, 0), 3)
    data = bytes(cv2.imencode(".jpg", smooth)[1])
    _, samples = read(data)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert other is not None
    assert np.abs(samples.astype(int) - other.astype(int)).max() <= 1
    assert flat_fields(data, lossy=True)["lossy"] is True


def test_what_cannot_be_decoded_is_refused() -> None:
    whole = png(np.tile(GRAY, (30, 30)))
    fields = flat_fields(whole, lossy=False)
    with pytest.raises(RejectError, match="truncated_pixels"):
        flat_samples(whole[: len(whole) // 2], fields)
    with pytest.raises(RejectError, match="decode_mismatch"):
        flat_samples(png(GRAY), fields)
    with pytest.raises(RejectError, match="truncated_header"):
        flat_fields(whole[:20], lossy=False)
    animated = BytesIO()
    frames = [Image.fromarray(GRAY), Image.fromarray(255 - GRAY)]
    frames[0].save(animated, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(RejectError, match="a picture of 2 frames"):
        flat_fields(animated.getvalue(), lossy=False)


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_broken_bytes_are_read_or_refused(ending: str) -> None:
    rng = np.random.default_rng(0)
    good = bytes(cv2.imencode(ending, np.tile(GRAY, (3, 3)))[1])
    for _ in range(600):
        broken = bytearray(good)
        for _ in range(rng.integers(1, 6)):
            broken[rng.integers(0, len(good))] = rng.integers(0, 256)
        with contextlib.suppress(RejectError):
            read(bytes(broken))
