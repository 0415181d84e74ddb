"""tests/study/test_unit.py: values are Hounsfield units only where the file says so rightly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from wetread.archive.index.index import build_index
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.rejects import RejectError
from wetread.study.issues import geometry_issues
from wetread.study.slices import require_hu, slice_from_row
from wetread.study.unit import Unit, note_taken_as_hu, read_unit
from wetread.study.volume import volume_from_rows, volumes_from_rows

WriteSeries = Callable[..., pl.DataFrame]
Stack = Callable[..., np.ndarray]
CT, CAPTURE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"


def row(**columns: Any) -> dict[str, Any]:
    plain = {"Modality": "CT", "SOPClassUID": CT, "RescaleSlope": 1.0, "RescaleIntercept": -1024.0}
    return dict.fromkeys(INDEX_SCHEMA) | plain | columns


@pytest.mark.parametrize(
    ("columns", "unit", "issue"),
    [
        ({}, "HU", None),
        ({"RescaleType": "HU"}, "HU", None),
        ({"RescaleType": "hu"}, "HU", None),
        ({"SOPClassUID": None, "RescaleIntercept": 0.0}, "HU", None),
        ({"SOPClassUID": CAPTURE}, "HU", None),
        ({"SOPClassUID": CAPTURE, "RescaleType": "HU", "RescaleIntercept": 0.0}, "HU", None),
        ({"Modality": None}, "HU", None),
        ({"RescaleSlope": None, "RescaleIntercept": None}, None, "no_rescale"),
        ({"RescaleIntercept": None}, None, "no_rescale"),
        ({"RescaleSlope": None, "RescaleIntercept": None, "RescaleType": "HU"}, None, "no_rescale"),
        (
            {"SOPClassUID": CAPTURE, "RescaleSlope": None, "RescaleIntercept": None},
            None, "no_rescale",
        ),
        ({"SOPClassUID": CAPTURE + ".2", "RescaleIntercept": 0.0}, None, "no_rescale"),
        ({"RescaleType": "Z_EFF"}, "Z_EFF", "not_hu"),
        ({"RescaleType": "ED"}, "ED", "not_hu"),
        ({"RescaleType": "EDW"}, "EDW", "not_hu"),
        ({"RescaleType": "HU_MOD"}, "HU_MOD", "not_hu"),
        ({"RescaleType": "US"}, None, "not_hu"),
        ({"RescaleType": "\x1b[2J"}, None, "not_hu"),
        ({"notes": ["multi_energy"]}, None, "not_hu"),
        ({"notes": ["multi_energy"], "RescaleType": "HU"}, "HU", None),
        ({"Modality": "MR"}, "grey", None),
        ({"Modality": "MR", "RescaleType": "US"}, "grey", None),
        ({"Modality": "CR", "RescaleType": "OD"}, "OD", None),
        ({"Modality": "MR", "RescaleType": "HU"}, "grey", None),
    ],
)  # fmt: skip
def test_the_unit_of_a_header(columns: dict[str, Any], unit: str | None, issue: str | None) -> None:
    found = read_unit(row(**columns))
    assert (found.name, found.issue) == (unit, issue)
    assert bool(found.detail) == (issue is not None)
    assert "\x1b" not in found.detail


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("HU", ("HU", None)),
        ("US", ("grey", "not_hu")),
        ("", ("grey", "not_hu")),
        ("OD", ("OD", "not_hu")),
    ],
)
def test_a_modality_table_is_in_hu_only_where_its_type_says_so(
    kind: str, expected: tuple[str, str]
) -> None:
    by_table = row(notes=["modality_lut"], RescaleSlope=None, RescaleIntercept=None)
    found = read_unit(by_table, kind)
    assert (found.name, found.issue) == expected


def test_a_modality_table_that_is_not_in_hu_names_its_type(
    write_series: WriteSeries, stack: Stack
) -> None:
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 16]
    item.ModalityLUTType = "US"
    item.add_new(0x00283006, "OW", np.arange(4096, dtype="<u2").tobytes())
    tags = {"RescaleSlope": None, "RescaleIntercept": None, "ModalityLUTSequence": [item]}
    rows = write_series(stack(3), tags)
    told = "(0028,3004) ModalityLUTType is US"
    found = {one.name: one.detail for one in volume_from_rows(rows).issues}
    assert found["not_hu"] == f"3 of 3 slices: {told}"
    one = rows.row(0, named=True)
    with pytest.raises(
        RejectError, match=r"not_hu: \(0028,3004\) ModalityLUTType is US; .*`as_hu`"
    ):
        require_hu(one, slice_from_row(one))


def test_electron_density_is_not_called_hu(write_series: WriteSeries, stack: Stack) -> None:
    """Stored 1024 + k with slope 0.001: relative electron density 1.024 and on, not -1024 HU."""
    rows = write_series(
        stack(3), {"RescaleType": "ED", "RescaleSlope": 0.001, "RescaleIntercept": 0}
    )
    volume = volume_from_rows(rows)
    assert volume.unit == "ED"
    np.testing.assert_allclose(volume.hu[:, 0, 0], [1.024, 1.025, 1.026], rtol=1e-6)
    expected = "3 of 3 slices: (0028,1054) RescaleType is ED"
    assert [(one.name, one.detail) for one in volume.issues] == [("not_hu", expected)]
    assert [one.name for one in geometry_issues(rows)] == ["not_hu"]
    one = rows.row(0, named=True)
    with pytest.raises(RejectError, match=r"not_hu: .*RescaleType is ED; .*`as_hu`"):
        require_hu(one, slice_from_row(one))


def test_a_ct_without_slope_and_intercept_has_no_unit_and_is_not_cut_off_at_air(
    write_series: WriteSeries, stack: Stack
) -> None:
    rows = write_series(
        stack(2),
        {"RescaleSlope": None, "RescaleIntercept": None, "pixels": np.full((6, 8), -3000)},
    )
    volume = volume_from_rows(rows)
    assert volume.unit is None
    assert volume.hu.min() == -3000
    assert [one.name for one in volume.issues] == ["no_rescale"]


def test_what_is_taken_as_hu_says_so(write_series: WriteSeries, stack: Stack) -> None:
    rows = write_series(stack(2), {"RescaleSlope": None, "RescaleIntercept": None})
    volume = volume_from_rows(note_taken_as_hu(rows))
    assert volume.unit == "HU"
    assert volume.hu[:, 0, 0].tolist() == [1024, 1025]
    (issue,) = volume.issues
    assert (issue.name, issue.detail) == (
        "taken_as_hu",
        "2 of 2 slices: RescaleSlope and RescaleIntercept absent in a CT",
    )
    plain = write_series_rows(rows)
    assert read_unit(note_taken_as_hu(plain).row(0, named=True)) == Unit("HU")


def write_series_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a rescale: HU without being taken so."""
    return rows.with_columns(RescaleSlope=pl.lit(1.0), RescaleIntercept=pl.lit(-1024.0))


