"""tests/archive/files/test_digests.py: files of a folder are what they were when their digests were
written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.digests import check_digests, file_digest, write_digests


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "one.bin").write_bytes(b"one")
    (tmp_path / "inner" / "two.txt").write_bytes(b"two")
    write_digests(tmp_path, ["one.bin", "inner/two.txt"])
    return tmp_path


def test_digests_are_those_of_sha256(folder: Path) -> None:
    listed = json.loads((folder / "digests.json").read_text())["files"]
    assert list(listed) == ["inner/two.txt", "one.bin"]
    assert (
        listed["one.bin"] == hashlib.sha256(b"one").hexdigest() == file_digest(folder / "one.bin")
    )


def test_files_as_they_were_give_one_digest_of_all(folder: Path) -> None:
    first = check_digests(folder, "a test")
    assert first == check_digests(folder, "a test")
    (folder / "one.bin").write_bytes(b"another")
    write_digests(folder, ["one.bin", "inner/two.txt"])
    assert check_digests(folder, "a test") != first


@pytest.mark.parametrize("name", ["one.bin", "inner/two.txt", "digests.json"])
def test_a_changed_or_lost_file_is_named(folder: Path, name: str) -> None:
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b"o", b"0", 1) if b"o" in content else content[:-1])
    with pytest.raises(DamagedFileError, match=r"it should be a test") as error:
        check_digests(folder, "a test")
    assert error.value.path == path
    path.unlink()
    with pytest.raises((DamagedFileError, FileNotFoundError)):
        check_digests(folder, "a test")


@pytest.mark.parametrize("name", ["../outside.bin", "/etc/hosts"])
def test_a_list_that_leads_out_of_the_folder_is_refused(folder: Path, name: str) -> None:
    (folder.parent / "outside.bin").write_bytes(b"")
    write_digests(folder, [name])
    with pytest.raises(DamagedFileError, match="a path out of the folder"):
        check_digests(folder, "a test")
