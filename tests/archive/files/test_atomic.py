"""tests/archive/files/test_atomic.py: a file that is there is whole; killed commands leave
nothing."""

import os
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from wetread.archive.files.atomic import PART_SUFFIX, atomic_path, write_output, write_whole


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
