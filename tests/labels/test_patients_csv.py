"""tests/labels/test_patients_csv.py: images and their patients, and that no patient is printed."""

from pathlib import Path

import pytest

from wetread.labels.patients_csv import read_patients
from wetread.labels.table import LabelError


def written(folder: Path, text: str) -> Path:
    path = folder / "patients.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("image,patient", ""),
        ("ImageId,PatientID", ""),
        ("image, PatientID", ""),
        ("film,who", ":film,who"),
        ("ImageId,NIH patient", ":ImageId,NIH patient"),
    ],
)
def test_columns_are_found_or_named_and_leading_zeros_stay(
    tmp_path: Path, header: str, columns: str
) -> None:
    path = written(tmp_path, f"{header}\na,007\nb,007\n\nc,12\na,007\n")
    expected = {"a": "007", "b": "007", "c": "12"}
    assert read_patients(f"{path}{columns}") == expected
    assert read_patients(Path(f"{path}{columns}")) == expected


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("a,b\n", "", r"column for the image \(image, ImageId\).*'a', 'b'"),
        ("image,b\n", "", r"column for the patient \(patient, PatientID\)"),
        ("image,patient\n", ":image", "'image' names no two columns.*IMAGE,PATIENT"),
        ("image,patient\n", ":image,image", "names no two columns"),
        ("image,patient\n", ":film,patient", "no column 'film'"),
        ("image,patient\n,secret\n", "", "line 2, column 'image' is empty"),
        ("image,patient\na,\n", "", "line 2, column 'patient' is empty"),
        ("image,patient\nb,1\na,secret\na,secret\na,other\n", "", r"lines 3 and 5 give a to two"),
    ],
)
def test_what_is_wrong_is_named_but_never_the_patient(
    tmp_path: Path, text: str, columns: str, said: str
) -> None:
    with pytest.raises(LabelError, match=said) as refused:
        read_patients(f"{written(tmp_path, text)}{columns}")
    assert "secret" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"gone\.csv"):
        read_patients(f"{tmp_path}/gone.csv:a,b")


def test_the_real_files_217_images_are_of_180_patients(real_data: Path) -> None:
    path = real_data / "pneumothorax" / "patients.csv"
    if not path.is_file():
        pytest.skip(f"no {path}")
    patients = read_patients(path)
    assert (len(patients), len(set(patients.values()))) == (217, 180)
    assert all(len(patient) == 8 for patient in patients.values())
    headers = read_patients(f"{path}:ImageId,nih_image")
    assert len(set(headers.values())) == 217
