"""tests/study/test_series.py: slices are grouped by their series and ordered by where they lie."""

from collections.abc import Callable

import numpy as np
import polars as pl

from wetread.study.series import series_slices

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]


def order(rows: pl.DataFrame) -> list[int]:
    return [int(uid.rsplit(".", 1)[1]) for uid in rows["SOPInstanceUID"]]


def test_slices_are_ordered_by_position_not_by_name_or_number(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"InstanceNumber": 10 - k, "SliceLocation": 3.0 * (k % 2)} for k in range(5)]
    (rows,) = series_slices(write_series(stack(5), each=each))
    assert order(rows) == [0, 1, 2, 3, 4]


def test_descending_positions_come_out_ascending(write_series: WriteSeries, stack: Stack) -> None:
    (rows,) = series_slices(write_series(stack(4)[::-1]))
    assert order(rows) == [3, 2, 1, 0]


def test_a_coronal_series_is_ordered_along_its_own_normal(
    write_series: WriteSeries, stack: Stack
) -> None:
    tags = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
    positions = stack(4, (0.0, 5.0, -0.001))[[2, 0, 3, 1]]
    (rows,) = series_slices(write_series(positions, tags))
    assert order(rows) == [1, 3, 0, 2]


def test_each_series_is_a_table_of_its_own(write_series: WriteSeries, stack: Stack) -> None:
    each = [
        {"SeriesInstanceUID": f"1.{k % 2}", "StudyInstanceUID": f"2.{k // 4}"} for k in range(6)
    ]
    found = [order(rows) for rows in series_slices(write_series(stack(6), each=each))]
    assert found == [[0, 2], [1, 3], [4], [5]]


def test_slices_without_a_place_are_kept_at_the_end(
    write_series: WriteSeries, stack: Stack
) -> None:
    each = [{"ImagePositionPatient": None} if k == 1 else {} for k in range(4)]
    (rows,) = series_slices(write_series(stack(4), each=each))
    assert order(rows) == [0, 2, 3, 1]


def test_images_without_a_series_stand_alone(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(stack(3), {"SeriesInstanceUID": None})
    assert [part.height for part in series_slices(rows)] == [1, 1, 1]


def test_the_order_of_the_input_does_not_matter(write_series: WriteSeries, stack: Stack) -> None:
    images = write_series(stack(6), each=[{"InstanceNumber": 1}] * 6)
    shuffled = images.sample(fraction=1.0, shuffle=True, seed=5)
    (first,), (second,) = series_slices(images), series_slices(shuffled)
    assert first.equals(second)


def test_no_images_are_no_series(write_series: WriteSeries, stack: Stack) -> None:
    assert series_slices(write_series(stack(1)).clear()) == []
