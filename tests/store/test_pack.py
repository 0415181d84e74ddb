"""tests/store/test_pack.py: a file that takes the packing process with it is one reject; its
series goes on without it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from wetread.archive.index.index import build_index
from wetread.store.pack import pack
from wetread.store.pack_series import OneBox, Packing
from wetread.study.boxes import PixelBox
from wetread.study.crop import whole_picture
from wetread.study.series import series_slices
from wetread.study.slice_sequence import SliceSequence

# Where a worker begins: a decoder that dies of one file, as native decoders do.
_DECODER = """
import os, signal, time
import wetread.study.slices as slices
original = slices.read_pixels
def read_pixels(row):
    name = os.path.basename(row["path"])
    if name == "00-2":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "04-3":
        return bytearray(1 << 50)
    return original(row)
slices.read_pixels = read_pixels
"""


def ignore(done: int, total: int) -> None:
    pass


def box_that_dies_of_the_bright(hu: SliceSequence) -> PixelBox:
    """A search for the head that ends its process on one series: the one of 3000 HU."""
    if max(one.max() for one in hu) > 2900:
        import os

        os._exit(7)
    return whole_picture(hu)


@pytest.fixture
def series(tmp_path: Path) -> list[pl.DataFrame]:
    """Ten series of five slices, two parts; series 9 is bright."""
    for number in range(50):
        group, place = divmod(number, 5)
        pixels = np.full((8, 8), 4024 if group == 9 else number, np.int16)
        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, f"1.2.3.{number + 1}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.4", f"1.2.5.{group}"
        dataset.Modality, dataset.PatientID = "CT", "P1"
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.ImagePositionPatient = [0, 0, place]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
        dataset.PixelRepresentation = 1
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
        dataset.PixelData = pixels.tobytes()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = tmp_path / "archive" / f"{group:02d}-{place}"
        path.parent.mkdir(exist_ok=True)
        dataset.save_as(path, enforce_file_format=True)
    found = build_index([tmp_path / "archive"], tmp_path / "i.parquet", workers=1)
    return series_slices(found.images)


@pytest.mark.parametrize("workers", [1, 2])
def test_files_that_end_the_process_are_single_rejects(
    series: list[pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_DECODER)
    monkeypatch.syspath_prepend(str(tmp_path))
    packing = Packing(None, OneBox(whole_picture))
    store = pack(series, tmp_path / "store", packing, workers=workers, progress=ignore)
    reasons = {
        Path(path).name: reason for path, reason in store.rejects.select("path", "reason").rows()
    }
    assert reasons == {"00-2": "decoder_crashed", "04-3": "too_big"}
    assert len(store) == 48
    first = store.slices.filter(pl.col("SeriesInstanceUID") == "1.2.5.0")
    assert first["n_slices"].to_list() == [4] * 4
    assert first["SOPInstanceUID"].to_list() == [f"1.2.3.{place}" for place in (1, 2, 4, 5)]


def test_a_series_that_ends_the_process_as_a_whole_is_rejected_alone(
    series: list[pl.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "box_of_a_test.py").write_text(Path(__file__).read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    from box_of_a_test import box_that_dies_of_the_bright as box  # type: ignore[import-not-found]

    store = pack(series, tmp_path / "store", Packing(None, OneBox(box)), workers=1, progress=ignore)
    assert len(store) == 45
    assert sorted(Path(path).name for path in store.rejects["path"]) == [
        f"09-{place}" for place in range(5)
    ]
    assert set(store.rejects["reason"]) == {"decoder_crashed"}
    assert store.rejects["detail"][0].startswith("with the rest of its series")
