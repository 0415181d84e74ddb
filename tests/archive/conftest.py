"""tests/archive/conftest.py: the small DICOM files that the tests of this room read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

Write = Callable[..., Path]


def ct_slice(pixels: np.ndarray, number: int = 1, **tags: Any) -> Dataset:
    """A CT slice of (rows, columns) int16 or uint16; tags replace, None removes."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = f"1.2.3.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.4", "1.2.5"
    dataset.Modality, dataset.PatientID, dataset.PatientAge = "CT", "P1", "061Y"
    dataset.InstanceNumber = number
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelSpacing = [0.5, 0.25]
    dataset.ImagePositionPatient = [-10, -20, 5.0 * number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.WindowCenter, dataset.WindowWidth = [40, 600], [80, 2800]
    dataset.PixelData = pixels.tobytes()
    for name, value in tags.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


def save(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write the data set as a DICOM file of that transfer syntax."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CTImageStorage)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3")
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def noise() -> np.ndarray:
    """(16, 12) int16 of any value."""
    return np.random.default_rng(7).integers(-32768, 32768, (16, 12)).astype(np.int16)


@pytest.fixture
def write_ct(tmp_path: Path, noise: np.ndarray) -> Write:
    """write_ct(name, number=1, syntax=..., pixels=..., **tags) -> path below tmp_path."""

    def write(
        name: str,
        number: int = 1,
        syntax: str = ExplicitVRLittleEndian,
        pixels: np.ndarray = noise,
        **tags: Any,
    ) -> Path:
        return save(ct_slice(pixels, number, **tags), tmp_path / name, syntax)

    return write
