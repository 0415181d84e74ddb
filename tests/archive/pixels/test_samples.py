"""tests/archive/pixels/test_samples.py: words and samples have the bits and sign that the standard
gives them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian

from wetread.archive.pixels.codestream import Codestream
from wetread.archive.pixels.decoders import Decoded
from wetread.archive.pixels.samples import mask_words, stored_values
from wetread.archive.rejects import RejectError

JPEGXL = "1.2.840.10008.1.2.4.110"


def form(allocated: int, bits: int, high: int, signed: int) -> dict[str, Any]:
    return {
        "BitsAllocated": allocated,
        "BitsStored": bits,
        "HighBit": high,
        "PixelRepresentation": signed,
        "TransferSyntaxUID": str(ExplicitVRLittleEndian),
    }


@given(data=st.data(), allocated=st.sampled_from([8, 16, 32]), signed=st.integers(0, 1))
def test_a_word_is_masked_and_signed_as_the_standard_says(
    data: st.DataObject, allocated: int, signed: int
) -> None:
    bits = data.draw(st.integers(1, allocated))
    high = data.draw(st.integers(bits - 1, allocated - 1))
    words = data.draw(st.lists(st.integers(0, 2**allocated - 1), min_size=1, max_size=8))
    expected, shift = [], high + 1 - bits
    extensions = [
        2**allocated - 2 ** (bits - 1) <= word or word < 2 ** (bits - 1) for word in words
    ]
    unused = all(word < 2**bits for word in words) or all(extensions)
    if unused or any(word % 2**shift for word in words):
        shift = 0  # nothing in the words shows that their bits end at HighBit
    for word in words:
        value = (word >> shift) & (2**bits - 1)
        expected.append(value - 2**bits if signed and value >= 2 ** (bits - 1) else value)
    found = mask_words(np.array(words, f"u{allocated // 8}"), form(allocated, bits, high, signed))
    assert found.tolist() == expected
    assert found.dtype == np.dtype(f"{'i' if signed else 'u'}{allocated // 8}")


def compressed(
    bits: int, signed: int, syntax: str = JPEG2000, lossy: bool = True
) -> dict[str, Any]:
    row = form(16, bits, bits - 1, signed)
    return row | {"TransferSyntaxUID": str(syntax), "lossy": lossy}


def stream(bits: int, signed: bool, loss: bool = True) -> Codestream:
    return Codestream(1, 4, 1, bits, end=100, signed=signed, loss=loss)


def test_values_within_the_header_are_as_the_stream_has_them() -> None:
    samples = np.array([[0, 1, 2048, 4095]], np.uint16)
    stored, notes = stored_values(Decoded(samples, stream(12, False)), compressed(12, 0))
    assert (stored.tolist(), stored.dtype, notes) == ([[0, 1, 2048, 4095]], np.dtype(np.uint16), ())


def test_overshoot_of_a_lossy_stream_is_clipped_and_counted() -> None:
    samples = np.array([[-2050, -2048, 2047, 2051]], np.int16)
    stored, notes = stored_values(Decoded(samples, stream(13, True)), compressed(12, 1))
    assert stored.tolist() == [[-2048, -2048, 2047, 2047]]
    assert notes[-1] == "clipped: 2 of 4 pixels, -2050 to 2051, set to -2048 to 2047"


def test_what_a_lossless_stream_has_beyond_the_header_is_kept() -> None:
    samples = np.array([[0, 5000, 4095, 1]], np.uint16)
    decoded = Decoded(samples, stream(13, False, loss=False))
    stored, notes = stored_values(decoded, compressed(12, 0, lossy=False))
    assert stored.tolist() == samples.tolist()
    assert [text.partition(":")[0] for text in notes] == ["precision_differs"]


def test_sign_extended_samples_without_a_codestream_are_folded_and_others_refused() -> None:
    row = compressed(12, 0, JPEGXL, lossy=False)
    samples = np.array([[0xFFFF, 0, 1, 2047]], np.uint16)
    assert stored_values(Decoded(samples), row)[0].tolist() == [[4095, 0, 1, 2047]]
    with pytest.raises(RejectError, match="decode_mismatch: values from 0 to 5000"):
        stored_values(Decoded(np.array([[0, 5000]], np.uint16)), row)


def test_stray_bytes_are_noted() -> None:
    decoded = Decoded(np.zeros((1, 4), np.uint16), stream(12, False), "3 stray bytes")
    assert stored_values(decoded, compressed(12, 0))[1] == ("stream_out_of_form: 3 stray bytes",)
