"""tests/store/test_pack_series.py: a series is decoded once for all its crops, few slices held."""

import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from wetread.anatomy.chest_box import find_chest_boxes
from wetread.archive.index.index import build_index
from wetread.archive.types import Row
from wetread.store import pack_series as module
from wetread.store.pack import pack, pack_crops
from wetread.store.pack_series import SEARCHED_SLICES, OneBox, Packing, pack_series
from wetread.study.boxes import PixelBox
from wetread.study.crop import whole_picture
from wetread.study.slice_sequence import SliceSequence
from wetread.study.slices import Slice, slice_from_row

SIDE = 512


def ignore(done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """One slice of a body with two lungs, a thousand times, half a millimeter apart."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    hu = np.where((x / 0.9) ** 2 + (y / 0.7) ** 2 < 1, 40, -1000)
    hu[((np.abs(x) - 0.4) / 0.3) ** 2 + (y / 0.5) ** 2 < 1] = -800
    hu += np.random.default_rng(0).integers(-20, 21, hu.shape)
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.4", "1.2.5"
    dataset.Modality, dataset.PatientID = "CT", "P1"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = hu.shape
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.PixelData = (hu + 1024).clip(0).astype("<u2").tobytes()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    folder = tmp_path_factory.mktemp("series")
    dataset.save_as(folder / "0.dcm", enforce_file_format=True)
    found = build_index([folder / "0.dcm"], folder / "i.parquet", workers=1).images
    rows = pl.concat([found] * 1000).with_row_index("number")
    return rows.with_columns(
        SOPInstanceUID="1.2.3." + pl.col("number").cast(pl.String),
        position_mm=pl.concat_list(pl.lit(0.0), pl.lit(0.0), 0.5 * pl.col("number")),
    ).drop("number")


def chest_box(number: int, hu: SliceSequence) -> PixelBox:
    return find_chest_boxes(hu)[number]


def test_crops_packed_together_are_what_each_is_alone(series: pl.DataFrame, tmp_path: Path) -> None:
    few, outs = [series[:5], series[5:8]], [tmp_path / "a", tmp_path / "b"]
    packing = Packing(32, find_chest_boxes)
    together = pack_crops(few, outs, packing, workers=1, progress=ignore)
    for crop, store in enumerate(together):
        alone = Packing(32, OneBox(partial(chest_box, crop)))
        given = [one for frame in few for one in pack_series(frame, alone, [])]
        assert store.slices["SOPInstanceUID"].to_list() == series[:8]["SOPInstanceUID"].to_list()
        assert store.slices["box"].to_list() == [record["box"] for _, record, _ in given]
        for row, (_, _, values) in enumerate(given):
            assert np.array_equal(store.read(row), values)
    assert not np.array_equal(together[0].read(0), together[1].read(0))


@pytest.mark.parametrize("count", [6, 2 * SEARCHED_SLICES + 1])
def test_a_slice_is_decoded_once_however_many_crops(
    series: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    decoded: list[Row] = []

    def watched(row: Row) -> Slice:
        decoded.append(row)
        return slice_from_row(row)

    monkeypatch.setattr(module, "slice_from_row", watched)
    given = list(pack_series(series[:count], Packing(32, find_chest_boxes), []))
    assert [crop for crop, _, _ in given] == [0, 1] * count
    uids = series[:count]["SOPInstanceUID"].to_list()
    assert [record["SOPInstanceUID"] for crop, record, _ in given if crop == 0] == uids
    assert sorted(row["SOPInstanceUID"] for row in decoded) == sorted(uids)


def test_the_search_looks_at_slices_spread_through_a_long_series(series: pl.DataFrame) -> None:
    shapes: list[tuple[int, ...]] = []

    def note_shape(hu: SliceSequence) -> PixelBox:
        shapes.append(hu.shape)
        return whole_picture(hu)

    for count in (3, SEARCHED_SLICES, SEARCHED_SLICES + 1, 1000):
        list(pack_series(series[:count], Packing(None, OneBox(note_shape)), []))
    assert shapes == [(3, SIDE, SIDE)] + [(SEARCHED_SLICES, SIDE, SIDE)] * 3


def test_what_cannot_be_read_of_a_long_series_leaves_the_rest_in_its_place(
    series: pl.DataFrame, tmp_path: Path
) -> None:
    count, lost = 600, {0, 1, 7, 300, 599}  # the first two stand for a stretch of the search
    path = pl.when(pl.int_range(pl.len()).is_in(lost)).then(pl.lit("gone.dcm")).otherwise("path")
    frame = series[:count].with_columns(path.alias("path"))
    packing = Packing(8, OneBox(whole_picture))
    store = pack([frame], tmp_path, packing, workers=1, progress=ignore)
    kept = [number for number in range(count) if number not in lost]
    assert store.slices["SOPInstanceUID"].to_list() == frame["SOPInstanceUID"][kept].to_list()
    assert store.slices["z"].to_list() == list(range(len(kept)))
    assert store.slices["n_slices"].unique().to_list() == [len(kept)]
    assert store.slices["position_mm"].to_list() == [0.5 * number for number in kept]
    assert set(store.rejects["SOPInstanceUID"]) == {f"1.2.3.{number}" for number in lost}


def test_few_long_series_are_parts_of_their_own(series: pl.DataFrame, tmp_path: Path) -> None:
    packing = Packing(8, OneBox(whole_picture))
    lengths = [500, 300, 100, 1] + [2] * 10
    starts = np.cumsum([0, *lengths])
    frames = [series[int(a) : int(b)] for a, b in pairwise(starts)]
    store = pack(frames, tmp_path, packing, workers=1, progress=ignore)
    of_part = store.slices.group_by("part", maintain_order=True).len()["len"].to_list()
    assert of_part == [500, 400, 1 + 2 * 7, 2 * 3]
    assert len(store) == sum(lengths)


_PEAK = """
import sys
import polars as pl
from wetread.store.pack_series import Packing, pack_series
from wetread.tasks import find_task
crops = find_task("embolism").crops.find_boxes
frame = pl.read_parquet(sys.argv[1])
for _ in pack_series(frame, Packing(160, crops), []):
    pass
# Not ru_maxrss: that begins with what the process had that started this one.
(line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(line.split()[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the highest memory is read from /proc")
def test_packing_takes_no_more_memory_for_a_longer_series(
    series: pl.DataFrame, tmp_path: Path
) -> None:
    peaks = []
    for count in (300, 900):
        series[:count].write_parquet(tmp_path / "rows.parquet")
        words = [sys.executable, "-c", _PEAK, str(tmp_path / "rows.parquet")]
        peaks.append(int(subprocess.run(words, check=True, capture_output=True).stdout))
    # 300 are looked at as 250: to hold all would be 600 more; a fifth of one is records and chance.
    assert (peaks[1] - peaks[0]) / 600 < 0.2 * SIDE * SIDE * 2
