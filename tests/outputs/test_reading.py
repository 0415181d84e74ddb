"""tests/outputs/test_reading.py: how a study was read, as a JSON file."""

import json
from pathlib import Path

import pytest

from wetread.outputs.reading import write_reading
from wetread.prediction.reading import Reading


def test_a_reading_holds_what_was_read_and_what_was_not(
    tmp_path: Path, readings: list[Reading]
) -> None:
    path = tmp_path / "readings" / "1.2.4.json"
    write_reading(readings[2], path)
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["study_uid"] == "1.2.4"
    assert told["study"] == {"lens": 0.7, "any": 0.9}
    assert told["slices"] == [
        {
            "SOPInstanceUID": "ID_c", "z": 0, "position_mm": None,
            "probabilities": {"lens": 0.7, "any": 0.9},
        }
    ]  # fmt: skip
    assert told["issues"] == [{"name": "tilted", "detail": "8.0 degrees"}]
    assert told["rejects"][0]["reason"] == "truncated_pixels"
    assert told["key_slices"] == ["ID_c"]
    assert told["provenance"] == {"checkpoint": "best.pt"}
    assert told["use"] == "Research use only, not for diagnosis"


def test_a_study_that_could_not_be_read_says_so(tmp_path: Path, readings: list[Reading]) -> None:
    write_reading(readings[1], tmp_path / "r.json")
    told = json.loads((tmp_path / "r.json").read_text())
    assert (told["state"], told["study"], told["findings"]) == ("unread", {}, ["lens", "any"])
    assert (told["reason"], told["detail"]) == ("empty", "no bytes")


def test_a_probability_that_is_no_number_is_refused(
    tmp_path: Path, readings: list[Reading]
) -> None:
    broken = Reading("1", "2", (), {"any": float("nan")}, (), {})
    with pytest.raises(ValueError, match="JSON"):
        write_reading(broken, tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []
