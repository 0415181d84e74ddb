"""tests/survey/test_series.py: series in numbers, against geometry that a test knows."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from wetread.survey.series import (
    describe_series,
    describe_studies,
    draw_series,
    geometry_counts,
    impossible_spacing,
    series_table,
)

Index = Callable[..., pl.DataFrame]


def stack(
    number: int, steps: list[float], tilt: float = 0.0, **own: object
) -> list[dict[str, object]]:
    """Rows of one series whose slices lie at these places along a normal tilted about x."""
    turn = np.radians(tilt)
    down = [0.0, float(np.cos(turn)), float(np.sin(turn))]
    normal = np.cross([1.0, 0.0, 0.0], down)
    return [
        {
            "SeriesInstanceUID": f"series-{number}", "StudyInstanceUID": f"study-{number // 2}",
            "SOPInstanceUID": f"{number}.{place}", "path": f"/{number}/{place}",
            "position_mm": (normal * step).tolist(), "orientation": [1.0, 0.0, 0.0, *down],
            "Modality": "CT", "SliceThickness": 5.0, "row_spacing_mm": 0.5,
            "column_spacing_mm": 0.5, **own,
        }
        for place, step in enumerate(steps)
    ]  # fmt: skip


def test_distance_coverage_and_tilt_are_those_of_the_stack(index_rows: Index) -> None:
    table = index_rows(*stack(0, [0, 5, 10, 15], tilt=20.0), *stack(1, [0.0]))
    (first, alone) = series_table(table).sort("slices", descending=True).iter_rows(named=True)
    assert (first["slices"], first["places"]) == (4, 4)
    assert first["distance_mm"] == pytest.approx(5.0)
    assert first["coverage_mm"] == pytest.approx(15.0)
    assert first["tilt_degrees"] == pytest.approx(20.0)
    assert (alone["distance_mm"], alone["coverage_mm"]) == (None, None)


def test_two_slices_in_one_place_make_no_distance_of_0(index_rows: Index) -> None:
    (row,) = series_table(index_rows(*stack(0, [0, 0, 5]))).iter_rows(named=True)
    assert (row["slices"], row["places"], row["distance_mm"]) == (3, 2, pytest.approx(5.0))


def test_series_and_studies_are_described(index_rows: Index) -> None:
    table = series_table(index_rows(*stack(0, [0, 1]), *stack(1, [0, 2, 4]), *stack(2, [0, 3])))
    slices = describe_series(table).filter(pl.col("number") == "slices").row(0, named=True)
    assert (slices["known"], slices["least"], slices["greatest"]) == (3, 2.0, 3.0)
    studies = describe_studies(table).rows_by_key("number", named=True, unique=True)
    assert studies["series a study"]["greatest"] == 2.0
    assert studies["images a study"]["greatest"] == 5.0


def test_a_spacing_that_no_scan_has_is_found(index_rows: Index) -> None:
    table = index_rows(
        *stack(0, [0, 5]), *stack(1, [0, 500]), *stack(2, [0, 5], row_spacing_mm=50.0),
        *stack(3, [0, 5], SliceThickness=None),
    )  # fmt: skip
    assert impossible_spacing(series_table(table)).height == 2


def test_issues_of_geometry_are_counted_by_series(index_rows: Index) -> None:
    table = index_rows(*stack(0, [0, 5, 10, 15]), *stack(1, [0, 5, 10, 20, 25, 30]), *stack(2, [0]))
    counts = dict(geometry_counts(table).select("issue", "series").iter_rows())
    assert (counts["gap"], counts["single_slice"]) == (1, 1)


def test_of_many_series_some_are_drawn_by_seed_and_whole(index_rows: Index) -> None:
    table = index_rows(*(row for number in range(20) for row in stack(number, [0, 5])))
    drawn = draw_series(table, 0, 13)
    assert drawn["SeriesInstanceUID"].n_unique() == 6
    assert drawn.height == 12
    assert draw_series(table, 0, 13).equals(drawn)
    assert not draw_series(table, 1, 13).equals(drawn)
    assert draw_series(table, 0, 1).height == 2  # one at least


def test_planes_that_cross_have_no_distance(index_rows: Index) -> None:
    """Two scouts of one series lay 150 mm apart, each on a normal of its own."""
    scout = stack(0, [0.0, 150.0])
    scout[1]["orientation"] = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
    (row,) = series_table(index_rows(*scout)).iter_rows(named=True)
    assert (row["distance_mm"], row["coverage_mm"]) == (None, None)
    assert impossible_spacing(series_table(index_rows(*scout))).is_empty()


def test_places_a_hair_apart_are_one_wherever_they_lie(index_rows: Index) -> None:
    (row,) = series_table(index_rows(*stack(0, [0.0049, 0.0051, 5.0]))).iter_rows(named=True)
    assert (row["places"], row["distance_mm"]) == (2, pytest.approx(5.0, abs=0.01))


def test_a_series_without_a_study_is_of_none(index_rows: Index) -> None:
    table = series_table(index_rows(*stack(0, [0, 5], StudyInstanceUID=None)))
    assert table["study"].null_count() == 1
    assert describe_studies(table)["known"].to_list() == [0, 0]
