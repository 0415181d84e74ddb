"""tests/verbs/task/test_check.py: what a task would learn is counted before it is learned."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.uid import UID

import wetread
from wetread.cli.task_text import check_lines
from wetread.verbs.task.check import check_task
from wetread.verbs.task.show import show_task

TASK = """
modalities = ["CT"]
[[findings]]
name = "bleeding"
[[labels]]
id = "patient"
id_of = "patient"
"""


def test_labels_of_patients_are_counted_by_their_studies(
    write_ct_once: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_ct_once(2, PatientID="p", StudyInstanceUID="1.7")
    write_ct_once(2, PatientID="p", StudyInstanceUID="1.8")
    write_ct_once(2, PatientID="q", StudyInstanceUID="1.9")
    task, labels = tmp_path / "mine.toml", tmp_path / "labels.csv"
    task.write_text(TASK)
    labels.write_text("patient,bleeding\np,1\nr,0\n")
    found = check_task(task, [labels], data=source, workers=1)
    (bleeding,) = found.counts
    assert (bleeding.level, bleeding.positive, bleeding.negative, bleeding.unknown) == (
        "study", 2, 0, 1,
    )  # fmt: skip
    assert (found.studies, found.missed, found.refused) == (3, (), 1)
    assert found.named == 1
    assert found.to_dict()["findings"] == [vars(bleeding)]
    assert show_task(task) == TASK


def test_what_labels_lack_or_contradict_is_counted(tmp_path: Path) -> None:
    task, labels = tmp_path / "mine.toml", tmp_path / "labels.csv"
    task.write_text(
        'modalities = ["DX"]\n'
        + "".join(f'[[findings]]\nname = "{one}"\n' for one in ("a", "b", "c", "typo"))
        + '[[groups]]\nexactly_one = ["a", "b"]\n[[labels]]\nid = "id"\n'
    )
    rows = ["1,1,0,0", "2,0,1,1", "3,1,1,0", "4,0,0,1", "5,1,,0"]
    labels.write_text("id,a,b,c\n" + "\n".join(rows) + "\n")
    found = check_task(task, [labels])
    assert (found.absent, found.broken, found.masks) == (("typo",), 2, 0)
    lines = check_lines(found)
    assert "in no label file: typo; is the label's name right?" in lines
    assert "2 ids with not exactly one finding of a group" in lines
    assert found.learnable


def test_masks_are_counted(tmp_path: Path) -> None:
    task, labels = tmp_path / "mine.toml", tmp_path / "labels.csv"
    task.write_text(
        'modalities = ["DX"]\n[[findings]]\nname = "a"\nlevel = "pixel"\n'
        '[[labels]]\nlayout = "marks"\nid = "id"\nvalue = "runs"\nruns = "runs"\n'
    )
    labels.write_text("id,runs\n1,3 4\n1,9 1\n2,-1\n3,5 5\n")
    found = check_task(task, [labels])
    assert found.masks == 2
    assert "2 images with a mask that is not empty" in check_lines(found)
    assert not found.learnable  # one negative


def test_labels_of_patients_meet_pictures_by_a_file_of_patients(tmp_path: Path) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for name in ("a", "b", "c"):
        cv2.imwrite(str(films / f"{name}.png"), np.arange(256, dtype=np.uint8).reshape(16, 16))
    index = tmp_path / "index.parquet"
    wetread.index(films, index, workers=1, pictures="DX")
    task, labels, patients = (tmp_path / name for name in ("mine.toml", "sheet.csv", "who.csv"))
    task.write_text(TASK.replace("CT", "DX"))
    labels.write_text("patient,bleeding\np,1\nq,0\n")
    patients.write_text("image,patient\na,p\nb,p\nc,q\n")
    assert check_task(task, labels, data=index, workers=1).named == 0
    found = check_task(task, labels, data=index, patients=patients, workers=1)
    (bleeding,) = found.counts
    assert (bleeding.positive, bleeding.negative, found.named) == (2, 1, 2)


def test_ambiguous_file_names_are_counted(
    write_ct_once: Callable[..., Path], tmp_path: Path
) -> None:
    file = next(write_ct_once(1, StudyInstanceUID="1.7").rglob("*.dcm"))
    source = tmp_path / "archive"
    for folder, number in (("a", 1), ("b", 2), ("c", 3)):
        (source / folder).mkdir(parents=True)
        dataset = pydicom.dcmread(file)
        dataset.SOPInstanceUID = UID(f"1.2.{number}")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(source / folder / ("other.dcm" if folder == "c" else "scan.dcm"))
    task, labels = tmp_path / "mine.toml", tmp_path / "labels.csv"
    task.write_text(TASK.replace("patient", "file"))
    labels.write_text("file,bleeding\nscan.dcm,1\nother.dcm,0\nnone.dcm,0\n")
    found = check_task(task, labels, data=source, workers=1)
    assert (found.named, found.ambiguous) == (1, 1)
    assert any("1 id of files whose name several files have" in one for one in check_lines(found))