def test_real_files_of_the_competitions_and_scanners_stay_hu(
    real_data: Path, tmp_path: Path
) -> None:
    folders = ("hemorrhage_slices", "embolism_ct", "head_ct_tilted", "chest_ct")
    images = build_index(
        [real_data / name for name in folders], tmp_path / "i.parquet", workers=1
    ).images
    ct = images.filter(pl.col("Modality") == "CT")
    assert ct.height > 150
    assert {read_unit(one).name for one in ct.iter_rows(named=True)} == {"HU"}


def test_a_frame_of_another_rescale_type_is_not_hu(tmp_path: Path) -> None:
    """Enhanced CT: the type stands in the frame's Pixel Value Transformation Sequence."""

    def item(**tags: Any) -> Dataset:
        found = Dataset()
        for name, value in tags.items():
            setattr(found, name, value)
        return found

    kinds = ("HU", "HU", "Z_EFF", "Z_EFF")
    dataset = item(
        SOPClassUID=CT + ".1", SOPInstanceUID="1.2.3", StudyInstanceUID="1.2.4",
        SeriesInstanceUID="1.2.5", Modality="CT", SamplesPerPixel=1, Rows=4, Columns=4,
        PhotometricInterpretation="MONOCHROME2", BitsAllocated=16, BitsStored=16, HighBit=15,
        PixelRepresentation=1, NumberOfFrames=4, PixelData=np.full(64, 100, np.int16).tobytes(),
        SharedFunctionalGroupsSequence=[
            item(
                PixelMeasuresSequence=[item(PixelSpacing=[1, 1], SliceThickness=2)],
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            )
        ],
        PerFrameFunctionalGroupsSequence=[
            item(
                PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 2 * (k % 2)])],
                PixelValueTransformationSequence=[
                    item(RescaleIntercept=-1000, RescaleSlope=1, RescaleType=kind)
                ],
            )
            for k, kind in enumerate(kinds)
        ],
    )  # fmt: skip
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(tmp_path / "x.dcm", enforce_file_format=True)
    rows = build_index([tmp_path / "x.dcm"], tmp_path / "i.parquet", workers=1).images
    volumes = volumes_from_rows(rows)
    assert [(volume.unit, len(volume.hu)) for volume in volumes] == [("HU", 2), ("Z_EFF", 2)]
