"""tests/study/test_slices.py: a slice has the values that its file means, and says what was done to
them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.dataset import Dataset

from wetread.archive.index.index import build_index
from wetread.archive.index.intercept import WRONG_INTERCEPT
from wetread.archive.rejects import RejectError
from wetread.study.hu import AIR_HU, repaired_intercept, to_hu
from wetread.study.slices import slice_from_row

WriteSeries = Callable[..., pl.DataFrame]
PADDING = -2000
SIGNED = ("ID_00032d440", "ID_000624786", "ID_000a33979", "ID_000a67924")
UNSIGNED = ("ID_000b76199", "ID_000b98b60")


def rows_of(folder: Path, out: Path, **options: Any) -> dict[str, dict[str, Any]]:
    found = build_index([folder], out / "i.parquet", workers=1, **options)
    return {row["SOPInstanceUID"]: row for row in found.images.iter_rows(named=True)}


def test_the_repair_is_the_closed_form() -> None:
    stored = np.array([[0, 1000, 2095, 2096, 2097, 3071, 3072, 3096, 4095]], np.uint16)
    hu, padding = repaired_intercept(stored, None)
    wanted = [[0, 1000, 2095, AIR_HU, 2097, 3071, -1024, -1000, -1]]
    assert to_hu(hu, 1, 0, padding).tolist() == wanted
    assert hu.dtype == np.int16


def test_the_repair_turns_back_every_value_of_tissue() -> None:
    hu = np.array([value for value in range(-1024, 3072) if value != 2096], np.int16)
    back, padding = repaired_intercept((hu & 0xFFF).astype(np.uint16), None)
    np.testing.assert_array_equal(to_hu(back, 1, 0, padding), hu)


def test_a_declared_padding_is_kept_by_the_repair() -> None:
    back, padding = repaired_intercept(np.array([[5, 2996, 3096]], np.uint16), (2996, 2996))
    assert to_hu(back, 1, 0, padding).tolist() == [[5, AIR_HU, -1000]]


def spoiled(path: Path, target: Path, intercept: int) -> np.ndarray:
    """Write a real slice as the competition's wrong ones are: HU in 12 signed bits, called
    unsigned, -2000 outside the field of view. Returns the HU that are meant."""
    dataset = pydicom.dcmread(path)
    hu = dataset.pixel_array.astype(np.int32) * int(dataset.RescaleSlope)
    hu += int(dataset.RescaleIntercept)
    hu[hu == -1024] = -1000  # so that air is not all padding
    outside = hu < AIR_HU
    if dataset.PixelRepresentation == 0:
        outside[:20, :20] = True  # the unsigned ones have no padding of their own
    hu[outside] = PADDING
    hu = np.minimum(hu, 3071)
    hu[hu == 2096] = 2095
    dataset.PixelData = (hu & 0xFFF).astype("<u2").tobytes()
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
    dataset.RescaleIntercept = intercept
    dataset.save_as(target)
    return np.where(outside, AIR_HU, np.maximum(hu, AIR_HU))


@pytest.mark.parametrize("intercept", [0, 1])
def test_real_slices_of_both_forms_are_repaired(
    real_data: Path, tmp_path: Path, intercept: int
) -> None:
    (tmp_path / "wrong").mkdir()
    sources = [real_data / "hemorrhage_slices" / f"{name}.dcm" for name in SIGNED + UNSIGNED]
    sources += sorted((real_data / "hemorrhage" / "stage_2_train").glob("*.dcm"))[::12]
    meant = {
        path.stem: spoiled(path, tmp_path / "wrong" / path.name, intercept) for path in sources
    }
    rows = rows_of(tmp_path / "wrong", tmp_path)
    assert rows.keys() == meant.keys()
    for name, row in rows.items():
        assert WRONG_INTERCEPT in row["notes"], name
        one = slice_from_row(row)
        assert one.notes == ("intercept_repaired",)
        assert one.unit == "HU"
        np.testing.assert_array_equal(one.values(), meant[name])
    for name, row in rows_of(tmp_path / "wrong", tmp_path, repair=False).items():
        one = slice_from_row(row)
        assert one.notes == (), name
        raw = pydicom.dcmread(tmp_path / "wrong" / f"{name}.dcm").pixel_array
        np.testing.assert_array_equal(one.values(), raw.astype(np.float32) + intercept)


def test_a_true_intercept_of_zero_is_left_alone(real_data: Path, tmp_path: Path) -> None:
    rows = rows_of(real_data / "hemorrhage_slices", tmp_path)
    one = slice_from_row(rows["ID_000aa2bce"])
    assert "intercept_repaired" not in one.notes
    path = real_data / "hemorrhage_slices" / "ID_000aa2bce.dcm"
    expected = np.maximum(pydicom.dcmread(path).pixel_array, -1024)
    np.testing.assert_array_equal(one.values(), expected)
    (tmp_path / "tilted").mkdir()
    tilted = build_index([real_data / "head_ct_tilted"], tmp_path / "t.parquet", workers=1)
    assert tilted.images.height == 28
    for row in tilted.images.iter_rows(named=True):
        one = slice_from_row(row)
        assert one.notes == ()
        assert (one.slope, one.intercept, one.padding) == (1, 0, (-1500, -1500))


@pytest.mark.parametrize("slope", ["0.5", "1.00000001", "2.44140625E-4"])
def test_a_fractional_slope_is_kept(
    write_series: WriteSeries, stack: Callable[..., np.ndarray], slope: str
) -> None:
    (row,) = write_series(stack(1), {"RescaleSlope": slope}).iter_rows(named=True)
    one = slice_from_row(row)
    assert one.slope == float(slope)
    exact = 1024 * float(slope) - 1024
    np.testing.assert_allclose(one.values(), exact, rtol=0, atol=1e-4)  # float32 of about 1024


def test_a_slope_beyond_every_number_is_refused(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    (row,) = write_series(stack(1), {"RescaleSlope": "1E200"}).iter_rows(named=True)
    with pytest.raises(RejectError, match="bad_number: slope 1e"):
        slice_from_row(row)


def test_monochrome1_and_its_window_do_not_change_values(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    tags = {"PhotometricInterpretation": "MONOCHROME1", "Modality": "DX"}
    (row,) = write_series(stack(1), tags).iter_rows(named=True)
    one = slice_from_row(row)
    assert (one.unit, one.values().max()) == ("grey", 0)


def test_a_colour_radiograph_is_grey_without_a_rescale(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    tags = {
        "Modality": "CR", "SamplesPerPixel": 3, "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7,
        "PixelRepresentation": 0, "PixelData": rgb.tobytes(),
    }  # fmt: skip
    (row,) = write_series(stack(1), tags).iter_rows(named=True)
    one = slice_from_row(row)
    assert one.notes == ("colour_to_grey",)
    np.testing.assert_array_equal(one.values(), np.rint(rgb @ [0.299, 0.587, 0.114]))


def test_undeclared_padding_is_named(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    pixels = np.full((6, 8), -2000)
    (row,) = write_series(stack(1), each=[{"pixels": pixels}]).iter_rows(named=True)
    assert slice_from_row(row).notes == ("padding_undeclared",)


def test_the_frames_of_a_file_are_slices_of_a_series(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    from wetread.study.series import series_slices

    frames = np.arange(3)[:, None, None] * 100 + np.zeros((3, 6, 8), np.int16)
    groups = []
    for k in (2, 0, 1):
        item, plane = Dataset(), Dataset()
        plane.ImagePositionPatient = [0, 0, 5.0 * k]
        item.PlanePositionSequence = [plane]
        groups.append(item)
    tags = {
        "NumberOfFrames": 3, "PixelData": frames.astype(np.int16).tobytes(),
        "PerFrameFunctionalGroupsSequence": groups,
    }  # fmt: skip
    images = write_series(stack(2), each=[tags, {"SeriesInstanceUID": "1.2.9"}])
    several, single = series_slices(images)
    assert several["frame"].to_list() == [1, 2, 0]  # along the normal, not as they lie
    assert single["frame"].to_list() == [None]
    values = [slice_from_row(row).values().max() for row in several.iter_rows(named=True)]
    assert values == [100 - 1024, 200 - 1024, -1024]


def test_frames_that_cannot_be_told_apart_are_one_reject(
    write_series: WriteSeries, stack: Callable[..., np.ndarray]
) -> None:
    from wetread.study.series import series_slices

    tags = {
        "NumberOfFrames": 3, "PixelData": np.zeros((3, 6, 8), np.int16).tobytes(),
        "PerFrameFunctionalGroupsSequence": [Dataset(), Dataset()],
    }  # fmt: skip
    (series,) = series_slices(write_series(stack(1), tags))
    (row,) = series.iter_rows(named=True)
    assert row["frame"] is None
    with pytest.raises(RejectError, match="bad_element: 3 frames declared, 2 items"):
        slice_from_row(row)
