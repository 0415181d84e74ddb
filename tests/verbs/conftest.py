"""tests/verbs/conftest.py: a small phantom archive, and runs trained on it once a session."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports work here, where the libraries are loaded already: a worker takes seconds to start.
    tests/verbs/test_export.py has the workers."""
    monkeypatch.setattr(
        "wetread.verbs.export.parallel_map", lambda work, items, workers: map(work, items)
    )


def ct_writer(source: Path) -> Callable[..., Path]:
    """Make a function that writes one more series of small CT slices 5 mm apart into a folder."""
    made: list[int] = []

    def slices(count: int, **tags: Any) -> Path:
        number = len(made)
        made.append(count)
        source.mkdir(exist_ok=True)
        for k in range(count):
            dataset = pydicom.Dataset()
            dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
            dataset.SOPInstanceUID = f"1.9.{number}.{k}"
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.7", f"1.8.{number}"
            dataset.Modality, dataset.PatientName, dataset.PatientID = (
                "CT",
                "Secret^Patient",
                "SECRET7",
            )
            dataset.StudyDescription, dataset.KVP = "secret story", 120
            dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
            dataset.Rows, dataset.Columns, dataset.PixelSpacing = 20, 24, [0.5, 0.5]
            dataset.ImagePositionPatient = [0, 0, 5 * k]
            dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            dataset.WindowCenter, dataset.WindowWidth = 40 + k, 80
            dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
            dataset.PixelRepresentation = 1
            dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
            pixels = np.full((20, 24), 1024 + 10 * k, np.int16)
            pixels[:, 12:] = 1024 + 40
            dataset.PixelData = pixels.tobytes()
            for keyword, value in tags.items():
                setattr(dataset, keyword, value)
            dataset.file_meta = pydicom.dataset.FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
            dataset.save_as(source / f"{number}-{k:03d}.dcm", enforce_file_format=True)
        return source

    return slices


@pytest.fixture
def write_ct(tmp_path: Path) -> Callable[..., Path]:
    """write_ct(count, **tags) -> a folder with one more series of small CT slices 5 mm apart."""
    return ct_writer(tmp_path / "source")


@pytest.fixture(scope="session")
def write_ct_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """As write_ct, into a folder that stays for the session."""
    return ct_writer(tmp_path_factory.mktemp("ct") / "source")


@pytest.fixture
def everything() -> Callable[[Path], dict[str, bytes]]:
    """everything(folder) -> the files below an export's folder, but for those of one run alone."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".parts" not in path.parts
        }

    return read
