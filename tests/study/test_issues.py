"""tests/study/test_issues.py: what is unusual in a series is named, with where and how much."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.study.issues import geometry_issues
from wetread.study.series import order_slices

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]


def issues(rows: pl.DataFrame) -> dict[str, str]:
    return {issue.name: issue.detail for issue in geometry_issues(order_slices(rows))}


def test_a_plain_series_has_no_issue(write_series: WriteSeries, stack: Stack) -> None:
    assert issues(write_series(stack(6))) == {}


def test_a_tilt_is_named_in_degrees(write_series: WriteSeries, stack: Stack) -> None:
    angle = np.radians(15)
    tags = {"ImageOrientationPatient": [1, 0, 0, 0, np.cos(angle), -np.sin(angle)]}
    found = issues(write_series(stack(6), tags))
    assert found == {
        "gantry_tilt": "15.00 degrees between the normal and the way from slice to slice "
        "(-15.00 about the row axis, +0.00 about the column axis)"
    }


def test_a_missing_slice_is_a_gap_with_its_place(write_series: WriteSeries, stack: Stack) -> None:
    found = issues(write_series(np.delete(stack(8), [4, 5], axis=0)))
    assert found == {"gap": "2 missing between slices 3 and 4, 45.00 and 60.00 mm (usual 5.00)"}


def test_two_slices_at_one_place_are_named(write_series: WriteSeries, stack: Stack) -> None:
    found = issues(write_series(stack(5)[[0, 1, 2, 2, 3, 4]]))
    assert found == {"duplicate_position": "1 times: slices 2 and 3 at 40.00 mm (1.2.3.2, 1.2.3.3)"}


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("localizer_removed", {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}),
        ("localizer_removed", {"ImageType": "ORIGINAL\\PRIMARY\\LOCALIZER"}),
        ("mixed_orientation", {"ImageOrientationPatient": [1, 0, 0, 0, 0.8, -0.6]}),
        ("mixed_shape", {"Rows": 4}),
        ("mixed_spacing", {"PixelSpacing": [0.5, 0.3]}),
        ("mixed_rescale", {"RescaleIntercept": 0}),
        ("no_geometry", {"ImagePositionPatient": None}),
        ("lossy", {"LossyImageCompression": "01"}),
        ("monochrome1", {"PhotometricInterpretation": "MONOCHROME1"}),
        ("burned_in", {"BurnedInAnnotation": "YES"}),
    ],
)
def test_one_slice_unlike_the_rest_is_named(
    write_series: WriteSeries, stack: Stack, name: str, tags: dict[str, Any]
) -> None:
    each: list[dict[str, Any]] = [{}, {}, {}, {}, tags]
    assert list(issues(write_series(stack(5), each=each))) == [name]


def test_one_slice_is_named_single(write_series: WriteSeries, stack: Stack) -> None:
    assert list(issues(write_series(stack(1)))) == ["single_slice"]


def test_one_number_in_all_slices_does_not_turn_back(
    write_series: WriteSeries, stack: Stack
) -> None:
    found = issues(write_series(stack(5), each=[{"InstanceNumber": 1}] * 5))
    assert found == {"order_disagrees": "InstanceNumber is 1 in all slices"}


def test_numbers_that_turn_back_and_numbers_that_lack_are_named(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"InstanceNumber": number} for number in (1, 2, 5, 4, 9)]
    found = issues(write_series(stack(5), each=each))
    assert found == {
        "order_disagrees": "InstanceNumber turns back 1 times along the normal",
        "number_hole": "4 numbers missing from 1 to 9",
    }
