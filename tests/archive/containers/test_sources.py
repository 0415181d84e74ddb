"""tests/archive/containers/test_sources.py: folders, zips and tars are listed whole, once, and
nothing that is
no file is opened."""

import os
import socket
import zipfile
from pathlib import Path

import pytest

from wetread.archive.containers.sources import Entry, list_entries
from wetread.archive.rejects import Reject


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


def test_a_damaged_zip_is_one_reject(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.writestr("x", b"first" * 100)
    whole = (tmp_path / "z.zip").read_bytes()
    (tmp_path / "z.zip").write_bytes(whole[:-30])
    (tmp_path / "t.tar").write_bytes(b"no tar")
    assert names(tmp_path) == {"z.zip": "io_error", "t.tar": "io_error"}


def test_paths_left_out_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "own").write_bytes(b"1")
    found = list(list_entries([tmp_path], frozenset({str(tmp_path / "own")})))
    assert [item.path for item in found] == [str(tmp_path / "x")]
    assert not any(isinstance(item, Reject) for item in found)
