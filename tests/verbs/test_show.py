"""tests/verbs/test_show.py: one file or a tree, in figures, and never with what identifies."""

import json
import os
import shutil
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file, get_testdata_files
from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

import wetread
from wetread.cli import show_text
from wetread.verbs.show import ShownFile, ShownTree, examine_file, header_of, show

CT, REPORT = "CT_small.dcm", "test-SR.dcm"


def shown_file(path: Path, picture: Path | None = None) -> ShownFile:
    """In this process: a process a file takes longer than its test."""
    return examine_file((path, None, picture))


def shown_tree(path: Path) -> ShownTree:
    found = show(path, workers=1)
    assert isinstance(found, ShownTree)
    return found


def of_pydicom(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"this pydicom has no {name}")
    return Path(str(found))


def changed(folder: Path, **tags: object) -> Path:
    """pydicom's small CT with other tags; None removes."""
    dataset = pydicom.dcmread(of_pydicom(CT))
    for name, value in tags.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    path = folder / "changed.dcm"
    dataset.save_as(path)
    return path


def test_the_package_hands_out_show() -> None:
    assert wetread.show is show


def test_values_are_those_of_pydicoms_pixels_after_the_rescale() -> None:
    dataset = pydicom.dcmread(of_pydicom(CT))
    hu = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    told: dict[str, Any] = shown_file(of_pydicom(CT)).to_dict()
    assert (told["state"], told["reason"], told["detail"]) == ("read", None, None)
    assert (told["rows"], told["columns"], told["frames"]) == (128, 128, 1)
    assert told["transfer_syntax"] == dataset.file_meta.TransferSyntaxUID
    values = told["values"]
    assert (values["min"], values["max"], values["unit"]) == (hu.min(), hu.max(), "HU")
    assert values["mean"] == pytest.approx(hu.mean(), abs=1e-6)


def test_a_multi_frame_file_is_read_through_to_its_last_frame(real_data: Path) -> None:
    path = real_data / "malformed" / "emri_small.dcm"
    stored = pydicom.dcmread(path).pixel_array
    assert stored.shape[0] == 10
    told: dict[str, Any] = shown_file(path).to_dict()
    assert (told["state"], told["frames"]) == ("read", 10)
    assert (told["values"]["min"], told["values"]["max"]) == (stored.min(), stored.max())
    assert told["values"]["mean"] == pytest.approx(stored.mean(), rel=1e-6)


def test_no_image_is_a_state_of_its_own_and_a_reject_has_its_reason(tmp_path: Path) -> None:
    report = shown_file(of_pydicom(REPORT))
    assert (report.state, report.to_dict()["reason"], report.refused) == ("not_image", None, 0)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(of_pydicom(CT).read_bytes()[:-1000])
    told = shown_file(cut).to_dict()
    assert (told["state"], told["reason"]) == ("reject", "truncated_pixels")
    assert (told["header"], told["pixels"], told["rows"]) == ("read", "reject", 128)
    assert told["values"] is None


def test_a_file_is_looked_at_apart_from_this_process_with_the_same_result() -> None:
    found = show(of_pydicom(CT))
    assert isinstance(found, ShownFile)
    assert found.to_dict() == shown_file(of_pydicom(CT)).to_dict()


def test_what_is_no_file_is_refused_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert shown_file(tmp_path / "fifo").reason == "not_file"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        show(tmp_path / "nothing")


def test_the_picture_is_the_standards_linear_window_of_the_values(tmp_path: Path) -> None:
    path = changed(tmp_path, WindowCenter=40, WindowWidth=400)
    found = shown_file(path, tmp_path / "out.png")
    assert found.picture == tmp_path / "out.png"
    picture = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    dataset = pydicom.dcmread(path)
    hu = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    expected = np.clip(((hu - 39.5) / 399 + 0.5) * 255, 0, 255)  # PS3.3 C.11.2.1.2.1
    assert picture.shape == (128, 128)
    assert np.abs(picture - expected).max() <= 0.5 + 1e-3
    turned = changed(tmp_path, WindowCenter=40, WindowWidth=400)
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.save_as(turned)
    shown_file(turned, tmp_path / "turned.png")
    inverted = cv2.imread(str(tmp_path / "turned.png"), cv2.IMREAD_UNCHANGED)
    assert inverted is not None
    assert np.abs(255 - expected - inverted).max() <= 0.5 + 1e-3


