"""tests/verbs/predict/test_objects.py: readings of phantoms as DICOM objects, with the numbers of
their JSON."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pydicom
import pytest
from pydicom.config import disable_value_validation
from pydicom.uid import CTImageStorage
from tests.outputs.objects.object_checks import errors_of, measured_in
from typer.testing import CliRunner

from wetread.cli.main import app
from wetread.outputs.optional import MissingExtraError
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.verbs.predict.objects import ObjectOptions
from wetread.verbs.predict.predict import Prediction, predict
from wetread.verbs.train.train import TrainResult


@pytest.fixture(scope="module")
def replaced(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path_factory: pytest.TempPathFactory
) -> Prediction:
    """Head phantoms, whose ids are no legal UIDs, read with replacements."""
    out = tmp_path_factory.mktemp("objects")
    options = ObjectOptions(replace=True)
    return predict([phantoms.images], [one_split.run], out, workers=1, objects=options)


def test_a_report_says_the_numbers_of_the_reading(replaced: Prediction) -> None:
    files = sorted(replaced.out.glob("dicom/*/report.dcm"))
    assert len(files) == len(replaced.readings) > 1
    for file in files:
        found: dict[str, list[float]] = {}
        for name, value, _, _ in measured_in(file.read_bytes()):
            found.setdefault(name, []).append(value)
        said = json.loads((replaced.out / "readings" / f"{file.parent.name}.json").read_text())
        keys = {one["SOPInstanceUID"]: one["probabilities"] for one in said["slices"]}
        for finding, probability in said["study"].items():
            of_slices = [keys[uid][finding] for uid in said["key_slices"]]
            assert found[finding] == pytest.approx([probability, *of_slices], rel=1e-12)


def test_every_object_is_legal_and_in_one_study_that_refers_to_its_images(
    replaced: Prediction, tmp_path: Path
) -> None:
    for folder in (replaced.out / "dicom").iterdir():
        files = sorted(folder.glob("*.dcm")) if folder.is_dir() else []
        studies = {pydicom.dcmread(file).StudyInstanceUID for file in files}
        assert len(studies) <= 1
        for file in files:
            assert errors_of(file.read_bytes(), tmp_path) == []


def test_what_was_replaced_stands_in_a_table(replaced: Prediction, phantoms: PhantomTruth) -> None:
    table = pl.read_csv(replaced.out / "dicom" / "replaced.csv")
    assert set(table["element"]) >= {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"}
    own = table.filter(pl.col("element") == "SOPInstanceUID")
    assert set(own["SOPInstanceUID"]) == set(phantoms.rows["image"])
    with disable_value_validation():
        report = pydicom.dcmread(next(replaced.out.glob("dicom/*/report.dcm")))
    assert report.StudyInstanceUID in set(table["now"])


def test_without_replacements_such_studies_are_refused_by_name_and_end_with_3(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    words = ["predict", phantoms.images, "--run", one_split.run, "-o", tmp_path / "out", "--dicom"]
    done = CliRunner().invoke(app, [*map(str, words), "--workers", "1"])
    assert done.exit_code == 3, done.output
    assert "no objects of" in done.output
    assert "patients' names" not in done.output  # there is no object that holds one
    refused = pl.read_csv(tmp_path / "out" / "dicom" / "refused.csv")
    assert set(refused["reason"]) == {"not_legal_dicom"}
    assert "(0020,000D) StudyInstanceUID is 'ID_" in refused["detail"][0]
    assert not list((tmp_path / "out" / "dicom").rglob("*.dcm"))


def test_the_same_studies_read_again_are_the_same_objects(
    replaced: Prediction, one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    options = ObjectOptions(replace=True)
    predict([phantoms.images], [one_split.run], tmp_path, workers=1, objects=options)

    def uids(out: Path) -> dict[str, str]:
        files = sorted(out.glob("dicom/*/*.dcm"))
        return {
            f"{one.parent.name}/{one.name}": pydicom.dcmread(one).SOPInstanceUID for one in files
        }

    assert uids(tmp_path) == uids(replaced.out)


def test_a_patient_is_named_in_objects_as_in_the_images_and_nowhere_else(
    one_split: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    source, images = tmp_path / "source", phantoms.rows.filter(pl.col("study_number") == 0)["image"]
    source.mkdir()
    with disable_value_validation():
        for number, image in enumerate(images):
            data = pydicom.dcmread(phantoms.images / f"{image}.dcm")
            data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, f"1.9.{number}"
            data.StudyInstanceUID, data.SeriesInstanceUID = "1.7", "1.8"
            data.PatientName, data.PatientID = "Secret^Patient", "SECRET7"
            data.save_as(source / f"{number}.dcm")
    out = tmp_path / "out"
    predict([source], [one_split.run], out, workers=1, objects=ObjectOptions())
    report = pydicom.dcmread(out / "dicom" / "1.7" / "report.dcm")
    assert (report.PatientName, report.PatientID) == ("Secret^Patient", "SECRET7")
    assert pl.read_csv(out / "dicom" / "replaced.csv").is_empty()
    others = [file for file in out.rglob("*") if file.is_file() and file.suffix != ".dcm"]
    assert not [file for file in others if b"Secret^Patient" in file.read_bytes()]


def test_a_wrong_word_or_a_missing_library_is_said_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ValueError, match="no segmentation type 'both'; known: binary, labelmap"):
        ObjectOptions(segmentation="both")

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("wetread.outputs.optional.import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install 'wetread\[dicom\]'"):
        ObjectOptions()
