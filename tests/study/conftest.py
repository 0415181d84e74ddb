"""tests/study/conftest.py: series of small slices on disk, and their rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from wetread.archive.index.index import build_index

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
WriteSeries = Callable[..., pl.DataFrame]


def _slice(name: str, position: np.ndarray, pixels: np.ndarray, tags: dict[str, Any]) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, name
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.4", "1.2.5"
    dataset.Modality, dataset.PatientID = "CT", "P1"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelSpacing, dataset.SliceThickness = [0.5, 0.25], 5
    dataset.ImagePositionPatient = [round(float(value), 6) for value in position]
    dataset.ImageOrientationPatient = list(AXIAL)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.PixelData = pixels.astype(np.int16).tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


@pytest.fixture
def write_series(tmp_path: Path) -> WriteSeries:
    """write_series(positions (N, 3), tags={}, each=[{}, ...]) -> rows of the index.

    Slice k holds the stored value 1024 + k everywhere, is named 1.2.3.k and lies in a file whose
    name runs against the order.
    """

    def write(
        positions: np.ndarray,
        tags: dict[str, Any] | None = None,
        each: list[dict[str, Any]] | None = None,
        shape: tuple[int, int] = (6, 8),
    ) -> pl.DataFrame:
        folder = tmp_path / "series"
        folder.mkdir()
        for k, position in enumerate(positions):
            own = dict(tags or {}) | (each[k] if each else {})
            size = (own.get("Rows", shape[0]), own.get("Columns", shape[1]))
            pixels = own.pop("pixels", np.full(size, 1024 + k))
            dataset = _slice(f"1.2.3.{k}", np.asarray(position), pixels, own)
            dataset.save_as(folder / f"{len(positions) - k:03d}.dcm", enforce_file_format=True)
        return build_index([folder], tmp_path / "index.parquet", workers=1).images

    return write


def stack(count: int, step: tuple[float, float, float] = (0.0, 0.0, 5.0)) -> np.ndarray:
    """(count, 3) positions from (-10, -20, 30) on."""
    return np.array([-10.0, -20.0, 30.0]) + np.arange(count)[:, None] * np.array(step)


@pytest.fixture(name="stack")
def _stack() -> Callable[..., np.ndarray]:
    return stack
