"""tests/training/test_drawings.py: how masks are decided, written and read."""

import json
from pathlib import Path

import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.evaluation.volume_decision import VolumeThresholds
from wetread.training.drawings import FILE, Drawings, read_drawings
from wetread.training.measures import MeasureError

DRAWINGS = Drawings(
    {"clot": VolumeThresholds(0.3, 0.8)}, {"clot": 0.6}, {"volume": MeasureError(-0.5, 2.0, 24)}, 25
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_drawings(tmp_path) is None
    (tmp_path / FILE).write_text(json.dumps(DRAWINGS.to_dict()))
    assert read_drawings(tmp_path) == DRAWINGS


def test_limits_of_agreement_hold_95_percent() -> None:
    assert MeasureError(-0.5, 2.0, 24).limits == pytest.approx((-4.42, 3.42))


@pytest.mark.parametrize("text", ["{}", '{"findings": {"a": {"low": 2, "high": 1}}}'])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DamagedFileError, match=FILE):
        read_drawings(tmp_path)
