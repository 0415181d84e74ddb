"""tests/exports/test_stacks.py: a stack becomes one film on one scale, or one array."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.dataset.luts import VoiWindow
from wetread.exports.folder import open_export_folder
from wetread.exports.formats import ExportOptions
from wetread.exports.stacks import evenly_spaced, export_array, export_film, shared_presentation
from wetread.exports.work import ExportJob
from wetread.study.boxes import PixelBox

MakeRows = Callable[..., pl.DataFrame]


@pytest.mark.parametrize(
    ("count", "most", "numbers"),
    [(5, None, [0, 1, 2, 3, 4]), (5, 9, [0, 1, 2, 3, 4]), (9, 3, [0, 4, 8]), (10, 1, [0])],
)
def test_frames_are_spread_evenly_with_both_ends(
    count: int, most: int | None, numbers: list[int]
) -> None:
    assert evenly_spaced(count, most) == numbers


def test_the_scale_is_the_window_that_most_headers_name(make_rows: MakeRows) -> None:
    rows = make_rows(3).to_dicts()
    rows[2] |= {"WindowCenter": [500.0], "WindowWidth": [1000.0]}
    voi = shared_presentation(rows).voi
    assert isinstance(voi, VoiWindow)
    assert (voi.center, voi.width) == (40, 80)


def test_without_a_window_the_scale_is_the_range_of_all_values(make_rows: MakeRows) -> None:
    rows = make_rows(3, WindowCenter=None, WindowWidth=None).to_dicts()
    scale = shared_presentation(rows)
    assert isinstance(scale.voi, VoiWindow)
    assert scale.because
    low, high = scale.voi.center - scale.voi.width / 2, scale.voi.center + scale.voi.width / 2
    assert low == pytest.approx(0, abs=1)
    assert high == pytest.approx(40, abs=1)


def test_a_film_names_the_slices_that_its_frames_show(make_rows: MakeRows, tmp_path: Path) -> None:
    imaging = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    rows = make_rows(5)
    folder = open_export_folder(tmp_path / "out", ExportOptions(format="gif", frames=3))
    export_film(ExportJob(rows, 0, rows.height, None, "k"), folder)
    with imaging.open(tmp_path / "out/1.7/1.8.gif") as film:
        assert film.n_frames == 3
    folder.write_tables(["k"], [])
    slices = pl.read_csv(tmp_path / "out/slices.csv", infer_schema=False)
    assert slices["SOPInstanceUID"].to_list() == ["1.9.0", "1.9.2", "1.9.4"]
    row = pl.read_csv(tmp_path / "out/manifest.csv").row(0, named=True)
    assert row["window"] == "40/80/linear of the file, one for all frames"


def test_an_array_is_cropped_at_its_place(make_rows: MakeRows, tmp_path: Path) -> None:
    rows = make_rows(3)
    folder = open_export_folder(tmp_path / "out", ExportOptions(format="npz"))
    export_array(ExportJob(rows, 0, rows.height, PixelBox(1, 3, 2, 6), "k"), folder)
    read = np.load(tmp_path / "out/1.7/1.8.npz")
    assert read["values"].shape == (3, 2, 4)
    assert read["values"][:, 0, 0].tolist() == [0, 1, 2]
    assert read["affine"] @ [0, 0, 0, 1] == pytest.approx([2 * 0.4, 1 * 0.5, 0, 1])


def test_a_slice_that_cannot_be_read_is_refused_by_name(
    make_rows: MakeRows, tmp_path: Path
) -> None:
    rows = make_rows(3)
    Path(rows["path"][1]).write_bytes(b"")
    folder = open_export_folder(tmp_path / "out", ExportOptions(format="npy"))
    export_array(ExportJob(rows, 0, rows.height, None, "k"), folder)
    _, _, refused = folder.write_tables(["k"], [])
    assert refused >= 1
    rejects = pl.read_csv(tmp_path / "out/rejects.csv", infer_schema=False)
    assert rows["path"][1] in rejects["path"].to_list()
