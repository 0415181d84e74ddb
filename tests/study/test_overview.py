"""tests/study/test_overview.py: a series in figures, worked out by hand."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from wetread.study.overview import summarize_series
from wetread.study.series import series_slices

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]


def test_a_straight_series_has_one_distance_and_no_tilt(
    write_series: WriteSeries, stack: Stack
) -> None:
    (rows,) = series_slices(write_series(stack(4)))
    found = summarize_series(rows)
    assert (found.slices, found.rows, found.columns, found.modality) == (4, 6, 8, "CT")
    assert (found.spacing_mm, found.distances_mm) == ((0.5, 0.25), (5.0,))
    assert found.tilt_degrees == pytest.approx(0.0)
    assert found.issues == ()


def test_a_gantry_tilt_and_a_gap_are_figures_and_issues(
    write_series: WriteSeries, stack: Stack
) -> None:
    leaning = stack(6, (0.0, 5 * np.tan(np.radians(10)), 5.0))
    (rows,) = series_slices(write_series(leaning[[0, 1, 2, 4, 5]]))
    found = summarize_series(rows)
    assert found.distances_mm == (5.0, 10.0)
    assert found.tilt_degrees == pytest.approx(10.0, abs=1e-4)
    assert {"gantry_tilt", "gap"} <= {issue.name for issue in found.issues}


def test_slices_without_a_place_have_no_figures(write_series: WriteSeries, stack: Stack) -> None:
    (rows,) = series_slices(write_series(stack(2), tags={"ImagePositionPatient": None}))
    found = summarize_series(rows)
    assert (found.distances_mm, found.tilt_degrees) == ((), None)
    assert [issue.name for issue in found.issues if issue.name == "no_geometry"]


def test_a_dict_is_json_with_name_and_detail_of_each_issue(
    write_series: WriteSeries, stack: Stack
) -> None:
    (rows,) = series_slices(write_series(stack(1)))
    entry = json.loads(json.dumps(summarize_series(rows).to_dict()))
    assert list(entry) == [
        *("series_uid", "study_uid", "modality", "slices", "rows", "columns", "spacing_mm"),
        *("distances_mm", "tilt_degrees", "issues"),
    ]
    assert [sorted(issue) for issue in entry["issues"]] == [["detail", "name"]]
