"""tests/outputs/test_data_frame.py: the flat table against the headers as pydicom reads them."""

from pathlib import Path

import polars as pl
import pydicom
import pytest
from polars.testing import assert_frame_equal
from pydicom.data import get_testdata_file

from wetread.archive.index.index import build_index
from wetread.outputs.data_frame import data_frame, table_paths, write_data_frame

FILES = ("CT_small.dcm", "MR_small.dcm", "SC_rgb_small_odd.dcm", "JPEG2000.dcm", "test-SR.dcm")


@pytest.fixture
def instances(tmp_path: Path) -> pl.DataFrame:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in FILES:
        dataset = pydicom.dcmread(str(get_testdata_file(name, download=False)))
        if name == "MR_small.dcm":
            dataset.PixelSpacing, dataset.PatientAge = [0.5, 0.25], "018M"
        dataset.save_as(folder / name)
    return build_index([folder], tmp_path / "i.parquet", workers=1).instances


def test_columns_hold_what_the_headers_hold(instances: pl.DataFrame) -> None:
    table = data_frame(instances)
    assert table.height == len(FILES)
    for row in table.iter_rows(named=True):
        dataset = pydicom.dcmread(row["file_path"])
        assert row["storage_type"] == dataset.SOPClassUID.name
        assert row["SOPClassUID"] == dataset.SOPClassUID
        assert (row["modality"], row["patient_id"]) == (dataset.Modality, dataset.PatientID or None)
        assert (row["image_height"], row["image_width"]) == (
            dataset.get("Rows"),
            dataset.get("Columns"),
        )
        size = dataset.pixel_array.nbytes if "PixelData" in dataset else None
        assert row["image_size"] == size


def test_x_is_between_columns_and_the_age_is_a_number(instances: pl.DataFrame) -> None:
    table = data_frame(instances).filter(pl.col("file_path").str.ends_with("MR_small.dcm"))
    row = table.row(0, named=True)
    assert (row["pixel_spacing_x"], row["pixel_spacing_y"]) == (0.25, 0.5)
    assert row["patient_age"] == 1.5


def test_csv_and_parquet_hold_the_same(instances: pl.DataFrame, tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet"):
        write_data_frame(instances, tmp_path / name)
    table = pl.read_parquet(tmp_path / "t.parquet")
    back = pl.read_csv(tmp_path / "t.csv", schema=table.schema)
    assert_frame_equal(back, table, check_exact=True)
    assert "path" not in table.columns
    assert table["file_path"].n_unique() == len(FILES)


def test_the_table_lies_beside_the_index() -> None:
    assert table_paths(Path("a/i.parquet"), "csv") == (Path("a/i.parquet"), Path("a/i.csv"))
    assert table_paths(Path("a/i.csv"), "csv") == (Path("a/i.parquet"), Path("a/i.csv"))
    index, frame = table_paths(Path("i.parquet"), "parquet")
    assert frame is not None
    assert (index.name, frame.name) == ("i.parquet", "i.frame.parquet")
    with pytest.raises(ValueError, match="csv, parquet"):
        table_paths(Path("i.parquet"), "pickle")


def test_a_name_that_ends_with_csv_asks_for_the_table_and_another_ending_is_refused() -> None:
    assert table_paths(Path("a/z.csv"), None) == (Path("a/z.parquet"), Path("a/z.csv"))
    assert table_paths(Path("Z.CSV"), None) == (Path("Z.parquet"), Path("Z.CSV"))
    assert table_paths(Path("z.parquet"), None) == (Path("z.parquet"), None)
    for name in ("z", "z.json", "z.csv.gz", "folder/"):
        with pytest.raises(ValueError, match=r"ends with \.parquet, or with \.csv"):
            table_paths(Path(name), None)
