"""tests/training/test_measures.py: how far measured numbers are off, by hand; kept as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.training.measures import (
    FILE,
    MeasureError,
    errors_to_dict,
    measure_error,
    read_measure_errors,
)


def test_studies_without_either_and_numbers_that_are_none_do_not_count() -> None:
    found = measure_error([1.0, 0, 0, np.nan, 4, 2], [0.5, 0, 2, 3, np.nan, 0])
    off = [0.5, -2, 2]
    assert found is not None
    assert (found.bias, found.sd, found.studies) == pytest.approx(
        (np.mean(off), np.std(off, ddof=1), 3)
    )
    assert found.limits == pytest.approx(
        (found.bias - 1.96 * found.sd, found.bias + 1.96 * found.sd)
    )


def test_of_one_study_nothing_is_known() -> None:
    assert measure_error([1.0, 0], [0.5, 0]) is None
    # What was drawn where nothing is tells little of a number where something is.
    assert measure_error([3.0, 9, 1], [0, 0, 0.5]) is None
    assert measure_error([], []) is None


def test_errors_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_measure_errors(tmp_path) == {}
    errors = {"blood_volume": MeasureError(-0.5, 2.0, 24)}
    (tmp_path / FILE).write_text(json.dumps(errors_to_dict(errors)))
    assert read_measure_errors(tmp_path) == errors


@pytest.mark.parametrize("content", ["{", "[]", '{"a": {"bias": 1}}', '{"a": {"bias": "x"}}'])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(DamagedFileError, match=r"measures\.json"):
        read_measure_errors(tmp_path)
