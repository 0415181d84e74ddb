"""tests/inputs/test_sources.py: folders, zips, files and an index, opened for one verb."""

import zipfile
from pathlib import Path

import polars as pl
import pydicom
import pytest

from wetread.archive.index.index import Index, build_index
from wetread.archive.rejects import RejectError
from wetread.inputs.sources import (
    best_series,
    ct_series,
    given_index,
    in_hu,
    indexed,
    open_source,
)


def write_slice(path: Path, series: str, number: int, modality: str = "CT") -> None:
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    dataset.SOPInstanceUID = f"1.9.{series}.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.7", f"1.8.{series}"
    dataset.Modality, dataset.Rows, dataset.Columns = modality, 4, 4
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.ImagePositionPatient = [0, 0, 5 * number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [1, 1]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.PixelData = bytes(32)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A series of three slices, one of one slice, and a file that is no DICOM."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        write_slice(tmp_path / "in" / f"a{number}.dcm", "1", number)
    write_slice(tmp_path / "in" / "b.dcm", "2", 0)
    (tmp_path / "in" / "note.txt").write_text("no DICOM")
    return tmp_path / "in"


def test_what_is_no_dicom_is_no_fault_of_an_archive(folder: Path) -> None:
    source = open_source(folder, 1)
    assert (source.images.height, source.rejects.height, source.refused) == (4, 1, 0)
    (folder / "cut.dcm").write_bytes((folder / "b.dcm").read_bytes()[:200])
    assert open_source(folder, 1).refused == 1


def test_a_zip_and_an_index_hold_what_the_folder_holds(folder: Path, tmp_path: Path) -> None:
    ids = set(open_source(folder, 1).images["SOPInstanceUID"])
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for file in folder.iterdir():
            packed.write(file, file.name)
    assert set(open_source(tmp_path / "all.zip", 1).images["SOPInstanceUID"]) == ids
    build_index([folder], tmp_path / "i.parquet", workers=1)
    assert set(open_source(tmp_path / "i.parquet", 1).images["SOPInstanceUID"]) == ids


def test_nothing_stays_on_disk_where_an_index_is_made_for_one_verb(folder: Path) -> None:
    with indexed([folder], 1) as found:
        place = found.path
        assert place is not None
        assert place.is_file()
    assert not place.parent.exists()


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none does not exist"):
        open_source(tmp_path / "none", 1)


def test_an_index_stands_alone() -> None:
    assert given_index([Path("a"), Path("b.zip")]) is None
    assert given_index([Path("a.PARQUET")]) == Path("a.PARQUET")
    with pytest.raises(ValueError, match="an index stands alone"):
        given_index([Path("a.parquet"), Path("b")])


def test_the_series_with_most_slices_is_taken_or_the_one_that_is_named(folder: Path) -> None:
    series = ct_series(open_source(folder, 1))
    assert sorted(rows.height for rows in series) == [1, 3]
    assert best_series(series).height == 3
    assert best_series(series, "1.8.2").height == 1
    with pytest.raises(ValueError, match=r"no series '1\.8\.9'; there are: 1\.8\.[12], 1\.8\.[12]"):
        best_series(series, "1.8.9")


def test_an_archive_without_ct_is_of_the_wrong_kind(tmp_path: Path) -> None:
    write_slice(tmp_path / "a.dcm", "1", 0, modality="MR")
    with pytest.raises(RejectError, match=r"no CT image in .*; 1 image of other modalities"):
        ct_series(open_source(tmp_path, 1))


def test_ct_taken_as_hu_is_noted_and_the_rest_of_the_index_stays(folder: Path) -> None:
    with indexed([folder], 1) as found:
        taken = in_hu(found)
        assert isinstance(taken, Index)
        assert taken.rejects.height == found.rejects.height
        changed = taken.instances.select(pl.exclude("notes"))
        assert changed.equals(found.instances.select(pl.exclude("notes")))
