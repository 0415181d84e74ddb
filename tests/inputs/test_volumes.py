"""tests/inputs/test_volumes.py: files of any kind become one volume or one slice."""

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

import wetread
from wetread.archive.rejects import RejectError
from wetread.inputs.volumes import read_slice, read_volume
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.study.series import series_slices
from wetread.study.volume import volume_from_rows


@pytest.fixture(scope="module")
def archive(phantoms: PhantomTruth) -> Path:
    """Head studies at 64 pixels."""
    return phantoms.images


@pytest.fixture(scope="module")
def index(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of these."""
    out = tmp_path_factory.mktemp("index") / "index.parquet"
    wetread.index(archive, out, workers=1)
    return out


def test_a_volume_is_that_of_the_series_rows_however_its_source_is_given(
    archive: Path, index: Path, tmp_path: Path
) -> None:
    rows = series_slices(wetread.read_index(index).images)[1]
    uid = str(rows["SeriesInstanceUID"][0])
    expected = volume_from_rows(rows)
    packed = shutil.make_archive(str(tmp_path / "archive"), "zip", archive)
    for source in (index, str(index), archive, [archive], packed):
        volume = read_volume(source, series=uid, workers=1)
        np.testing.assert_array_equal(volume.hu, expected.hu)
        np.testing.assert_array_equal(volume.affine, expected.affine)
        assert volume.sources == expected.sources


def test_without_a_uid_the_series_that_suits_best_is_read(index: Path) -> None:
    volumes = [volume_from_rows(rows) for rows in series_slices(wetread.read_index(index).images)]
    assert read_volume(index).sources in [volume.sources for volume in volumes]


def test_a_series_that_is_not_there_is_refused_by_its_uid(index: Path) -> None:
    with pytest.raises(ValueError, match=r"no series '1\.2\.3'"):
        read_volume(index, series="1.2.3")


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone does not exist"):
        read_volume([tmp_path, tmp_path / "gone"])


def test_a_folder_without_an_image_gives_the_reason_of_its_first_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no DICOM")
    with pytest.raises(RejectError) as refused:
        read_volume(tmp_path, workers=1)
    assert refused.value.reason == "not_dicom"
    (tmp_path / "notes.txt").unlink()
    with pytest.raises(RejectError, match="no image in it"):
        read_volume(tmp_path, workers=1)


def test_a_slice_has_the_values_of_its_file(archive: Path) -> None:
    path = next(archive.rglob("*.dcm"))
    dataset = pydicom.dcmread(path)
    stored = dataset.pixel_array.astype(np.float64)
    hu = stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    inside = stored != getattr(dataset, "PixelPaddingValue", None)
    np.testing.assert_array_equal(
        read_slice(path).values()[inside], np.maximum(hu, -1024)[inside].astype(np.float32)
    )


def test_a_member_of_a_zip_is_named(archive: Path, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "archive"), "zip", archive)
    member = next(archive.rglob("*.dcm")).relative_to(archive).as_posix()
    found = read_slice(packed, member=member)
    np.testing.assert_array_equal(found.stored, read_slice(archive / member).stored)
    with pytest.raises(ValueError, match="name the one, or use read_volume"):
        read_slice(packed)
