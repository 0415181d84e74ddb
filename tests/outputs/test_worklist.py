"""tests/outputs/test_worklist.py: the most urgent study stands first."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from wetread.archive.types import JsonObject
from wetread.outputs.worklist import write_worklist
from wetread.prediction.placement import Placement
from wetread.prediction.reading import Reading
from wetread.training.bounds import Reason


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
    assert table.columns[3:7] == ["cautions", "in_distribution", "any", "lens"]


def test_what_must_be_known_of_a_number_stands_before_it(
    tmp_path: Path, readings: list[Reading]
) -> None:
    far = Placement(False, (Reason("slices", "slices 1; learned from 20 to 30"),))
    names = ("learned_from_phantoms_alone", "never_scored_on_patients")
    known = [replace(one, cautions=names, placement=far) for one in readings]
    write_worklist(known, ("any",), "any", tmp_path / "w.csv")
    table = pl.read_csv(tmp_path / "w.csv", infer_schema=False)
    assert set(table["cautions"]) == {" ".join(names)}
    assert table["in_distribution"].to_list() == ["outside", "outside", None]  # the last unread
    assert table["outside"][0] == "slices 1; learned from 20 to 30"


def test_equal_probabilities_go_by_study_uid(tmp_path: Path) -> None:
    same = [Reading(uid, "", (), {"any": 0.5}, (), {}) for uid in ("1.9", "1.10", "1.2")]
    write_worklist(same, ("any",), "any", tmp_path / "w.csv")
    table = pl.read_csv(tmp_path / "w.csv", infer_schema=False)
    assert table["study_uid"].to_list() == ["1.10", "1.2", "1.9"]


def test_measured_numbers_have_columns_of_their_own(tmp_path: Path) -> None:
    measured: list[JsonObject] = [
        {"name": "clot_volume", "unit": "ml", "value": 2.5},
        {"name": "ratio", "unit": "", "value": None},
    ]
    read = [
        Reading("1", "", (), {"any": 0.9}, (), {}, measures=tuple(measured)),
        Reading("2", "", (), {"any": 0.1}, (), {}),
    ]
    write_worklist(read, ("any",), "any", tmp_path / "w.csv")
    table = pl.read_csv(tmp_path / "w.csv")
    assert table.select("clot_volume_ml", "ratio").rows() == [(2.5, None), (None, None)]
