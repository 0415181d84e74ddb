"""tests/study/test_split.py: one series is taken apart by plane, shape and spacing, and by
acquisition where that helps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.study.split import split_series

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]
CORONAL = [1, 0, 0, 0, 0, -1]


def numbers(rows: pl.DataFrame) -> list[int]:
    return [int(uid.rsplit(".", 1)[1]) for uid in rows["SOPInstanceUID"]]


def stacks(rows: pl.DataFrame) -> list[list[int]]:
    parts = split_series(rows)
    assert sum(stack.height for stack in parts.stacks) + parts.localizers.height == rows.height
    return [numbers(stack) for stack in parts.stacks]


def test_a_plain_series_is_one_stack_in_order(write_series: WriteSeries, stack: Stack) -> None:
    parts = split_series(write_series(stack(5)[::-1]))
    assert [numbers(part) for part in parts.stacks] == [[4, 3, 2, 1, 0]]
    assert (parts.localizers.height, parts.split_by) == (0, ())


def test_two_planes_are_two_stacks_the_larger_first(
    write_series: WriteSeries, stack: Stack
) -> None:
    each: list[dict[str, Any]] = [{"ImageOrientationPatient": CORONAL}] * 4 + [{}] * 5
    positions = np.concatenate([stack(4, (0.0, 5.0, 0.0)), stack(5)])
    assert stacks(write_series(positions, each=each)) == [[4, 5, 6, 7, 8], [0, 1, 2, 3]]


def test_three_of_twelve_in_another_plane_are_a_scout(
    write_series: WriteSeries, stack: Stack
) -> None:
    each: list[dict[str, Any]] = [{}] * 12 + [{"ImageOrientationPatient": CORONAL}] * 3
    parts = split_series(write_series(stack(15), each=each))
    assert numbers(parts.localizers) == [14, 13, 12] or numbers(parts.localizers) == [12, 13, 14]
    assert len(parts.stacks) == 1


def test_a_series_of_nothing_but_a_scout_is_kept(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(stack(2), {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    assert stacks(rows) == [[0, 1]]


def test_a_plane_a_little_off_is_no_scout(write_series: WriteSeries, stack: Stack) -> None:
    each: list[dict[str, Any]] = [{}] * 8 + [{"ImageOrientationPatient": [1, 0, 0, 0, 0.8, -0.6]}]
    assert stacks(write_series(stack(9), each=each)) == [list(range(8)), [8]]


def test_slices_of_other_spacing_shape_or_without_place_stand_apart(
    write_series: WriteSeries, stack: Stack
) -> None:
    each: list[dict[str, Any]] = [{}] * 7
    each[1] = {"PixelSpacing": [0.6, 0.25]}
    each[3] = {"Rows": 4}
    each[5] = {"ImagePositionPatient": None}
    each[6] = {"PixelSpacing": [0.5005, 0.25]}  # within the tolerance
    assert stacks(write_series(stack(7), each=each)) == [[0, 2, 4, 6], [1], [3], [5]]


@pytest.mark.parametrize(
    ("keyword", "values"),
    [
        ("AcquisitionNumber", (1, 2)),
        ("EchoTime", (10.5, 80.0)),
        ("ConvolutionKernel", ("B30", "B70")),
        ("ContentTime", ("101500", "101607.5")),
    ],
)
def test_acquisitions_are_told_apart_by_what_differs(
    write_series: WriteSeries, stack: Stack, keyword: str, values: tuple[Any, Any]
) -> None:
    each = [{keyword: values[k // 4]} for k in range(8)]
    rows = write_series(np.concatenate([stack(4), stack(4)]), each=each)
    assert stacks(rows) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    (told,) = split_series(rows).split_by
    assert told == ("content_time_s" if keyword == "ContentTime" else keyword)


def test_an_acquisition_number_that_varies_within_one_pass_splits_nothing(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"AcquisitionNumber": k // 2} for k in range(8)]
    assert stacks(write_series(stack(8), each=each)) == [list(range(8))]


def test_a_pass_of_several_numbers_is_one_stack_when_the_second_pass_has_more(
    write_series: WriteSeries, stack: Stack
) -> None:
    """Two passes of four steps each: eight numbers are two stacks, not eight."""
    each = [{"AcquisitionNumber": k // 2} for k in range(16)]
    rows = write_series(np.concatenate([stack(8), stack(8)]), each=each)
    assert stacks(rows) == [list(range(8)), list(range(8, 16))]


def test_ranges_that_overlap_at_their_ends_are_stacks_of_their_own(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"AcquisitionNumber": k // 5} for k in range(15)]
    line = stack(13)
    rows = write_series(line[[*range(5), *range(4, 9), *range(8, 13)]], each=each)
    assert stacks(rows) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]]


def test_a_slice_taken_again_later_stands_apart_from_the_whole_pass(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"ContentTime": f"1015{k:02d}"} for k in range(7)]
    rows = write_series(stack(6)[[0, 1, 2, 3, 4, 5, 2]], each=each)
    assert stacks(rows) == [[0, 1, 2, 3, 4, 5], [6]]


def test_times_that_would_break_the_pass_split_nothing(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"ContentTime": f"1015{k:02d}"} for k in range(5)]
    rows = write_series(stack(4)[[0, 1, 1, 2, 3]], each=each)
    assert stacks(rows) == [[0, 1, 2, 3, 4]]


def test_numbers_that_leave_a_position_twice_split_nothing(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"AcquisitionNumber": 1 + (k == 0)} for k in range(6)]
    rows = write_series(stack(4)[[0, 1, 2, 3, 2, 1]], each=each)
    assert len(stacks(rows)) == 1
