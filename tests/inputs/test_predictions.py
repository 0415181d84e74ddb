"""tests/inputs/test_predictions.py: predictions as users name them, and the task they are of."""

import json
from pathlib import Path

import pytest

from wetread.inputs.predictions import findings_at, read_predictions_of
from wetread.labels.table import LabelError
from wetread.tasks import find_task

HEMORRHAGE = find_task("hemorrhage")
HEADER = "level,id,finding,probability\n"


def test_probabilities_tell_their_task_by_their_findings(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text(HEADER + "image,a,subdural,0.25\nstudy,s,any,1e-3\n")
    given = read_predictions_of(file)
    assert given.task.name == "hemorrhage"
    assert given.table.frame.rows() == [
        ("image", "a", "subdural", 0.25),
        ("study", "s", "any", 0.001),
    ]
    assert (given.index, given.store, given.cautions) == (None, None, ())


def test_findings_of_no_task_ask_for_it(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text(HEADER + "image,a,fracture,0.25\n")
    with pytest.raises(LabelError, match=r"fracture.* tell no single task; give `task`"):
        read_predictions_of(file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pixel,a,any,0.5", "level 'pixel'"),
        ("image,a,any,1.5", "'1.5' is no number"),
        ("image,,any,0.5", "empty"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "p.csv"
    file.write_text(f"{HEADER}{line}\n")
    with pytest.raises(LabelError, match=message):
        read_predictions_of(file)


def test_a_submission_tells_its_task_by_its_form(tmp_path: Path) -> None:
    names = [finding.name for finding in HEMORRHAGE.findings]
    long = tmp_path / "long.csv"
    long.write_text("ID,Label\n" + "".join(f"ID_1_{name},0.5\n" for name in names))
    masks = tmp_path / "masks.csv"
    masks.write_text("ImageId,EncodedPixels\na,0 4\nb,-1\n")
    exams = tmp_path / "exams.csv"
    labels = [finding.name for finding in find_task("embolism").at("study")]
    exams.write_text("id,label\n" + "".join(f"s_{name},0.5\n" for name in labels) + "i,0.1\n")
    assert read_predictions_of(long).task.name == "hemorrhage"
    assert read_predictions_of(exams).task.name == "embolism"
    drawn = read_predictions_of(masks)
    assert (drawn.task.name, drawn.masks_alone) == ("pneumothorax", True)
    assert drawn.table.masks.select("id", "runs").rows() == [("a", ["0 4"]), ("b", [])]


def test_a_broken_submission_is_not_taken_for_another_tasks(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("ID,Label\nID_1_any,0.5\nID_1_fracture,0.5\n")
    with pytest.raises(LabelError, match="give `task`"):
        read_predictions_of(file)
    with pytest.raises(LabelError, match="fracture"):
        read_predictions_of(file, "hemorrhage")


def test_a_folder_has_the_cautions_that_all_its_readings_have(tmp_path: Path) -> None:
    (tmp_path / "readings").mkdir()
    (tmp_path / "probabilities.csv").write_text(HEADER + "study,s,any,0.5\n")
    made = {"task": "hemorrhage", "models": [{"checkpoint": "run/best.pt", "encoder": "small"}]}
    for name, state, cautions in (
        ("s", "read", ["one", "two"]),
        ("t", "read", ["two"]),
        ("u", "unread", []),
    ):
        reading = {
            "state": state, "study_uid": name, "masks": [], "provenance": made,
            "cautions": cautions, "reason": None if state == "read" else "wrong_anatomy",
        }  # fmt: skip
        (tmp_path / "readings" / f"{name}.json").write_text(json.dumps(reading))
    given = read_predictions_of(tmp_path)
    assert given.cautions == ("two",)
    assert given.unread == {"u": "wrong_anatomy"}
    assert given.models == ("run/best.pt (small)",)


def test_what_is_not_there_or_holds_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_predictions_of(tmp_path / "absent")
    with pytest.raises(LabelError, match=r"no probabilities\.csv in it"):
        read_predictions_of(tmp_path)


def test_findings_are_of_the_level_that_rows_are_of() -> None:
    assert {finding.level for finding in findings_at(HEMORRHAGE, "series")} == {"series"}
    assert [finding.name for finding in findings_at(HEMORRHAGE, "study")] == [
        finding.name for finding in HEMORRHAGE.findings
    ]


def _folder(folder: Path, cautions: dict[str, list[str]]) -> Path:
    """Readings of studies of one image each, and their probabilities."""
    (folder / "readings").mkdir(parents=True)
    rows = [HEADER]
    for study, names in cautions.items():
        rows.append(f"study,{study},any,0.5\nimage,{study}-i,any,0.5\n")
        values = {
            "state": "read", "study_uid": study, "masks": [], "reason": None, "cautions": names,
            "provenance": {"task": "hemorrhage"}, "slices": [{"SOPInstanceUID": f"{study}-i"}],
        }  # fmt: skip
        (folder / "readings" / f"{study}.json").write_text(json.dumps(values))
    (folder / "probabilities.csv").write_text("".join(rows))
    return folder


def test_studies_that_calibrated_the_probabilities_are_never_scored(tmp_path: Path) -> None:
    names = {"a": ["calibrated_on_this_study", "x"], "b": ["x"], "c": ["x"]}
    given = read_predictions_of(_folder(tmp_path / "some", names))
    assert set(given.table.frame["id"]) == {"b", "b-i", "c", "c-i"}
    assert given.left_out == ("a",)
    assert given.cautions == ("x",)
    only = _folder(tmp_path / "all", {"a": ["calibrated_on_this_study"]})
    with pytest.raises(LabelError, match="labels of all 1 study calibrated these"):
        read_predictions_of(only)
