"""tests/cli/test_show_text.py: `wetread show` for its users: exit codes, JSON, 80 columns."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pydicom
import pytest
from pydicom.data import get_charset_files, get_testdata_file

from wetread.cli.show_text import header_text
from wetread.outputs.header_text import HeaderLine, header_lines

Wetread = Callable[..., subprocess.CompletedProcess[str]]
COLUMNS = 80


def small_ct() -> Path:
    return Path(str(get_testdata_file("CT_small.dcm", download=False)))


def broken(folder: Path) -> Path:
    path = folder / "broken.dcm"
    path.write_bytes(small_ct().read_bytes()[:900])
    return path


def wide(text: str) -> list[str]:
    """Lines wider than the terminal, but for those of a path."""
    return [line for line in text.splitlines() if len(line) > COLUMNS and "/" not in line]


def test_a_file_is_read_0_refused_3_and_missing_2(
    wetread: Wetread, here: Wetread, tmp_path: Path
) -> None:
    done = wetread("show", small_ct(), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["state"] == "read"
    done = here("show", broken(tmp_path), "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["reason"] == "truncated_header"
    done = here("show", tmp_path / "none.dcm")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_header_reads_as_tag_vr_keyword_and_value(here: Wetread) -> None:
    done = here("show", small_ct())
    assert done.returncode == 0
    assert wide(done.stdout) == []
    assert "(0008,0060) CS Modality                   CT" in done.stdout.splitlines()
    dataset = pydicom.dcmread(small_ct())
    name = str(dataset.PatientName)
    assert f"PatientName                present, {len(name)} characters" in done.stdout
    assert name not in done.stdout
    assert "\033" not in done.stdout
    assert name in here("show", small_ct(), "--identifiers").stdout


def test_a_broken_file_says_what_is_wrong_and_what_stands_before_it(
    here: Wetread, tmp_path: Path
) -> None:
    done = here("show", broken(tmp_path))
    assert done.returncode == 3
    assert wide(done.stdout) == []
    assert "(0008,0060) CS Modality                   CT" in done.stdout
    assert "damaged   truncated_header" in done.stdout
    assert "reject    truncated_header: the file ends inside its header" in done.stdout


def test_a_folder_is_0_or_3_and_reads_in_80_columns(here: Wetread, archive: Path) -> None:
    done = here("show", archive)
    assert done.returncode == 0
    assert wide(done.stdout) == []
    assert done.stdout.splitlines()[1].startswith("10 files = 10 images")
    assert "study " in done.stdout
    first = min(archive.iterdir())
    first.write_bytes(first.read_bytes()[:-100])
    done = here("show", archive)
    assert done.returncode == 3
    assert "1 rejected, truncated_pixels" in done.stdout
    assert here("show", archive, "--picture", archive / "x.png").returncode == 2


def test_a_picture_is_written_and_named(here: Wetread, tmp_path: Path) -> None:
    done = here("show", small_ct(), "--picture", tmp_path / "out.png")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"picture   {tmp_path / 'out.png'}"
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_an_index_comes_with_a_flat_table(here: Wetread, archive: Path, tmp_path: Path) -> None:
    done = here("index", archive, "-o", tmp_path / "i.parquet", "--format", "csv")
    assert done.returncode == 0
    table = pl.read_csv(tmp_path / "i.csv")
    assert table.height == pl.read_parquet(tmp_path / "i.parquet").height == 10
    assert table.columns[0] == "file_path"
    assert here("index", archive, "-o", tmp_path / "i.parquet", "--format", "x").returncode == 2


def line(depth: int, tag: str, value: str = "", form: str = "value") -> HeaderLine:
    vr = "" if tag.startswith("item") else "LO"
    return HeaderLine(depth, tag, vr, "Keyword" if vr else "", value, form)


def told(lines: list[HeaderLine], extent: str = "short") -> list[str]:
    return [text.plain for text in header_text(lines, COLUMNS, extent)]


def test_a_long_sequence_is_cut_after_three_items_and_counted() -> None:
    lines = [line(0, "(0008,1140)", form="items")]
    for number in range(1, 8):
        lines += [line(1, f"item {number}", form="items"), line(1, "(0008,1150)", f"v{number}")]
    lines.append(line(0, "(0010,0040)", "F"))
    short = told(lines)
    assert [text for text in short if "v4" in text] == []
    assert short[-2].strip() == "... and 4 more items"
    assert short[-1].endswith("F")
    assert len(told(lines, "full")) == len(lines)


def test_a_uid_stands_whole_and_a_long_value_is_cut_and_counted() -> None:
    uid = "1." * 31 + "12"
    assert told([line(0, "(0008,0018)", uid)])[1].strip() == uid
    lines = told([line(0, "(0018,1210)", "x" * 300)])
    assert max(map(len, lines)) <= COLUMNS
    assert lines[-1].endswith("... (300 characters)")
    whole = told([line(0, "(0018,1210)", "x" * 300)], "full")
    assert "".join(text.strip() for text in whole[1:]) == "x" * 300


def test_what_a_terminal_would_obey_is_not_printed(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(small_ct())
    dataset.Manufacturer = "A\033[2JB"
    dataset.save_as(tmp_path / "e.dcm")
    found = {one.keyword: one for one in header_lines(str(tmp_path / "e.dcm"))}
    assert found["Manufacturer"].form == "withheld"
    found = {o.keyword: o for o in header_lines(str(tmp_path / "e.dcm"), identifiers="show")}
    assert found["Manufacturer"].value == r"A\x1b[2JB"


@pytest.mark.parametrize("name", ["chrH32.dcm", "chrX1.dcm", "chrRuss.dcm", "chrFren.dcm"])
def test_a_name_in_another_script_is_read_as_pydicom_reads_it(name: str) -> None:
    (path,) = get_charset_files(name)
    dataset = pydicom.dcmread(str(path))
    found = {one.keyword: one for one in header_lines(str(path), identifiers="show")}
    assert found["PatientName"].value.rstrip("=") == str(dataset.PatientName)
