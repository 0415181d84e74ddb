"""tests/archive/files/test_atomic.py: a file that is there is whole; killed commands leave
nothing."""

import os
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from wetread.archive.files.atomic import (
    PART_SUFFIX,
    atomic_path,
    create_whole,
    move_whole,
    observe_writes,
    write_output,
    write_whole,
)


def unfinished(path: Path) -> Path:
    """Leave a part of path as a command does that was killed while it wrote it."""
    part = path.with_name(f".{path.name}.{uuid4().hex}{PART_SUFFIX}")
    part.write_bytes(b"half")
    return part


def test_a_whole_output_clears_what_a_killed_command_left_of_it_and_nothing_else(
    tmp_path: Path,
) -> None:
    page, other = tmp_path / "page [1].html", tmp_path / "other.html"
    mine, others = unfinished(page), unfinished(other)
    foreign = tmp_path / f".{page.name}.notes{PART_SUFFIX}"
    foreign.write_text("somebody's")
    write_output(page, b"whole")
    assert page.read_bytes() == b"whole"
    assert not mine.exists()
    assert others.exists()
    assert foreign.read_text() == "somebody's"


def test_a_part_that_another_command_cleared_is_an_error_of_one_line(tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    def write_slowly() -> None:
        with atomic_path(page) as part:
            part.write_bytes(b"slow")
            write_output(page, b"quick")

    with pytest.raises(FileExistsError, match="another command wrote it at the same time"):
        write_slowly()
    assert page.read_bytes() == b"quick"
    assert list(tmp_path.iterdir()) == [page]


def test_a_writer_that_fails_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    write_whole(table, b"old")

    def fail() -> None:
        with atomic_path(table) as part:
            part.write_bytes(b"new")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert table.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [table]


@pytest.mark.parametrize("linked", [False, True])
def test_a_device_or_a_pipe_is_not_renamed_away(tmp_path: Path, linked: bool) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    out = link if linked else pipe
    with pytest.raises(FileExistsError, match="a device or a pipe, and a file is meant"):
        write_output(out, b"page")
    assert stat.S_ISFIFO(out.stat().st_mode)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "pipe"]


def test_a_file_is_synced_before_it_is_renamed_unless_the_next_run_checks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order that keeps it whole: bytes on the disk first, then the name."""
    page, calls = tmp_path / "page", list[str]()
    sync, replace = os.fsync, Path.replace

    def watched_sync(handle: int) -> None:
        calls.append(f"sync {os.fstat(handle).st_size}")
        sync(handle)

    def watched_replace(part: Path, path: Path) -> Path:
        calls.append("rename")
        return replace(part, path)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    write_whole(page, b"12345")
    assert calls == ["sync 5", "rename"]
    calls.clear()
    write_whole(page, b"123", durable=False)
    assert calls == ["rename"]
    assert page.read_bytes() == b"123"


def test_the_first_of_two_new_files_stands_with_its_permissions(tmp_path: Path) -> None:
    key = tmp_path / "key"
    create_whole(key, b"first", 0o600)
    create_whole(key, b"second", 0o644)
    assert key.read_bytes() == b"first"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [key]


def test_two_writers_of_one_file_never_write_under_one_name(tmp_path: Path) -> None:
    page = tmp_path / "page"
    with atomic_path(page) as one, atomic_path(page) as other:
        one.write_bytes(b"one")
        other.write_bytes(b"other")
        assert one != other
    assert page.read_bytes() == b"one"  # whoever ends last
    assert list(tmp_path.iterdir()) == [page]


def test_observers_hear_of_a_file_before_it_is_there(tmp_path: Path) -> None:
    heard: list[tuple[str, bool]] = []
    (tmp_path / "made").write_bytes(b"x")
    with observe_writes(lambda path: heard.append((path.name, path.exists()))):
        write_whole(tmp_path / "page", b"x")
        move_whole(tmp_path / "made", tmp_path / "moved")
    write_whole(tmp_path / "later", b"x")
    assert heard == [("page", False), ("moved", False)]


def test_a_write_that_fails_leaves_the_old_file_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_whole(path, b"old")

    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [part.name for part in tmp_path.iterdir()] == ["f"]
