"""tests/study/test_display.py: radiographs on one scale: VOI, MONOCHROME1, and files without."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.processing import apply_voi_lut
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from wetread.archive.index.index import build_index
from wetread.study.display import WHITE, display_grey
from wetread.study.slices import slice_from_row

STORED = np.arange(64, dtype=np.uint16).reshape(8, 8) * 40

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A radiograph of STORED with the given elements."""

    def run(**elements: object) -> Path:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID = SecondaryCaptureImageStorage
        dataset.SOPInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
        dataset.StudyInstanceUID, dataset.PatientID, dataset.Modality = generate_uid(), "p", "DX"
        dataset.Rows, dataset.Columns = STORED.shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
        dataset.PhotometricInterpretation = "MONOCHROME2"
        for name, value in elements.items():
            setattr(dataset, name, value)
        dataset.PixelData = STORED.tobytes()
        path = tmp_path / "archive" / "x.dcm"
        path.parent.mkdir()
        dataset.save_as(path, enforce_file_format=True)
        return path

    return run


def grey(path: Path) -> np.ndarray:
    """Read the values that are packed of the one file."""
    found = build_index([path.parent], path.parents[1] / "i.parquet", workers=1)
    (row,) = found.images.iter_rows(named=True)
    return display_grey(row, slice_from_row(row))


def test_a_window_of_the_file_is_applied_as_pydicom_applies_it(write: Write) -> None:
    path = write(WindowCenter=1000, WindowWidth=800)
    dataset = pydicom.dcmread(path)
    expected = apply_voi_lut(dataset.pixel_array, dataset, prefer_lut=False) / 4095 * WHITE
    np.testing.assert_allclose(grey(path), expected, atol=0.01)


def test_without_a_window_the_least_value_is_black_and_the_greatest_white(write: Write) -> None:
    np.testing.assert_allclose(grey(write()), STORED / STORED.max() * WHITE, rtol=1e-6)


def test_monochrome1_is_the_same_picture_turned_over(write: Write) -> None:
    turned = grey(write(PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_allclose(turned, (1 - STORED / STORED.max()) * WHITE, atol=1e-3)


def test_a_window_that_cannot_be_used_loses_no_picture(write: Write) -> None:
    path = write(WindowCenter=1000, WindowWidth=0)
    np.testing.assert_allclose(grey(path), STORED / STORED.max() * WHITE, rtol=1e-6)
