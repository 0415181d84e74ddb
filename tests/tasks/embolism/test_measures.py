"""tests/tasks/embolism/test_measures.py: clot and ventricles against closed forms and phantoms."""

import numpy as np
import polars as pl
import pytest

from wetread.study.placement import SlicePlacement
from wetread.tasks.embolism.measures import (
    clot_volume_ml,
    phantom_clot_ml,
    phantom_ratio,
    ventricle_ratio,
)
from wetread.training.measures import DrawnStack


def place_of(slices: int, step: float, spacing: tuple[float, float]) -> SlicePlacement:
    origins = np.zeros((slices, 3))
    origins[:, 2] = step * np.arange(slices)
    return SlicePlacement(origins, np.array([1.0, 0, 0, 0, 1, 0]), spacing, np.full(slices, step))


def ellipse(center: tuple[float, float], axes: tuple[float, float], turn: float) -> np.ndarray:
    """Half axes along and across, mm; pixels of 0.8 x 0.7 mm."""
    y, x = np.meshgrid(0.8 * np.arange(250), 0.7 * np.arange(280), indexing="ij")
    dy, dx = y - center[0], x - center[1]
    along, across = (
        np.cos(turn) * dx + np.sin(turn) * dy,
        -np.sin(turn) * dx + np.cos(turn) * dy,
    )
    inside: np.ndarray = (along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1
    return inside


def test_clot_is_measured_in_millilitres_slice_by_slice() -> None:
    masks = np.zeros((3, 5, 6), bool)
    masks[0, 0, :2] = masks[2, 1:3, 4] = True
    assert clot_volume_ml(DrawnStack([masks], place_of(3, 2.5, (0.5, 0.8)))) == pytest.approx(
        4 * 0.5 * 0.8 * 2.5 / 1000
    )


@pytest.mark.parametrize("turn", [0.0, 0.6, 1.4])
def test_ventricles_are_measured_across_the_septum_where_each_is_widest(turn: float) -> None:
    """Two ellipses side by side: the line between their middles is their short axis."""
    step = 34.0 * np.array([np.cos(turn), -np.sin(turn)])  # rows, columns
    middle = np.array([100.0, 100.0])
    small = ellipse(tuple(middle - step / 2), (35, 12), turn)
    left = ellipse(tuple(middle - step / 2), (35, 16), turn)
    right = ellipse(tuple(middle + step / 2), (33, 14), turn)
    empty = np.zeros_like(left)
    found = ventricle_ratio(
        DrawnStack([[right, right, empty], [small, left, left]], place_of(3, 12.0, (0.8, 0.7)))
    )
    assert found == pytest.approx(14 / 16, rel=0.03)


def test_without_both_ventricles_there_is_no_ratio() -> None:
    one = ellipse((100, 100), (30, 20), 0.0)
    empty = np.zeros_like(one)
    assert np.isnan(ventricle_ratio(DrawnStack([[one], [empty]], place_of(1, 30.0, (0.8, 0.7)))))


def test_pieces_too_small_for_ventricles_are_not_measured() -> None:
    left, right = ellipse((100, 80), (20, 30), 0.0), ellipse((100, 130), (20, 30), 0.0)
    assert np.isnan(ventricle_ratio(DrawnStack([[right], [left]], place_of(1, 3.0, (0.8, 0.7)))))
    whole = ventricle_ratio(DrawnStack([[right], [left]], place_of(1, 30.0, (0.8, 0.7))))
    assert whole == pytest.approx(1.0, abs=0.05)


def test_what_was_painted_is_read_from_the_truth() -> None:
    truth = pl.DataFrame(
        {"position_mm": [5.0, 0.0, 9.0], "clot_mm2": [10.0, 0.0, 20.0], "rv_lv": [1.2] * 3}
    )
    assert phantom_clot_ml(truth) == pytest.approx((10 * 4.5 + 20 * 4) / 1000)
    assert phantom_ratio(truth) == 1.2
