"""tests/archive/test_sources.py: folders, zips and tars are listed whole, once, and nothing that is
no file is opened."""

import os
import socket
import tarfile
import zipfile
from pathlib import Path

import pytest

from wetread.archive.rejects import RejectError
from wetread.archive.sources import Entry, Reject, as_name, as_text, list_entries, opened


def names(top: Path) -> dict[str, str]:
    """Where (name or name:member) to "file" or the reason."""
    found = {}
    for item in list_entries([top]):
        where = os.path.relpath(item.path, top) + (f":{item.member}" if item.member else "")
        found[where] = "file" if isinstance(item, Entry) else item.reason
    return found


def test_every_file_of_a_tree_is_listed_under_any_name(tmp_path: Path) -> None:
    for name in ("a/IM0001", "a/b/x.dcm", "a/b/.hidden", "a/b/with space.txt", "ä/ö.dcm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    expected = {"a/IM0001", "a/b/x.dcm", "a/b/.hidden", "a/b/with space.txt", "ä/ö.dcm"}
    assert names(tmp_path) == dict.fromkeys(expected, "file")


def test_a_file_below_two_sources_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1")
    sources = [tmp_path, tmp_path / "a", tmp_path / "a" / "x", tmp_path]
    assert len(list(list_entries(sources))) == 1


def test_a_source_that_is_not_there_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list(list_entries([tmp_path / "nowhere"]))


@pytest.mark.timeout(20)
def test_links_fifos_and_sockets_are_rejects_and_never_opened(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "real").write_bytes(b"1")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "gone").symlink_to(tmp_path / "not-there")
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "a" / "file-link").symlink_to(tmp_path / "a" / "real")
    os.mkfifo(tmp_path / "a" / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "a" / "socket"))
        assert names(tmp_path) == {
            "a/real": "file",
            "a/file-link": "file",
            "a/up": "link_loop",
            "a/gone": "dangling_link",
            "a/self": "link_loop",
            "a/fifo": "not_file",
            "a/socket": "not_file",
        }


def test_a_linked_folder_outside_the_sources_is_read(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "x").write_bytes(b"1")
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "link").symlink_to(tmp_path / "store")
    assert names(tmp_path / "top") == {"link/x": "file"}


def test_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    for own, other in (("a", "b"), ("b", "a")):
        (tmp_path / own).mkdir()
        (tmp_path / own / f"{own}.dcm").write_bytes(b"1")
        (tmp_path / own / "other").symlink_to(tmp_path / other)
    found = names(tmp_path)
    assert sorted(name for name, kind in found.items() if kind == "file") == ["a/a.dcm", "b/b.dcm"]
    assert sorted(found.values()) == ["file", "file", "link_loop", "link_loop"]


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
    with opened(str(tmp_path / "Z.ZIP"), "two") as (read_at, size):
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
        with opened(item.path, item.member) as (read_at, size):
            contents[item.member] = read_at(0, size)
    assert contents == {"x": b"first", "x#2": b"second"}


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_tar_members_are_read_as_they_lie(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "x").write_bytes(b"content")
    with tarfile.open(tmp_path / f"t.{suffix}", f"w:{suffix[4:]}") as packed:
        packed.add(tmp_path / "x", "in/x")
    (tmp_path / "x").unlink()
    (entry,) = list_entries([tmp_path])
    assert isinstance(entry, Entry)
    assert entry.member == "in/x"
    with opened(entry.path, entry.member) as (read_at, size):
        assert read_at(0, size) == b"content"


def test_a_damaged_zip_is_one_reject(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.writestr("x", b"first" * 100)
    whole = (tmp_path / "z.zip").read_bytes()
    (tmp_path / "z.zip").write_bytes(whole[:-30])
    (tmp_path / "t.tar").write_bytes(b"no tar")
    assert names(tmp_path) == {"z.zip": "io_error", "t.tar": "io_error"}


def test_a_zip_member_with_damaged_bytes_is_an_io_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.writestr("x", b"abcdefgh")
    damaged = (tmp_path / "z.zip").read_bytes().replace(b"abcdefgh", b"abcdefgX", 1)
    (tmp_path / "z.zip").write_bytes(damaged)
    with (
        pytest.raises(RejectError, match="io_error"),
        opened(str(tmp_path / "z.zip"), "x") as (read_at, size),
    ):
        read_at(0, size + 1)


def test_a_name_that_is_no_utf8_can_be_tabled_and_opened_again(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/M\xfcller.dcm"
    with open(raw, "wb") as file:
        file.write(b"here")
    (entry,) = list_entries([tmp_path])
    assert isinstance(entry, Entry)
    assert entry.path.encode("utf-8")
    assert as_name(as_text(os.fsdecode(raw))) == os.fsdecode(raw)
    with opened(entry.path, None) as (read_at, size):
        assert read_at(0, size) == b"here"


def test_a_file_that_went_away_is_an_io_error(tmp_path: Path) -> None:
    with pytest.raises(RejectError, match="io_error"), opened(str(tmp_path / "gone"), None):
        pass


def test_paths_left_out_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "own").write_bytes(b"1")
    found = list(list_entries([tmp_path], frozenset({str(tmp_path / "own")})))
    assert [item.path for item in found] == [str(tmp_path / "x")]
    assert not any(isinstance(item, Reject) for item in found)
