"""tests/archive/containers/test_contents.py: files, and members of zips and tars, give bytes or
a reason."""

import os
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from wetread.archive.containers.contents import name_to_text, open_contents, text_to_name
from wetread.archive.containers.sources import Entry, list_entries
from wetread.archive.rejects import RejectError


def test_zip_members_are_read_as_they_lie(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "Z.ZIP", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("one/x.dcm", b"first")
        packed.writestr("two", b"second" * 1000)
    entries = [item for item in list_entries([tmp_path]) if isinstance(item, Entry)]
    assert [(e.member, e.size, e.mtime_ns) for e in entries] == [
        ("one/x.dcm", 5, None),
        ("two", 6000, None),
    ]
    assert all(e.crc is not None for e in entries)
    with open_contents(str(tmp_path / "Z.ZIP"), "two") as (read_at, size):
        assert (size, read_at(6, 6), read_at(5994, 100), read_at(0, 3)) == (
            *(6000, b"second", b"second"),
            b"sec",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["Z.ZIP"]


def test_two_members_of_one_name_are_both_kept(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.writestr("x", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            packed.writestr("x", b"second")
    contents = {}
    for item in list_entries([tmp_path]):
        with open_contents(item.path, item.member) as (read_at, size):
            contents[item.member] = read_at(0, size)
    assert contents == {"x": b"first", "x#2": b"second"}


@pytest.mark.parametrize(("suffix", "mode"), [("tar", "w:"), ("tar.gz", "w:gz")])
def test_tar_members_are_read_as_they_lie(
    tmp_path: Path, suffix: str, mode: Literal["w:", "w:gz"]
) -> None:
    (tmp_path / "x").write_bytes(b"content")
    with tarfile.open(tmp_path / f"t.{suffix}", mode) as packed:
        packed.add(tmp_path / "x", "in/x")
    (tmp_path / "x").unlink()
    (entry,) = list_entries([tmp_path])
    assert isinstance(entry, Entry)
    assert entry.member == "in/x"
    with open_contents(entry.path, entry.member) as (read_at, size):
        assert read_at(0, size) == b"content"


def test_a_zip_member_with_damaged_bytes_is_an_io_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.writestr("x", b"abcdefgh")
    damaged = (tmp_path / "z.zip").read_bytes().replace(b"abcdefgh", b"abcdefgX", 1)
    (tmp_path / "z.zip").write_bytes(damaged)
    with (
        pytest.raises(RejectError, match="io_error"),
        open_contents(str(tmp_path / "z.zip"), "x") as (read_at, size),
    ):
        read_at(0, size + 1)


def test_a_name_that_is_no_utf8_can_be_tabled_and_opened_again(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/M\xfcller.dcm"
    with open(raw, "wb") as file:
        file.write(b"here")
    (entry,) = list_entries([tmp_path])
    assert isinstance(entry, Entry)
    assert entry.path.encode("utf-8")
    assert text_to_name(name_to_text(os.fsdecode(raw))) == os.fsdecode(raw)
    with open_contents(entry.path, None) as (read_at, size):
        assert read_at(0, size) == b"here"


def test_a_file_that_went_away_is_an_io_error(tmp_path: Path) -> None:
    with pytest.raises(RejectError, match="io_error"), open_contents(str(tmp_path / "gone"), None):
        pass