def test_a_window_that_cannot_be_is_no_reason_to_show_nothing(tmp_path: Path) -> None:
    path = changed(tmp_path, WindowCenter=40, WindowWidth=0)
    shown_file(path, tmp_path / "out.png")
    picture = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert (picture.min(), picture.max()) == (0, 255)


def test_no_picture_is_written_of_what_has_none(tmp_path: Path) -> None:
    assert shown_file(of_pydicom(REPORT), tmp_path / "out.png").picture is None
    assert not (tmp_path / "out.png").exists()
    with pytest.raises(ValueError, match="holds many files"):
        show(tmp_path, picture=tmp_path / "out.png")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Five slices with a hole, a report, a cut file and a text."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for number, at in enumerate((0.0, 5.0, 10.0, 20.0, 25.0)):
        path = changed(
            tmp_path,
            SOPInstanceUID=f"1.2.{number}",
            SeriesInstanceUID="1.3",
            InstanceNumber=number + 1,
            ImagePositionPatient=[0, 0, at],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        )
        path.rename(folder / f"{number}.dcm")
    shutil.copy(of_pydicom(REPORT), folder)
    (folder / "cut.dcm").write_bytes((folder / "0.dcm").read_bytes()[:-1000])
    (folder / "notes.txt").write_text("no DICOM\n" * 40)
    return folder


def test_a_tree_lists_series_with_their_figures_and_rejects_with_their_reasons(tree: Path) -> None:
    told: dict[str, Any] = shown_tree(tree).to_dict()
    (series,) = told["series"]
    assert (series["series_uid"], series["modality"], series["slices"]) == ("1.3", "CT", 5)
    assert series["spacing_mm"] == pytest.approx((0.661468, 0.661468))
    assert series["distances_mm"] == [5.0, 10.0]
    assert series["tilt_degrees"] == 0.0
    gaps = [issue["detail"] for issue in series["issues"] if issue["name"] == "gap"]
    assert len(gaps) == 1
    assert "1 missing" in gaps[0]
    reasons = {Path(row["path"]).name: row["reason"] for row in told["rejects"]}
    assert reasons == {"cut.dcm": "truncated_pixels", "notes.txt": "not_dicom"}
    parts = (told["instances"], told["not_image"], told["duplicates"], len(told["rejects"]))
    assert told["files"] == sum(parts) == 8
    json.dumps(told, allow_nan=False)


