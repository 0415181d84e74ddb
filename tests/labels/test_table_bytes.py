"""tests/labels/test_table_bytes.py: a zip of one table is read as the table."""

import zipfile
from pathlib import Path

import pytest

from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table


def zipped(path: Path, **members: str) -> Path:
    """Write a zip of members by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)
    return path


def test_a_zip_of_one_table_is_read_and_of_several_named(tmp_path: Path) -> None:
    one = zipped(tmp_path / "one.csv.zip", labels__csv="id;v\n1;0,5\n")
    assert read_text_table(one).frame.rows() == [("1", "0,5")]
    with zipfile.ZipFile(one, "a") as archive:
        archive.writestr("__MACOSX/._labels.csv", "x")
    assert read_text_table(one).frame.rows() == [("1", "0,5")]
    two = zipped(tmp_path / "two.zip", a__csv="id\n1\n", b__csv="id\n2\n")
    with pytest.raises(LabelError, match="a zip of 2 files"):
        read_text_table(two)


def test_a_cut_zip_is_refused_in_one_line(tmp_path: Path) -> None:
    path = zipped(tmp_path / "one.zip", labels__csv="id,v\n" + "1,0\n" * 999)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(LabelError) as refused:
        read_text_table(path)
    assert len(str(refused.value).splitlines()) == 1
