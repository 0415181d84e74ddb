"""tests/archive/dataset/test_numbers.py: numbers of a header are read as they are meant, or not
at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.valuerep import DSfloat, format_number_as_ds

from wetread.archive.dataset.numbers import needed_numbers
from wetread.archive.rejects import RejectError

INTERCEPT = 0x00281052


def read(raw: bytes, count: int = 1) -> list[float] | None:
    return needed_numbers({INTERCEPT: raw}, INTERCEPT, "RescaleIntercept", count, [])


@given(value=st.floats(-1e300, 1e300))
def test_every_decimal_string_is_read_as_pydicom_reads_it(value: float) -> None:
    text = format_number_as_ds(value)
    assert read(text.encode() + b" ") == [float(DSfloat(text))]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"-1024,0", -1024.0),
        (b"0,488281 ", 0.488281),
        (b"-1024.000000", -1024.0),
        (b"00040", 40.0),
        (b" +1.5E2\0", 150.0),
    ],
)
def test_odd_forms_of_a_number_are_read(raw: bytes, expected: float) -> None:
    assert read(raw) == [expected]


@pytest.mark.parametrize(
    "raw", [b"abc", b"NaN", b"inf", b"-1,024", b"1,234,5", b"1_024", b"1e999", b"0x10", b"1\\2"]
)
def test_what_is_no_number_or_two_is_refused(raw: bytes) -> None:
    with pytest.raises(RejectError, match="bad_number"):
        read(raw)


def test_an_empty_number_is_none() -> None:
    assert read(b"  ") is None
