"""tests/cli/test_errors.py: what the system refuses is one line with the path and what to do."""

import errno
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.files.atomic import explain_os_errors, write_whole
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.table_file import write_parquet
from wetread.cli.errors import exit_code_and_message

Wetread = Callable[..., subprocess.CompletedProcess[str]]
FULL = Path("/dev/full")


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (errno.ENOSPC, 1, "make room, then give the same command again"),
        (errno.EDQUOT, 1, "make room"),
        (errno.EROFS, 1, "give another place with -o"),
        (errno.EACCES, 1, "change its permissions"),
        (errno.EPERM, 1, "change its permissions"),
        (errno.EISDIR, 2, "a file is meant here"),
        (errno.ENOTDIR, 2, "a folder is meant there"),
        (errno.EEXIST, 2, "a folder is meant"),
        (errno.ENOENT, 2, "name one that exists"),
        (errno.ENAMETOOLONG, 1, "shorter"),
        (errno.EIO, 1, "look after it"),
        (errno.EMFILE, 1, "ulimit -n"),
    ],
    ids=lambda value: errno.errorcode.get(value) if isinstance(value, int) else None,
)
def test_what_the_system_says_is_one_line_with_path_and_advice(
    number: int, code: int, said: str
) -> None:
    told = exit_code_and_message(OSError(number, os.strerror(number), "/a/b.csv"))
    assert told is not None
    assert told[0] == code
    assert told[1].startswith(f"/a/b.csv: {os.strerror(number)}")
    assert said in told[1]


def test_a_fault_of_ours_is_not_hidden_and_a_damaged_file_is_1() -> None:
    assert exit_code_and_message(KeyError("x")) is None
    assert exit_code_and_message(RuntimeError("x")) is None
    assert exit_code_and_message(DamagedFileError("a", "b", "c")) == (1, "a: c; it should be b")
    assert exit_code_and_message(MemoryError())[0] == 1  # type: ignore[index]


def test_a_full_disk_says_what_was_needed_and_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"2\.5 MB needed") as found:
        write_whole(tmp_path / "page.html", bytes(2_500_000))
    assert found.value.filename == str(tmp_path / "page.html")
    assert found.value.strerror is not None
    assert found.value.strerror.endswith(" free")
    assert list(tmp_path.iterdir()) == []  # nothing half written stays
    again = pickle.loads(pickle.dumps(found.value))  # as it comes from a worker
    assert exit_code_and_message(again) == exit_code_and_message(found.value)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_short_write_of_numpy_and_of_the_table_writer_is_a_full_disk(tmp_path: Path) -> None:
    def short() -> None:
        with explain_os_errors(tmp_path / "a.npy"), FULL.open("wb") as file:
            np.save(file, np.zeros(100_000))

    with pytest.raises(OSError, match="No space left") as found:
        short()
    assert found.value.filename == str(tmp_path / "a.npy")
    (tmp_path / "t.parquet").symlink_to(FULL)
    with pytest.raises(OSError, match="No space left"):
        write_parquet(pl.DataFrame({"v": range(100_000)}), tmp_path / "t.parquet")


def test_an_output_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "a.csv", tmp_path / "file" / "b" / "a.csv"):
        with pytest.raises((NotADirectoryError, FileExistsError)):
            write_whole(path, b"x")


def limited(words: list[object], most: int) -> subprocess.CompletedProcess[str]:
    """wetread in a process whose files may not be larger: a disk that is full, without root."""
    return subprocess.run(
        [sys.executable, "-m", "wetread", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )


def test_pack_onto_a_full_disk_is_one_line_and_afterwards_the_same_command_ends_right(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    index, out = tmp_path / "i.parquet", tmp_path / "store"
    here("index", archive, "-o", index, "--workers", 1)
    words = ["pack", index, "-o", out, "--workers", 1]
    full = limited(words, 4096)
    assert (full.returncode, full.stdout) == (1, "")
    assert full.stderr.count("\n") == 1, full.stderr
    assert full.stderr.startswith(f"wetread: {out}")
    assert "give the same command again" in full.stderr
    done, other = here(*words), tmp_path / "other"
    assert (done.returncode, done.stderr) == (0, "")
    here("pack", index, "-o", other, "--workers", 1)
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(other) for p in other.rglob("*") if p.is_file())
    assert all((out / name).read_bytes() == (other / name).read_bytes() for name in files)


def test_a_stdout_that_takes_nothing_is_one_line(archive: Path, tmp_path: Path) -> None:
    if not FULL.exists():
        pytest.skip("no /dev/full here")
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "wetread", "windows"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_index_onto_a_full_disk_is_one_line_and_afterwards_ends_right(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    words = ["index", archive, "-o", tmp_path / "i[1].parquet", "--workers", 1]
    full = limited(words, 3000)
    assert (full.returncode, full.stdout, full.stderr.count("\n")) == (1, "", 1), full.stderr
    assert full.stderr.startswith(f"wetread: {tmp_path / 'i[1].'}")
    done = here(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("10 files = 10 images")
    left = [path.name for path in tmp_path.iterdir() if path.name != "archive"]
    assert sorted(left) == ["i[1].duplicates.parquet", "i[1].parquet", "i[1].rejects.parquet"]
