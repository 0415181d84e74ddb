"""tests/verbs/task/test_new.py: drafts of the published forms read their files without a hand."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.verbs.task.public_forms import (
    ARTERIES,
    CHEXPERT,
    NIH,
    PUBLIC_FORMS,
    VERTEBRAE,
    write_public_form,
)

from wetread.labels.table import LabelError
from wetread.tasks.own.build import read_task_file
from wetread.verbs.task.check import check_task
from wetread.verbs.task.new import new_task

EXPECTED = {  # id column, what it names, findings, exclusive groups, unions
    "cervical-spine-fracture-2022": ("StudyInstanceUID", "study", 8, 0, ["patient_overall"]),
    "abdominal-trauma-2023": ("patient_id", "patient", 14, 5, ["any_injury"]),
    "pneumonia-2018": ("patientId", "file", 1, 0, []),
    "chexpert": ("Path", "file", len(CHEXPERT) - 1, 0, []),
    "aneurysm-2025": ("SeriesInstanceUID", "series", len(ARTERIES) + 1, 0, ["aneurysm_present"]),
    "chestxray14": ("Image Index", "file", len(NIH), 0, []),
}


@pytest.mark.parametrize("name", PUBLIC_FORMS)
def test_a_published_form_is_drafted_and_read_as_it_is(name: str, tmp_path: Path) -> None:
    labels, out = write_public_form(name, tmp_path), tmp_path / f"{name}.toml"
    new_task(labels, out)
    content = tomllib.loads(out.read_text())
    (form,) = content["labels"]
    unions = [one["name"] for one in content["findings"] if "any_of" in one]
    assert (
        form["id"], form["id_of"], len(content["findings"]), len(content.get("groups", [])), unions
    ) == EXPECTED[name]  # fmt: skip
    films = name in ("pneumonia-2018", "chexpert", "chestxray14")
    assert (content["modalities"] == ["CT"]) is not films
    counts = check_task(out, [labels])
    assert counts.conflicts == 0
    assert len(counts.counts) == len(content["findings"])


def test_the_counts_of_a_draft_are_those_of_the_file(tmp_path: Path) -> None:
    labels, out = write_public_form("cervical-spine-fracture-2022", tmp_path), tmp_path / "s.toml"
    new_task(labels, out)
    rows = [line.split(",") for line in labels.read_text().splitlines()]
    found = {one.name: (one.positive, one.negative) for one in check_task(out, [labels]).counts}
    for column, name in enumerate(("patient_overall", *(v.lower() for v in VERTEBRAE)), start=1):
        positive = sum(row[column] == "1" for row in rows[1:])
        assert found[name] == (positive, len(rows) - 1 - positive)


def test_ids_are_looked_up_in_the_archive(
    write_ct_once: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_ct_once(3, BodyPartExamined="HEAD")
    labels, out = tmp_path / "labels.csv", tmp_path / "mine.toml"
    files = sorted(path.name for path in source.rglob("*.dcm"))
    labels.write_text("scan,bleeding\n" + "".join(f"{name},1\n" for name in files) + "x.dcm,0\n")
    draft = new_task(labels, out, data=source, workers=1).draft
    assert draft.labels["id_of"] == "file"
    assert draft.comments["id_of"].startswith(f"{len(files)} of {len(files) + 1} ids name")
    assert "not there: x.dcm" in draft.comments["id_of"]
    task = read_task_file(out)
    assert (task.modalities, task.settings) == (
        ("CT",), ('windows=["brain", "subdural", "bone"]',)
    )  # fmt: skip


def test_masks_and_boxes_without_a_label_are_marks(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("ImageId,EncodedPixels\na,1 2 9 3\nb,-1\nb,-1\nc,5 5\n")
    new_task(labels, tmp_path / "runs.toml")
    (runs,) = check_task(tmp_path / "runs.toml", labels).counts
    assert (runs.positive, runs.negative) == (2, 1)
    labels.write_text("image,x,y,width,height\na,1,2,3,4\na,5,5,5,5\nb,,,,\nc,9,9,9,9\n")
    new_task(labels, tmp_path / "boxes.toml")
    (boxes,) = check_task(tmp_path / "boxes.toml", labels).counts
    assert (boxes.positive, boxes.negative) == (2, 1)


def test_layouts_of_rows_with_readers_and_of_bracketed_lists_are_detected(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "image_id,class_name,rad_id,x_min,y_min,x_max,y_max\na,No finding,R1,,,,\n"
        "a,No finding,R2,,,,\nb,Cardiomegaly,R1,1,2,3,4\nb,Cardiomegaly,R2,1,2,3,4\n"
        "b,Nodule,R2,5,6,7,8\n"
    )
    rows = new_task(labels, tmp_path / "rows.toml").draft
    assert (rows.labels["layout"], rows.labels["reader"]) == ("rows", "rad_id")
    found = {one.name: one.positive for one in check_task(tmp_path / "rows.toml", labels).counts}
    assert found == {"cardiomegaly": 1, "nodule": 0}
    labels.write_text("ImageID,Labels\na.png,['normal']\nb.png,\"['mass', 'effusion']\"\n")
    new_task(labels, tmp_path / "lists.toml")
    listed = check_task(tmp_path / "lists.toml", labels).counts
    assert {(one.name, one.positive, one.negative) for one in listed} == {
        ("mass", 1, 1), ("effusion", 1, 1),
    }  # fmt: skip


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("train/patient1/,1\ntrain/patient2/,0\n")
    with pytest.raises(LabelError, match=r"the first line is no header \('1' stands in it\)"):
        new_task(labels, tmp_path / "mine.toml")


def test_an_id_of_a_patient_is_shown_nowhere(
    write_ct_once: Callable[..., Path], tmp_path: Path
) -> None:
    source, labels, out = write_ct_once(1, PatientID="p"), tmp_path / "l.csv", tmp_path / "m.toml"
    labels.write_text("PatientID,lesion\np,1\nNobody-7,0\n")
    assert new_task(labels, out, data=source, workers=1).draft.labels["id_of"] == "patient"
    assert "Nobody" not in out.read_text()
    assert "not there: the others" in out.read_text()


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    labels, out = write_public_form("chexpert", tmp_path), tmp_path / "mine.toml"
    out.write_text("mine")
    with pytest.raises(ValueError, match="is there already"):
        new_task(labels, out)
    with pytest.raises(ValueError, match=r"ends in \.toml"):
        new_task(labels, tmp_path / "mine.txt")
    assert out.read_text() == "mine"


def test_a_file_without_labels_is_refused_with_its_columns(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("image,size\na,512\nb,1024\n")
    with pytest.raises(LabelError, match=r"no column looks like labels .* 'image', 'size'"):
        new_task(labels, tmp_path / "mine.toml")


@pytest.mark.parametrize("ending", [".png", ".nii.gz", ""])
def test_numbers_of_files_are_no_findings(ending: str, tmp_path: Path) -> None:
    rows = "".join(f"img_{number:02d}{ending},{number % 2}\n" for number in range(12))
    (tmp_path / "two.csv").write_text(f"img,lesion\n{rows}")
    result = new_task(tmp_path / "two.csv", tmp_path / "mine.toml")
    text = (tmp_path / "mine.toml").read_text()
    assert 'layout = "columns"' in text
    assert 'name = "lesion"' in text
    assert result is not None


def test_a_column_of_yes_and_maybe_is_one_of_labels(tmp_path: Path) -> None:
    """`maybe` is no number: a draft ended in a ValueError."""
    labels = tmp_path / "labels.csv"
    labels.write_text("image,bleeding\na,1\nb,maybe\nc,0\n")
    found = new_task(labels, tmp_path / "mine.toml")
    assert [one.name for one in found.draft.findings] == ["bleeding"]
