"""tests/cli/test_archive.py: the commands index, show and pack: their output and exit codes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl

Wetread = Callable[..., subprocess.CompletedProcess[str]]


def test_an_index_does_not_stand_among_files(here: Wetread, archive: Path, tmp_path: Path) -> None:
    index = tmp_path / "i.parquet"
    assert here("index", archive, "-o", index).returncode == 0
    done = here("scroll", index, archive, "-o", tmp_path / "page.html")
    assert done.returncode == 2
    assert "i.parquet: an index stands alone" in done.stderr


def test_an_index_called_csv_is_csv(here: Wetread, archive: Path, tmp_path: Path) -> None:
    done = here("index", archive, "-o", tmp_path / "z.csv")
    assert done.returncode == 0
    table = pl.read_csv(tmp_path / "z.csv", infer_schema=False)
    assert table.height == 10
    assert set(table["file_path"]) == {str(path) for path in archive.iterdir()}
    assert pl.read_parquet(tmp_path / "z.parquet").height == 10
    flat = "".join(done.stdout.split())
    assert f"index:{tmp_path}/z.parquet" in flat
    assert f"table:{tmp_path}/z.csv" in flat


def test_an_index_of_another_ending_is_refused_before_anything_is_read(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    done = here("index", archive, "-o", tmp_path / "z.json")
    assert done.returncode == 2
    assert "ends with .parquet, or with .csv" in done.stderr
    assert sorted(tmp_path.iterdir()) == [archive]


def test_one_file_is_one_file(here: Wetread, archive: Path, tmp_path: Path) -> None:
    for path in sorted(archive.iterdir())[1:]:
        path.unlink()
    told = here("index", archive, "-o", tmp_path / "one.parquet").stdout
    assert "1 file = 1 image + 0 other objects + 0 duplicates + 0 rejects" in told
    assert "1 patient, 1 study, 1 series" in told
    told = here("show", tmp_path / "one.parquet").stdout
    assert "1 file = 1 image" in told
    assert "1 patient, 1 study, 1 series" in told
    (archive / "text.txt").write_text("no image\n" * 100)
    assert "2 files = 1 image + 0 other objects + 0 duplicates + 1 reject" in (
        here("index", archive, "-o", tmp_path / "two.parquet").stdout
    )
    told = here("pack", tmp_path / "one.parquet", "-o", tmp_path / "store", "--workers", 1).stdout
    assert told.startswith("1 slice, 0 rejects")
