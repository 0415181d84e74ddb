"""tests/outputs/test_tables.py: readings, worklist, probabilities and rejects as files."""

import json
from pathlib import Path

import polars as pl
import pytest

from wetread.archive.files.atomic import write_whole
from wetread.archive.rejects import Reject
from wetread.outputs.probabilities import write_probabilities
from wetread.outputs.reading import write_reading
from wetread.outputs.rejects import write_rejects
from wetread.outputs.worklist import write_worklist
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


def test_the_worklist_has_the_urgent_first_and_the_unread_last(
    tmp_path: Path, readings: list[Reading]
) -> None:
    write_worklist(readings, ("lens", "any"), "any", tmp_path / "worklist.csv")
    table = pl.read_csv(tmp_path / "worklist.csv", schema_overrides={"study_uid": pl.String})
    assert table["study_uid"].to_list() == ["1.2.4", "1.2.3", "1.2.5"]
    assert table["rank"].to_list() == [1, 2, 3]
    assert table["any"].to_list() == [0.9, 0.03, None]
    assert table["state"].to_list() == ["read", "read", "unread"]
    assert table["reason"].to_list() == [None, None, "empty"]
    assert table["rejects"].to_list() == [1, 0, 1]
    assert table.columns[3:5] == ["any", "lens"]


def test_equal_probabilities_go_by_study_uid(tmp_path: Path) -> None:
    same = [Reading(uid, "", (), {"any": 0.5}, (), {}) for uid in ("1.9", "1.10", "1.2")]
    write_worklist(same, ("any",), "any", tmp_path / "w.csv")
    table = pl.read_csv(tmp_path / "w.csv", infer_schema=False)
    assert table["study_uid"].to_list() == ["1.10", "1.2", "1.9"]


def test_the_table_of_probabilities_has_every_study_and_image(
    tmp_path: Path, readings: list[Reading]
) -> None:
    write_probabilities(readings, tmp_path / "p.csv")
    table = pl.read_csv(tmp_path / "p.csv", schema_overrides={"id": pl.String})
    assert table.columns == ["level", "id", "finding", "probability"]
    assert table.height == 2 * (2 + 3)
    assert table.row(0) == ("study", "1.2.3", "lens", 0.02)
    assert table.filter(id="ID_c", finding="any")["probability"].to_list() == [0.9]


def test_rejects_are_a_table_even_when_there_are_none(tmp_path: Path) -> None:
    write_rejects([], tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "path,member,reason,detail\n"
    reject = Reject("a, b.zip", None, "empty", 'no "bytes"')
    write_rejects([reject], tmp_path / "one.csv")
    assert pl.read_csv(tmp_path / "one.csv").row(0) == ("a, b.zip", None, "empty", 'no "bytes"')


def test_a_write_that_fails_leaves_the_old_file_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [part.name for part in tmp_path.iterdir()] == ["f"]