def test_a_zip_says_the_same_as_its_folder_and_a_member_can_be_named(
    tree: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "tree.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for path in sorted(tree.iterdir()):
            file.write(path, path.name)
    assert shown_tree(packed).to_dict()["series"] == shown_tree(tree).to_dict()["series"]
    one = show(packed, member="3.dcm")
    assert isinstance(one, ShownFile)
    assert one.to_dict()["values"] == shown_file(tree / "3.dcm").to_dict()["values"]
    with pytest.raises(FileNotFoundError, match="no member 'none'"):
        show(packed, member="none")


def test_a_tree_leaves_nothing_behind(tree: Path) -> None:
    before = sorted(tree.rglob("*"))
    shown_tree(tree)
    assert sorted(tree.rglob("*")) == before


def test_the_real_tilted_head_has_its_tilt_and_its_three_distances(real_data: Path) -> None:
    (series,) = shown_tree(real_data / "head_ct_tilted" / "series.zip").series
    assert series.tilt_degrees == pytest.approx(18.5, abs=0.01)
    assert series.distances_mm == pytest.approx((1.081, 4.002, 6.999), abs=1e-3)
    names = {issue.name for issue in series.issues}
    assert {"gantry_tilt", "irregular_spacing"} <= names
    assert "gap" not in names


# --- what identifies -----------------------------------------------------------------------------

KEYWORDS = {
    "PatientID", "AccessionNumber", "InstitutionName", "InstitutionAddress", "StationName",
    "StudyID", "DeviceSerialNumber", "OtherPatientIDs", "InstitutionalDepartmentName",
    "StudyDescription", "SeriesDescription", "PatientComments", "ImageComments", "PatientAddress",
}  # fmt: skip
VRS = {"PN", "DA", "TM", "DT"}


def everything_told(path: Path) -> str:
    """All that the verb and the command line say of a file, tags and paths left out."""
    found = shown_file(path)
    lines = list(header_of(found))
    parts = [json.dumps(found.to_dict())]
    parts += [line.plain for line in show_text.file_text(found, 80)][2:]
    parts += [line.value for line in lines]
    return "\n".join(parts)


def identifying(dataset: Dataset) -> Iterator[str]:
    """The values that must not be told, of four characters and more."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from identifying(item)
        elif element.VR in VRS or element.keyword in KEYWORDS or element.tag.group & 1:
            values = element.value if element.VM > 1 else [element.value]
            for text in (
                str(value).strip() for value in values if isinstance(value, str | PersonName)
            ):
                if element.tag.group & 1 and not any(map(str.isalpha, text)):
                    continue  # a private number
                yield text
                yield from text.replace("=", "^").split("^")


def harmless(dataset: Dataset) -> str:
    """The values that may be told, one after the other."""
    return " ".join(
        str(element.value)
        for element in dataset
        if not (element.VR in VRS or element.keyword in KEYWORDS or element.tag.group & 1)
        and element.VR not in ("SQ", "OB", "OW", "UN")
    )


def uids(dataset: Dataset) -> Iterator[str]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from uids(item)
        elif element.VR == "UI" and element.value:
            yield from [
                str(value) for value in ([element.value] if element.VM < 2 else element.value)
            ]


def headers() -> list[Path]:
    return sorted({Path(name) for name in get_testdata_files("**/*") if Path(name).is_file()})


def check_file(path: Path) -> int:
    """How many values were looked for."""
    told = everything_told(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path, force=True)
            hidden = {value for value in identifying(dataset) if len(value) >= 4}
            known = sorted({*uids(dataset), *uids(dataset.file_meta)}, key=len, reverse=True)
        except Exception:  # what pydicom cannot read has no value to look for
            return 0
    for uid in known:
        told = told.replace(uid, "")
    by_right = harmless(dataset)  # what a harmless element says as well
    shown = {value for value in hidden if value in told and value not in by_right}
    assert shown == set(), path.name
    return len(hidden)


def test_nothing_that_identifies_is_told_of_pydicoms_files() -> None:
    assert sum(map(check_file, headers())) > 300


def test_nothing_that_identifies_is_told_of_the_real_files(real_data: Path) -> None:
    folders = ("malformed", "hemorrhage_slices", "codecs", "pneumothorax/images", "chest_ct")
    paths = [
        path
        for folder in folders
        for path in sorted((real_data / folder).iterdir())[: 60 if folder == "malformed" else 6]
        if path.suffix not in (".csv", ".md")
    ]
    assert sum(map(check_file, paths)) > 300


def test_identifiers_are_told_when_they_are_asked_for(tmp_path: Path) -> None:
    path = changed(tmp_path, PatientName="Doe^Jane")
    found = shown_file(path)
    lines = {line.keyword: line for line in header_of(found, identifiers="show")}
    assert lines["PatientName"].value == "Doe^Jane"
    assert lines["StudyDate"].value == pydicom.dcmread(path).StudyDate
    lines = {line.keyword: line for line in header_of(found)}
    assert (lines["PatientName"].value, lines["PatientName"].form) == (
        "present, 8 characters",
        "withheld",
    )
    with pytest.raises(ValueError, match="identifiers"):
        list(header_of(found, identifiers="all"))
