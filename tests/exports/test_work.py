"""tests/exports/test_work.py: a job's slices become pictures; what is lost is named."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from wetread.archive.executor.isolated_process import LostItem
from wetread.exports.folder import open_export_folder
from wetread.exports.formats import ExportOptions
from wetread.exports.work import (
    ExportJob,
    StackReader,
    export_slices,
    finite_or_none,
    resized_spacing,
    window_text,
)
from wetread.study.boxes import PixelBox
from wetread.study.display import Presentation
from wetread.view.window import find_window

MakeRows = Callable[..., pl.DataFrame]


def test_a_job_without_lost_rows_keeps_its_exported_ones_in_place(make_rows: MakeRows) -> None:
    job = ExportJob(make_rows(6), first=2, count=3, box=None, key="k")
    left = job.without_rows({0: LostItem("timeout", "slow"), 3: LostItem("too_big", "large")})
    assert list(job.exported) == [2, 3, 4]
    assert (left.first, left.count, left.rows.height) == (1, 2, 4)
    uids = left.rows["SOPInstanceUID"].to_list()
    assert [uids[number] for number in left.exported] == ["1.9.2", "1.9.4"]
    assert [reject["reason"] for reject in left.lost] == ["timeout", "too_big"]


def test_a_neighbor_beyond_the_end_or_unreadable_is_the_slice_itself(make_rows: MakeRows) -> None:
    rows = make_rows(3)
    Path(rows["path"][1]).write_bytes(b"")
    reader = StackReader(rows, 1)
    shown = [row["SOPInstanceUID"] for row, _ in reader.with_neighbors(0, (-1, 0, 1))]
    assert shown == ["1.9.0", "1.9.0", "1.9.0"]
    shown = [row["SOPInstanceUID"] for row, _ in reader.with_neighbors(2, (-2, 0))]
    assert shown == ["1.9.0", "1.9.2"]


def test_a_picture_has_the_grays_of_its_window_and_a_row_that_says_so(
    make_rows: MakeRows, tmp_path: Path
) -> None:
    folder = open_export_folder(tmp_path / "out", ExportOptions(format="png", window="40/80"))
    job = ExportJob(make_rows(2), first=1, count=1, box=None, key="k")
    export_slices(job, folder)
    picture = cv2.imread(str(tmp_path / "out/1.7/1.8/1.9.1.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert np.unique(picture[:, :3]).tolist() == [round(255 / 80)]  # HU 1 of 0 to 80
    assert np.unique(picture[:, 3:]).tolist() == [128]
    folder.write_tables(["k"], [])
    row = pl.read_csv(tmp_path / "out/manifest.csv").row(0, named=True)
    assert (row["window"], row["min"], row["max"]) == ("40/80/linear_exact", 1, 40)
    assert (row["rows"], row["columns"], row["row_spacing_mm"]) == (4, 6, 0.5)


def test_windows_are_written_as_center_width_and_curve() -> None:
    options = ExportOptions(format="png", window="bsb")
    assert window_text(options, Presentation(None)).split()[0] == "40/80/linear_exact"
    assert find_window("40/80").width_hu == 80


def test_a_square_has_the_spacing_of_the_longer_side() -> None:
    assert resized_spacing((0.5, 0.4), None, (100, 50), 25) == pytest.approx((2.0, 1.6))
    assert resized_spacing((0.5, 0.4), PixelBox(0, 10, 0, 20), (100, 50), 20) == (0.5, 0.4)
    assert resized_spacing((0.5, 0.4), None, (100, 50), None) == (0.5, 0.4)
    assert resized_spacing(None, None, (100, 50), 25) is None


def test_a_number_that_is_none_is_none() -> None:
    assert finite_or_none(2.5) == 2.5
    assert finite_or_none(np.nan) is None
    assert finite_or_none(np.inf) is None
