"""tests/prediction/test_masks.py: maps of several networks are averaged and decided."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.calibrator import Calibrator
from wetread.evaluation.decision import MaskThresholds
from wetread.prediction.masks import NO_MASKS, DrawnMasks, mean_thresholds
from wetread.store.store import Store
from wetread.training.decide import Decision
from wetread.training.mask_table import mean_map, pack_map

THRESHOLDS = MaskThresholds(0.7, 0.01, 0.4)


def square(side: int, value: float) -> np.ndarray:
    return np.full((side, side), value, np.float32)


def test_maps_are_averaged_on_the_grid_of_the_first_network() -> None:
    fine, coarse = square(8, 1.0), square(4, 0.0)
    fine[:, :4] = 0.0
    maps = ((pack_map(fine),), (pack_map(coarse),))
    np.testing.assert_allclose(mean_map(maps, 0), fine / 2, atol=1 / 255)
    assert mean_map((maps[1], maps[0]), 0).shape == (4, 4)


def test_thresholds_of_runs_are_averaged_number_by_number() -> None:
    calibrator = Calibrator(0.0, 1.0, 0.0)
    decisions = [
        Decision(THRESHOLDS, calibrator),
        Decision(MaskThresholds(0.5, 0.03, 0.2), calibrator),
    ]
    mean = mean_thresholds(decisions)
    assert (mean.top, mean.area, mean.bottom) == pytest.approx((0.6, 0.02, 0.3))


def test_a_mask_lies_on_the_pictures_own_grid_inside_the_box_that_was_packed() -> None:
    drawn = square(4, 0.1)
    drawn[0, 0] = 0.9
    slices = pl.DataFrame({"box": [[2, 6, 3, 7]], "source_rows": [10], "source_columns": [12]})
    store = cast(Store, SimpleNamespace(slices=slices, __len__=lambda: 1))
    masks = DrawnMasks(("air",), (replace(THRESHOLDS, area=0.0),), (((pack_map(drawn),),),))
    mask = masks.mask(store, 0, 0)
    assert mask.shape == (10, 12)
    assert np.argwhere(mask).tolist() == [[2, 3]]


def test_where_networks_draw_nothing_there_is_no_mask() -> None:
    class Rows(list[Any]):
        slices = pl.DataFrame()

    assert list(NO_MASKS.masks(cast(Store, Rows([1, 2, 3])))) == []
