"""tests/exports/conftest.py: rows of an index of small CT slices, one of them broken on request."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from wetread.archive.index.index import build_index
from wetread.study.series import series_slices

MakeRows = Callable[..., pl.DataFrame]


def write_slice(path: Path, number: int, **tags: object) -> None:
    """Write a CT slice of 4 x 6 pixels at 5 mm times its number; HU are number and 40."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.9.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.7", "1.8"
    dataset.Modality, dataset.PatientName, dataset.KVP = "CT", "Secret^Patient", 120
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns, dataset.PixelSpacing = 4, 6, [0.5, 0.4]
    dataset.ImagePositionPatient = [0, 0, 5 * number]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.WindowCenter, dataset.WindowWidth = 40, 80
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation, dataset.RescaleSlope, dataset.RescaleIntercept = 1, 1, 0
    pixels = np.full((4, 6), number, np.int16)
    pixels[:, 3:] = 40
    dataset.PixelData = pixels.tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def make_rows(tmp_path: Path) -> MakeRows:
    """make_rows(count, **tags) -> the rows of a series of so many slices, in order."""

    def rows(count: int, **tags: object) -> pl.DataFrame:
        source = tmp_path / "source"
        source.mkdir()
        for number in range(count):
            write_slice(source / f"{number}.dcm", number, **tags)
        index = build_index([source], tmp_path / "index.parquet", workers=1)
        (series,) = series_slices(index.images)
        return series

    return rows
