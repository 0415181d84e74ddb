"""tests/study/test_hu.py: Hounsfield units follow the header; outside the field of view is air."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wetread.study.hu import (
    AIR_HU,
    padding_range,
    published_repair,
    repaired_intercept,
    rescale,
    to_hu,
)

STORED = hnp.arrays(np.int16, (3, 4), elements=st.integers(-32768, 32767))


@given(
    stored=STORED,
    slope=st.sampled_from([1.0, 0.5, 2.0]),
    intercept=st.integers(-2048, 100),
    ends=st.none() | st.tuples(st.integers(-32768, 32767), st.integers(-32768, 32767)).map(sorted),
)
def test_every_pixel_is_its_rescaled_value_or_air(
    stored: np.ndarray, slope: float, intercept: int, ends: list[int] | None
) -> None:
    hu = to_hu(stored, slope, intercept, None if ends is None else (ends[0], ends[1]))
    assert hu.dtype == np.float32
    for value, got in zip(stored.ravel().tolist(), hu.ravel().tolist(), strict=True):
        exact = value * slope + intercept
        padded = ends is not None and ends[0] <= value <= ends[1]
        assert got == (AIR_HU if padded or exact < -1024 else exact)


def test_unsigned_values_do_not_overflow() -> None:
    stored = np.array([[0, 1000, 65535]], np.uint16)
    assert to_hu(stored, 1, -1024).tolist() == [[-1024, -24, 64511]]


def test_a_padding_inside_the_range_of_tissue_is_air() -> None:
    stored = np.array([[0, 1064]], np.int16)
    assert to_hu(stored, 1, 0, (0, 0)).tolist() == [[-1024, 1064]]


def test_the_input_is_left_as_it_was() -> None:
    stored = np.array([[-2000, 5]], np.int16)
    to_hu(stored, 1, -1024)
    assert stored.tolist() == [[-2000, 5]]


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [(None, None, None), (-2000, None, (-2000, -2000)), (0, -5, (-5, 0)), (None, 3, None)],
)
def test_padding_is_a_range_with_its_ends_in_order(
    value: int | None, limit: int | None, expected: tuple[int, int] | None
) -> None:
    row = {"PixelPaddingValue": value, "PixelPaddingRangeLimit": limit}
    assert padding_range(row) == expected


def test_a_header_without_rescale_means_the_stored_values() -> None:
    assert rescale({"RescaleSlope": None, "RescaleIntercept": None}) == (1, 0)


def test_the_published_repair_gives_the_values_worked_out_by_hand() -> None:
    stored = np.array([0, 1000, 3095, 3096, 4095], np.uint16)
    assert published_repair(stored).tolist() == [0, 1000, 3095, -1000, -1]


def test_our_repair_and_the_published_one_part_below_air_and_at_padding_alone() -> None:
    stored = np.arange(4096, dtype=np.uint16)
    ours, padding = repaired_intercept(stored, None)
    hu = to_hu(ours, 1, 0, padding)
    differ = np.flatnonzero(hu != published_repair(stored)).tolist()
    assert differ == [2096, *range(3072, 3096)]
    assert hu[3072:3096].tolist() == list(range(-1024, -1000))
