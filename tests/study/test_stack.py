"""tests/study/test_stack.py: what may be done about a gap, odd distances, duplicates and several
stacks, and what may not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.study.issue import RULES, Issue
from wetread.study.stack import (
    CHOICES,
    FATAL,
    StackError,
    fatal_issues,
    fill,
    interpolate,
    require_affine,
    resample,
)
from wetread.study.volume import Volume, volume_from_rows, volumes_from_rows

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]


def resolved_by(volume: Volume) -> dict[str, str]:
    return {issue.name: issue.resolved_by for issue in volume.issues}


def test_every_fatal_issue_has_a_rule_and_advice_and_notes_have_none() -> None:
    assert set(FATAL) < set(RULES)
    harmless = ("gantry_tilt", "mixed_rescale", "order_disagrees", "lossy", "localizer_removed")
    issues = [Issue(name, "") for name in (*FATAL, *harmless)]
    assert [issue.name for issue in fatal_issues(issues)] == list(FATAL)
    assert fatal_issues([Issue("gap", "", "filled")]) == ()


def test_a_refusal_names_issue_slice_number_rule_and_what_to_do(
    write_series: WriteSeries, stack: Stack
) -> None:
    volume = volume_from_rows(write_series(np.delete(stack(8), 4, axis=0)))
    with pytest.raises(StackError) as caught:
        require_affine(volume)
    assert str(caught.value) == (
        "gap: 1 missing between slices 3 and 4, 45.00 and 55.00 mm (usual 5.00). Rule: in a run of "
        "equal SliceThickness a distance is 2 or more times the median, within 10 %. To do: "
        "restore the slices, or choose fill or resample."
    )
    assert caught.value.issue.name == "gap"


def test_a_gap_is_filled_linearly_and_the_made_slices_are_marked(
    write_series: WriteSeries, stack: Stack
) -> None:
    """Slice k holds the value k, so what is made between 3 and 6 is 4 and 5."""
    each = [{"pixels": np.full((6, 8), 1024 + k)} for k in (0, 1, 2, 3, 6, 7)]
    volume = fill(volume_from_rows(write_series(stack(8)[[0, 1, 2, 3, 6, 7]], each=each)))
    np.testing.assert_allclose(volume.hu[:, 2, 3], range(8), atol=1e-4)
    assert volume.sources[3:7] == ("1.2.3.3", "", "", "1.2.3.4")
    np.testing.assert_allclose(volume.slice_map, [0, 1, 2, 3, 3 + 1 / 3, 3 + 2 / 3, 4, 5])
    np.testing.assert_allclose(volume.positions_mm, 30 + 5 * np.arange(8))
    assert resolved_by(volume) == {"gap": "filled: 2 slices made"}
    np.testing.assert_allclose(require_affine(volume) @ [7, 0, 0, 1], [-10, -20, 65, 1])


def test_a_volume_without_a_gap_is_filled_with_nothing(
    write_series: WriteSeries, stack: Stack
) -> None:
    volume = volume_from_rows(write_series(stack(4)))
    assert fill(volume) is volume


def test_a_slice_lost_inside_stops_an_affine_and_one_at_the_end_does_not(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = write_series(stack(6))

    def lost(number: int) -> Volume:
        path = rows.filter(pl.col("SOPInstanceUID") == f"1.2.3.{number}")["path"].item()
        kept = Path(path).read_bytes()
        Path(path).unlink()
        volume = volume_from_rows(rows)
        Path(path).write_bytes(kept)
        return volume

    require_affine(lost(5))
    with pytest.raises(StackError, match=r"slices_rejected: 1 of 6: 1.2.3.2 \(io_error\)"):
        require_affine(lost(2))
    np.testing.assert_allclose(require_affine(fill(lost(2))) @ [5, 0, 0, 1], [-10, -20, 55, 1])


def test_filling_leaves_other_odd_distances_as_they_are(
    write_series: WriteSeries, stack: Stack
) -> None:
    heights = np.array([0, 5, 10, 20, 25, 32, 37.0])
    volume = fill(volume_from_rows(write_series(stack(1) + heights[:, None] * [0, 0, 1])))
    assert len(volume.hu) == 8
    with pytest.raises(StackError, match="gap"):
        require_affine(volume)


@pytest.mark.parametrize("step_mm", [None, 5.0, 2.5, 4.0])
def test_resampling_agrees_with_numpy_along_the_normal(
    write_series: WriteSeries, stack: Stack, step_mm: float | None
) -> None:
    rng = np.random.default_rng(3)
    heights = np.array([0, 5, 10, 15, 25, 35, 45.0])
    pixels = rng.integers(900, 3000, (7, 6, 8))
    each = [{"pixels": pixels[k], "SliceThickness": 5 + 5 * (k > 3)} for k in range(7)]
    volume = volume_from_rows(write_series(stack(1) + heights[:, None] * [0, 0, 1], each=each))
    even = resample(volume, step_mm)
    along = np.arange(0, 45 + 1e-9, step_mm or 7.5)
    if step_mm is None:
        along = np.arange(0, 45 + 1e-9, 7.5)  # the median of 5, 5, 5, 10, 10, 10
    np.testing.assert_allclose(even.positions_mm, 30 + along)
    for row, column in ((0, 0), (2, 5), (5, 7)):
        expected = np.interp(along, heights, volume.hu[:, row, column].astype(np.float64))
        np.testing.assert_allclose(even.hu[:, row, column], expected, atol=1e-3)
    np.testing.assert_allclose(even.slice_map, np.interp(along, heights, range(7)))
    assert set(resolved_by(even)) == {"irregular_spacing", "thickness_differs"}
    last = require_affine(even) @ [len(along) - 1, 0, 0, 1]
    np.testing.assert_allclose(last, [-10, -20, 30 + along[-1], 1])


def test_the_tilt_stays_when_distances_are_made_equal(
    write_series: WriteSeries, stack: Stack
) -> None:
    angle = np.radians(18.5)
    tags = {"ImageOrientationPatient": [1, 0, 0, 0, np.cos(angle), -np.sin(angle)]}
    heights = np.array([0, 4, 8, 15, 22.0])
    each = [{"SliceThickness": mm} for mm in (4, 4, 4, 7, 7)]
    volume = volume_from_rows(write_series(stack(1) + heights[:, None] * [0, 0, 1], tags, each))
    even = resample(volume, 4 * np.cos(angle))
    affine = require_affine(even)
    np.testing.assert_allclose(affine[:3, 0], [0, 0, 4], atol=1e-5)


def test_slices_beside_the_line_are_not_resampled(write_series: WriteSeries, stack: Stack) -> None:
    positions = stack(6)
    positions[3, 0] += 2
    volume = volume_from_rows(write_series(positions))
    with pytest.raises(StackError, match=r"slice 3 at 45.00 mm lies 2.00 mm .* deshear first"):
        resample(volume)


def test_slices_at_one_place_are_neither_filled_nor_resampled(
    write_series: WriteSeries, stack: Stack
) -> None:
    volume = volume_from_rows(write_series(stack(5)[[0, 1, 1, 2, 3, 4]]))
    for change in (fill, resample, require_affine):
        with pytest.raises(StackError, match=r"duplicate_position: .*slices 1 and 2 at 35.00 mm"):
            change(volume)


def test_nothing_is_mixed_with_what_lies_outside_the_field_of_view() -> None:
    lower, upper = np.array([[40, -1024, 40], [80, 80, -1024]], np.float32)[:, None]
    assert interpolate(lower, upper, 0.25, "HU").tolist() == [[50, -1024, 40]]
    assert interpolate(lower, upper, 0.75, "HU").tolist() == [[70, 80, -1024]]
    assert interpolate(lower, upper, 0.5, "grey").tolist() == [[60, -472, -492]]


def test_a_copy_is_dropped_and_said(write_series: WriteSeries, stack: Stack) -> None:
    each: list[dict[str, Any]] = [{} for _ in range(5)]
    each[2] = each[3] = {"pixels": np.arange(48).reshape(6, 8)}
    volume = volume_from_rows(write_series(stack(4)[[0, 1, 2, 2, 3]], each=each))
    assert volume.sources == ("1.2.3.0", "1.2.3.1", "1.2.3.2", "1.2.3.4")
    (issue,) = volume.issues
    assert issue.name == "duplicate_removed"
    assert issue.detail == "1 of 5 slices: 1.2.3.3 is 1.2.3.2 again"
    require_affine(volume)


def test_pixels_that_are_equal_only_as_stored_are_no_copy(
    write_series: WriteSeries, stack: Stack
) -> None:
    each: list[dict[str, Any]] = [{"pixels": np.full((6, 8), 1000)} for _ in range(4)]
    each[2]["RescaleIntercept"] = -1000
    volume = volume_from_rows(write_series(stack(3)[[0, 1, 1, 2]], each=each))
    assert {issue.name for issue in volume.issues} == {"mixed_rescale", "duplicate_position"}


def test_two_planes_are_split_into_volumes_that_have_an_affine(
    write_series: WriteSeries, stack: Stack
) -> None:
    coronal = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
    each: list[dict[str, Any]] = [{}] * 5 + [coronal] * 4
    rows = write_series(np.concatenate([stack(5), stack(4, (0.0, 5.0, 0.0))]), each=each)
    with pytest.raises(StackError, match=r"mixed_orientation: 2 planes: 5 \+ 4 slices"):
        require_affine(volume_from_rows(rows))
    volumes = volumes_from_rows(rows)
    assert [len(volume.hu) for volume in volumes] == [5, 4]
    for volume in volumes:
        assert resolved_by(volume) == {"mixed_orientation": "split into 2 stacks"}
        require_affine(volume)


def test_the_choices_have_names(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(np.delete(stack(8), 4, axis=0))
    with pytest.raises(StackError):
        CHOICES["refuse"](rows)
    lengths = {name: len(CHOICES[name](rows)[0].hu) for name in CHOICES if name != "refuse"}
    assert lengths == {"keep": 7, "fill": 8, "resample": 8, "split": 7}
