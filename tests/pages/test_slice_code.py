"""tests/pages/test_slice_code.py: any slice comes back from its text, by the book's decoder."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from wetread.pages.slice_code import CodedSlice, code_mask, code_slice

SHAPES = array_shapes(min_dims=2, max_dims=2, max_side=9)


def decoded(text: str, shape: tuple[int, int]) -> np.ndarray:
    """int16 of a text, pixel by pixel, after ITU-T T.87 A.4.1 and RFC 1950; plain integers."""
    plain = zlib.decompress(base64.b64decode(text))
    rows, columns = shape
    out = [[0] * columns for _ in range(rows)]
    for row in range(rows):
        for column in range(columns):
            a = out[row][column - 1] if column else 0
            b = out[row - 1][column] if row else 0
            c = out[row - 1][column - 1] if row and column else 0
            foreseen = min(a, b) if c >= max(a, b) else max(a, b) if c <= min(a, b) else a + b - c
            at = row * columns + column
            folded = plain[at] + 256 * plain[rows * columns + at]
            difference = -(folded + 1) // 2 if folded % 2 else folded // 2
            out[row][column] = (foreseen + difference + 32768) % 65536 - 32768
    return np.array(out)


def values_of(coded: CodedSlice, shape: tuple[int, int]) -> np.ndarray:
    codes = decoded(coded.text, shape)
    if not coded.table:
        return codes
    table = np.frombuffer(zlib.decompress(base64.b64decode(coded.table)), "<f4")
    return table[codes + 32768]


@given(arrays(np.int16, SHAPES))
def test_any_int16_slice_comes_back_and_is_its_own_codes(stored: np.ndarray) -> None:
    coded = code_slice(stored.astype(np.float32))
    assert (coded.table, coded.step, coded.error) == ("", 1.0, 0.0)
    np.testing.assert_array_equal(decoded(coded.text, stored.shape), stored)


@given(arrays(np.float32, SHAPES, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_any_float32_slice_comes_back_exactly(values: np.ndarray) -> None:
    coded = code_slice(values)
    assert coded.error == 0
    np.testing.assert_array_equal(values_of(coded, values.shape), values)


def test_broken_slopes_come_back_and_say_their_step() -> None:
    stored = np.random.default_rng(3).integers(-900, 900, (40, 50))
    for slope, intercept in ((0.5, -1024.0), (0.1, 0.25), (2.441406, -8192.0), (7.3e-3, 1e4)):
        values = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
        coded = code_slice(values)
        assert coded.error == 0
        assert coded.step == pytest.approx(slope, rel=0.15)
        np.testing.assert_array_equal(values_of(coded, values.shape), values)


def test_more_than_65536_values_are_cut_to_the_nearest_and_the_error_is_said() -> None:
    values = np.random.default_rng(0).normal(0, 1000, (300, 300)).astype(np.float32)
    assert len(np.unique(values)) > 65536
    coded = code_slice(values)
    off = np.abs(values_of(coded, values.shape) - values).max()
    assert coded.error == off
    assert 0 < coded.error <= np.ptp(values) / 65535 / 2 * 1.01


@pytest.mark.parametrize("value", [0.0, 17.5, -40000.0])
def test_a_slice_of_one_value_is_that_value(value: float) -> None:
    coded = code_slice(np.full((3, 4), value, np.float32))
    assert (coded.error, *np.unique(values_of(coded, (3, 4)))) == (0.0, value)


def test_a_smooth_noisy_slice_takes_half_the_bytes_of_deflated_int16() -> None:
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:256, :256]
    values = np.rint(400 * np.hypot(rows - 128, columns - 99) / 128 + rng.normal(0, 6, (256, 256)))
    text = code_slice(values.astype(np.float32)).text
    plain = len(zlib.compress(values.astype(np.int16).tobytes(), 9)) * 4 / 3
    assert len(text) < 0.75 * plain


@given(arrays(bool, SHAPES))
def test_any_mask_comes_back_and_an_empty_one_is_no_text(inside: np.ndarray) -> None:
    text = code_mask(inside)
    if not inside.any():
        assert text == ""
        return
    bits = zlib.decompress(base64.b64decode(text))
    flat = [bool(bits[at // 8] >> (at % 8) & 1) for at in range(inside.size)]
    assert flat == inside.ravel().tolist()
