"""tests/training/series/test_parts.py: every place is in one part, and no patient in two."""

from pathlib import Path
from typing import Any

import numpy as np
from tests.training.blob_series import quick, series_data

from wetread.training.data import Split
from wetread.training.series.parts import Part, deal_parts, truth_of
from wetread.training.series.series import Series


def test_parts_share_the_places_and_no_patient(store: Any, series: Series, tmp_path: Path) -> None:
    data, nothing = series_data(store, series), np.empty(0, np.int64)
    split = Split("held_out", np.arange(168), nothing, nothing)
    patients = np.array(data.encoders[0].data.column("patient"))
    dealt = deal_parts(data, split, quick("series.parts=3"), tmp_path)
    places = np.concatenate([part.places for part, _ in dealt])
    np.testing.assert_array_equal(np.sort(places), split.train)
    for part, others in dealt:
        assert not set(patients[part.places]) & set(patients[others])
        np.testing.assert_array_equal(np.union1d(part.places, others), split.train)


def test_a_step_is_named_by_split_and_part_from_one(tmp_path: Path) -> None:
    part = Part(tmp_path / "model-1" / "part-2", 2, np.empty(0, np.int64))
    assert part.stage_name("series") == "series 2.3"


def test_truth_is_of_slices_and_of_their_studies_at_each_slice(store: Any, series: Series) -> None:
    truth = truth_of(series_data(store, series).spec, series)
    np.testing.assert_array_equal(truth[:, :1], series.image)
    np.testing.assert_array_equal(truth[12:24, 1:], np.tile(series.study[1], (12, 1)))
