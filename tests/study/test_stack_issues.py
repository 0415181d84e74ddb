"""tests/study/test_stack_issues.py: gaps, irregular distances, slices off the line."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from wetread.study.distances import measure_distances
from wetread.study.issue import Issue
from wetread.study.series import order_slices
from wetread.study.stack_issues import distance_issues, stack_issues

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]


def odd_distances(along: np.ndarray, thickness: np.ndarray) -> list[Issue]:
    return distance_issues(along, measure_distances(along, thickness))


def test_a_distance_that_is_no_multiple_is_irregular() -> None:
    (issue,) = odd_distances(np.array([0, 5, 10, 17, 22, 27.0]), np.full(6, 5.0))
    assert (issue.name, issue.detail) == (
        "irregular_spacing",
        "7.00 mm after slice 2 at 10.00 mm (usual 5.00)",
    )


def test_a_change_of_distance_with_the_thickness_is_irregular_and_no_gap() -> None:
    along = np.array([0, 5, 10, 15, 25, 35, 45.0])
    found = odd_distances(along, np.array([5, 5, 5, 5, 10, 10, 10.0]))
    assert [issue.name for issue in found] == ["irregular_spacing"]


def test_positions_rounded_to_a_tenth_are_regular() -> None:
    assert odd_distances(np.round(np.arange(20) * 1.25, 1), np.full(20, np.nan)) == []


@pytest.mark.parametrize(("thickness", "named"), [(5, False), (4.6, False), (4, True), (10, True)])
def test_slabs_that_overlap_or_leave_room_are_named(
    write_series: WriteSeries, stack: Stack, thickness: float, named: bool
) -> None:
    rows = order_slices(write_series(stack(4), {"SliceThickness": thickness}))
    found = {issue.name: issue.detail for issue in stack_issues(rows)}
    assert ("thickness_differs" in found) is named
    if named:
        expected = f"SliceThickness: slabs of {thickness:.2f} mm lie 5.00 mm apart"
        assert found == {"thickness_differs": expected}


def test_a_slice_off_the_line_of_the_others_is_irregular(
    write_series: WriteSeries, stack: Stack
) -> None:
    positions = stack(5)
    positions[2, 0] += 3
    (issue,) = stack_issues(order_slices(write_series(positions)))
    assert (issue.name, issue.detail) == (
        "irregular_spacing",
        "slice 2 at 40.00 mm lies 3.00 mm beside the line",
    )


def test_slices_without_a_place_have_no_issues_of_a_stack(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = order_slices(write_series(stack(3), {"ImagePositionPatient": None}))
    assert stack_issues(rows) == []
