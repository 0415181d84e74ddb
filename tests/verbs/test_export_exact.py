"""tests/verbs/test_export_exact.py: what an export writes gives back the exact values of real
files; pydicom is the oracle."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.verbs.export import ExportResult, export

tifffile = pytest.importorskip("tifffile")
nibabel = pytest.importorskip("nibabel")
# The competition's UIDs are none, which pydicom says of every file.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Invalid value for VR UI"),
    pytest.mark.usefixtures("in_this_process"),
]
AIR = -1024
SERIES = {  # name: where, and which of its files
    "chest, JPEG lossless, signed": ("chest_ct", "*.dcm", 6),
    "head, signed, undeclared padding": ("hemorrhage_series/5f8484c3e0.zip", "**/*.dcm", 4),
    "head, unsigned, implicit VR": ("hemorrhage_series/99fc6d2b76.zip", "**/*.dcm", 4),
    "head, tilted, declared padding": ("head_ct_tilted/series.zip", "**/*.dcm", 6),
}


@pytest.fixture(params=SERIES, scope="module")
def source(
    request: pytest.FixtureRequest, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with some neighbouring slices of a real series."""
    where, pattern, count = SERIES[request.param]
    folder = tmp_path_factory.mktemp("source")
    there = real_data / where
    if there.suffix == ".zip":
        unpacked = tmp_path_factory.mktemp("zip")
        with zipfile.ZipFile(there) as packed:
            packed.extractall(unpacked)
        there = unpacked
    files = sorted(there.glob(pattern), key=position)
    for file in files[3 : 3 + count]:
        shutil.copy(file, folder)
    return folder


def position(file: Path) -> float:
    return float(pydicom.dcmread(file, stop_before_pixels=True).ImagePositionPatient[2])


@pytest.fixture(scope="module")
def truth(source: Path) -> dict[str, np.ndarray]:
    """SOP Instance UID to HU, from the feet up: pydicom's pixels, rescaled, air outside."""
    found = {}
    for file in sorted(source.iterdir(), key=position):
        dataset = pydicom.dcmread(file)
        stored = dataset.pixel_array.astype(np.float64)
        hu = stored * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
        if "PixelPaddingValue" in dataset:
            hu[stored == dataset.PixelPaddingValue] = AIR
        found[dataset.SOPInstanceUID] = np.maximum(hu, AIR)
    return found


def exported(format: str, source: Path, out: Path, **settings: Any) -> pl.DataFrame:
    """The manifest of an export that refused nothing."""
    done = export(format, [source], out, workers=1, **settings)
    assert isinstance(done, ExportResult)
    assert done.refused == 0
    return pl.read_csv(out / "manifest.csv", infer_schema_length=None)


@pytest.mark.parametrize("format", ["png", "tiff"])
def test_16_bit_pictures_give_back_every_hu(
    format: str, source: Path, truth: dict[str, np.ndarray], tmp_path: Path
) -> None:
    manifest = exported(format, source, tmp_path, depth=16)
    assert manifest["SOPInstanceUID"].sort().to_list() == sorted(truth)
    for row in manifest.iter_rows(named=True):
        read = tifffile.imread if format == "tiff" else _by_opencv
        hu = read(tmp_path / row["file"]) * row["scale"] + row["offset"]
        np.testing.assert_array_equal(hu, truth[row["SOPInstanceUID"]])
        assert (row["min"], row["max"]) == (hu.min(), hu.max())
        assert row["unit"] == "HU"


def _by_opencv(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def test_npy_and_npz_give_back_every_hu_in_order(
    source: Path, truth: dict[str, np.ndarray], tmp_path: Path
) -> None:
    (file,) = exported("npy", source, tmp_path / "npy")["file"]
    whole = np.stack(list(truth.values()))
    values = np.load(tmp_path / "npy" / file, allow_pickle=False)
    assert values.dtype == np.int16
    np.testing.assert_array_equal(values, whole)
    slices = pl.read_csv(tmp_path / "npy" / "slices.csv")
    assert slices["SOPInstanceUID"].to_list() == list(truth)
    (file,) = exported("npz", source, tmp_path / "npz")["file"]
    with np.load(tmp_path / "npz" / file, allow_pickle=False) as found:
        np.testing.assert_array_equal(found["values"], whole)
        assert found["sources"].tolist() == list(truth)
        np.testing.assert_allclose(found["positions_mm"], slices["position_mm"])


def test_nifti_gives_back_every_hu_at_its_place(
    source: Path, truth: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """Positions are pydicom's, with x and y turned from LPS to RAS."""
    (file,) = exported("nifti", source, tmp_path)["file"]
    image = nibabel.load(tmp_path / file)
    values = np.asanyarray(image.dataobj)
    assert values.dtype == np.int16
    np.testing.assert_array_equal(values.transpose(2, 1, 0), np.stack(list(truth.values())))
    for z, dicom in enumerate(sorted(source.iterdir(), key=position)):
        header = pydicom.dcmread(dicom, stop_before_pixels=True)
        origin = np.array(header.ImagePositionPatient, float)
        np.testing.assert_allclose(
            (image.affine @ (0, 0, z, 1))[:3], origin * (-1, -1, 1), atol=0.1
        )


def test_header_windows_of_a_film_are_one_for_all_frames(
    source: Path, truth: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """One HU is one grey in the whole GIF, whatever window each slice's header names."""
    iio = pytest.importorskip("imageio.v3")
    (row,) = exported("gif", source, tmp_path).iter_rows(named=True)
    assert "one for all frames" in row["window"]
    frames = iio.imread(tmp_path / row["file"], mode="L")
    hu = np.stack(list(truth.values())).astype(np.int64)
    pairs = np.unique(hu * 256 + frames)
    assert len(np.unique(hu)) == len(pairs) > 100
    assert (np.diff(pairs % 256) >= 0).all()  # brighter where denser
