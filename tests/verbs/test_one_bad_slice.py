"""tests/verbs/test_one_bad_slice.py: what does not belong to a stack costs itself and no other
slice, and is named; acquisitions in one series are files of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.uid import UID
from typer.testing import CliRunner

from wetread.cli.main import app
from wetread.verbs.export import ExportResult, export
from wetread.verbs.index import index
from wetread.verbs.pack import pack
from wetread.verbs.segment.segment import segment

Write = Callable[..., Path]
BONE = np.pad(np.full((10, 12), 2500, np.int16), ((5, 5), (6, 6))).tobytes()
SOUND = 28


def uid_of(name: str) -> str:
    return f"1.99.{int.from_bytes(name.encode())}"


def add_slice(folder: Path, name: str, **tags: Any) -> Path:
    """One more file of the series of write_ct, unlike the others; None leaves an element out."""
    dataset = pydicom.dcmread(folder / "0-000.dcm")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(uid_of(name))
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    samples = dataset.SamplesPerPixel * dataset.Rows * dataset.Columns
    if samples * dataset.BitsAllocated // 8 != len(dataset.PixelData):
        dataset.PixelData = bytes(samples * dataset.BitsAllocated // 8)
    dataset.save_as(folder / f"{name}.dcm", enforce_file_format=True)
    return folder


def add_captures(folder: Path) -> Path:
    """Three color captures of a screen, as workstations add them."""
    for k in range(3):
        add_slice(
            folder, f"capture{k}", SOPClassUID="1.2.840.10008.5.1.4.1.1.7", SamplesPerPixel=3,
            PhotometricInterpretation="RGB", PlanarConfiguration=0, BitsAllocated=8, BitsStored=8,
            HighBit=7, PixelRepresentation=0, Rows=30, Columns=40, ImagePositionPatient=None,
            ImageOrientationPatient=None, PixelSpacing=None, RescaleSlope=None,
            RescaleIntercept=None,
        )  # fmt: skip
    return folder


def names(table: Path) -> list[str]:
    return sorted(Path(path).stem for path in pl.read_csv(table)["path"])


def exported(format: str, folder: Path, out: Path, **words: Any) -> ExportResult:
    return export(format, [folder], out, workers=1, **words)


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("format", ["nifti", "npy", "gif"])
def test_three_color_captures_do_not_cost_28_sound_slices(
    write_ct: Write, tmp_path: Path, format: str
) -> None:
    found = exported(
        format, add_captures(write_ct(SOUND, PixelData=BONE, PixelSpacing=[5, 5])), tmp_path / "out"
    )
    assert (found.files, found.slices, found.refused) == (1, SOUND, 3)
    assert names(tmp_path / "out" / "rejects.csv") == ["capture0", "capture1", "capture2"]
    (row,) = pl.read_csv(tmp_path / "out" / "manifest.csv").to_dicts()
    assert "capture_removed" in row["issues"].split()
    assert "no_rescale" not in row["issues"].split()
    if format == "nifti":
        image = nibabel.load(tmp_path / "out" / row["file"])
        assert image.shape == (24, 20, SOUND)
        np.testing.assert_allclose(image.affine[:3, 2], [0, 0, 5])
        assert np.asarray(image.dataobj)[12, 10].tolist() == [1476] * SOUND


@pytest.mark.parametrize("gaps", ["refuse", "split"])
def test_three_color_captures_do_not_cost_a_segmentation(
    write_ct: Write, tmp_path: Path, gaps: str
) -> None:
    out = tmp_path / "out"
    found = segment(
        "bone",
        [add_captures(write_ct(SOUND, PixelData=BONE, PixelSpacing=[5, 5]))],
        out,
        gaps=gaps,
        workers=1,
    )
    assert [entry["shape"] for entry in found.series] == [[SOUND, 20, 24]]
    assert names(out / "rejects.csv") == ["capture0", "capture1", "capture2"]
    assert found.refused == 3


@pytest.mark.parametrize(
    "tags",
    [
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},  # grey, of the same size, at a place
        {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
        {"PhotometricInterpretation": "PALETTE COLOR"},
        {"Rows": 30, "Columns": 40},
        {"ImagePositionPatient": None},
        {"PixelSpacing": [0.8, 0.8]},
        {"RescaleSlope": None, "RescaleIntercept": None},
        {"RescaleType": "Z_EFF"},
    ],
    ids=lambda tags: next(iter(tags)),
)
def test_one_stray_costs_itself_and_is_named(
    write_ct: Write, tmp_path: Path, tags: dict[str, Any]
) -> None:
    folder = add_slice(write_ct(SOUND, PixelData=BONE, PixelSpacing=[5, 5]), "stray", **tags)
    found = segment("bone", [folder], tmp_path / "out", workers=1)
    assert [entry["shape"] for entry in found.series] == [[SOUND, 20, 24]]
    assert names(tmp_path / "out" / "rejects.csv") == ["stray"]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    "tags",
    [
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": [0] * 6},
        {"PixelSpacing": None, "ImagePositionPatient": [0, 0, 900]},
    ],
)
def test_a_slice_without_a_place_does_not_cost_the_nifti_of_the_others(
    write_ct: Write, tmp_path: Path, tags: dict[str, Any]
) -> None:
    folder = add_slice(write_ct(SOUND, PixelData=BONE, PixelSpacing=[5, 5]), "stray", **tags)
    found = exported("nifti", folder, tmp_path / "out")
    assert (found.files, found.slices, found.refused) == (1, SOUND, 1)
    assert names(tmp_path / "out" / "rejects.csv") == ["stray"]
    split = segment("bone", [folder], tmp_path / "bone", gaps="split", workers=1)
    assert [entry["shape"] for entry in split.series] == [[SOUND, 20, 24]]


def test_a_stray_that_leaves_a_gap_still_stops_what_needs_every_slice(
    write_ct: Write, tmp_path: Path
) -> None:
    folder = write_ct(8)
    middle = pydicom.dcmread(folder / "0-004.dcm")
    del middle.ImagePositionPatient
    middle.save_as(folder / "0-004.dcm")
    found = segment("bone", [folder], tmp_path / "out", workers=1)
    assert found.series == ()
    assert "gap: 1 missing" in found.rejects[-1].detail


@pytest.mark.usefixtures("in_this_process")
def test_a_stray_that_cannot_be_read_does_not_cost_the_arrays(
    write_ct: Write, tmp_path: Path
) -> None:
    folder = add_slice(write_ct(5), "stray", Rows=30)
    bad = (
        (folder / "stray.dcm")
        .read_bytes()
        .replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    )
    (folder / "stray.dcm").write_bytes(bad)  # it says RLE
    found = exported("npy", folder, tmp_path / "out")
    assert (found.files, found.slices, found.refused) == (1, 5, 1)


def phases(write_ct: Write) -> Path:
    """Two acquisitions of one series, 5 mm apart each, the second 0.75 mm further up."""
    folder = write_ct(5, AcquisitionNumber=1, PixelData=BONE, PixelSpacing=[5, 5])
    for k in range(5):
        add_slice(folder, f"b{k}", AcquisitionNumber=2, ImagePositionPatient=[0, 0, 5 * k + 0.75])
    return folder


@pytest.mark.usefixtures("in_this_process")
def test_acquisitions_are_files_named_by_what_tells_them_apart(
    write_ct: Write, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    found = exported("nifti", phases(write_ct), out)
    assert (found.files, found.slices, found.refused) == (2, 10, 0)
    table = pl.read_csv(out / "manifest.csv").sort("file")
    assert table["acquisition"].to_list() == ["acquisition 1", "acquisition 2"]
    assert [Path(name).name for name in table["file"]] == [
        "1.8.0.stack-1.acquisition-1.nii.gz", "1.8.0.stack-2.acquisition-2.nii.gz"
    ]  # fmt: skip
    affines = [nibabel.load(out / name).affine for name in table["file"]]
    np.testing.assert_allclose([affine[2, 3] for affine in affines], [0, 0.75])
    np.testing.assert_allclose([affine[2, 2] for affine in affines], [5, 5])


def test_each_acquisition_is_segmented_and_told(write_ct: Write, tmp_path: Path) -> None:
    words = ["segment", "bone", str(phases(write_ct)), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert sorted(path.parent.parent.name for path in (tmp_path / "out").rglob("segment.json")) == [
        "1.8.0.stack-1.acquisition-1", "1.8.0.stack-2.acquisition-2"
    ]  # fmt: skip
    assert "acquisition 2" in done.output


def test_a_store_holds_one_acquisition_after_the_other(write_ct: Write, tmp_path: Path) -> None:
    index([phases(write_ct)], tmp_path / "i.parquet", workers=1)
    store = pack(tmp_path / "i.parquet", tmp_path / "store", workers=1)
    table = store.slices.select("acquisition", "z", "position_mm")
    assert table["acquisition"].to_list() == [1] * 5 + [2] * 5
    assert table["z"].to_list() == [*range(10)]
    assert table["position_mm"].to_list() == [0, 5, 10, 15, 20, 0.75, 5.75, 10.75, 15.75, 20.75]
