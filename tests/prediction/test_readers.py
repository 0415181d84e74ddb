"""tests/prediction/test_readers.py: slices and series have a reader each, by the spec."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from wetread.prediction.members import Ensemble
from wetread.prediction.readers import make_reader
from wetread.prediction.series import SeriesReader
from wetread.prediction.slices import SliceReader
from wetread.tasks import TASKS
from wetread.training.series.spec import SeriesSpec


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_tasks_reader_is_of_its_spec_and_keeps_features_in_the_given_folder(name: str) -> None:
    ensemble, spec = cast(Ensemble, SimpleNamespace(series_models=())), TASKS[name].spec
    reader = make_reader(ensemble, spec, Path("cache"))
    assert reader.ensemble is ensemble
    if isinstance(spec, SeriesSpec):
        assert isinstance(reader, SeriesReader)
        assert reader.cache == Path("cache")
    else:
        assert isinstance(reader, SliceReader)
    assert "flip_averaged" in reader.averaging
