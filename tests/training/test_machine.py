"""tests/training/test_machine.py: on what and when a run was trained; never on whose machine."""

import getpass
import hashlib
import json
import os
import platform
import shutil
import socket
from pathlib import Path

import pytest
import torch

import wetread
from wetread.archive.files.damaged import DamagedFileError
from wetread.training import machine
from wetread.training.machine import (
    FILE,
    processor_name,
    read_sessions,
    recorded_session,
    recorded_split,
    source_digest,
)
from wetread.training.recipe_file import read_recipe

RECIPE = read_recipe("compact", ["runtime.device=cpu", "runtime.precision=float32"])


def test_a_session_says_what_numbers_depend_on_and_how_long_each_split_took(tmp_path: Path) -> None:
    with recorded_session(tmp_path, RECIPE), recorded_split(tmp_path, "model-0"):
        (running,) = read_sessions(tmp_path)
        assert (running["ended"], running["finished"]) == (None, False)
    (session,) = read_sessions(tmp_path)
    assert session["packages"]["torch"] == torch.__version__
    assert session["python"] == platform.python_version()
    assert (session["device"], session["precision"]) == ("cpu", "float32")
    assert session["finished"]
    assert 0 <= session["splits"]["model-0"]["seconds"] <= session["seconds"]
    assert session["began"] <= session["ended"]


def test_no_host_user_or_home_is_in_it(tmp_path: Path) -> None:
    with recorded_session(tmp_path, RECIPE):
        pass
    text = (tmp_path / FILE).read_text()
    for name in (socket.gethostname(), getpass.getuser(), str(Path.home()), str(tmp_path)):
        assert name not in text


def test_a_session_more_is_added_and_one_that_failed_or_was_killed_is_not_finished(
    tmp_path: Path,
) -> None:
    with pytest.raises(KeyboardInterrupt), recorded_session(tmp_path, RECIPE):
        raise KeyboardInterrupt
    (first,) = read_sessions(tmp_path)
    assert first["ended"] is not None
    assert not first["finished"]
    with recorded_session(tmp_path, RECIPE):
        sessions = read_sessions(tmp_path)
        assert [one["ended"] is None for one in sessions] == [False, True]  # as killed here
    assert sessions[0] == first
    assert "id" not in sessions[1]


def test_a_damaged_file_is_named_and_a_training_writes_it_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"sessions": [{"beg')
    with pytest.raises(DamagedFileError, match=FILE):
        read_sessions(tmp_path)
    with recorded_session(tmp_path, RECIPE):
        pass
    assert len(read_sessions(tmp_path)) == 1
    (tmp_path / FILE).write_text(json.dumps({"sessions": [3]}))
    with pytest.raises(DamagedFileError, match="another form"):
        read_sessions(tmp_path)


def test_a_split_without_a_session_is_not_noted(tmp_path: Path) -> None:
    with recorded_split(tmp_path, "model-0"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_digest_is_of_names_and_contents_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(wetread.__file__).parent
    copy = tmp_path / "wetread"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(machine, "files", lambda name: copy)
    source_digest.cache_clear()
    elsewhere = source_digest()
    (copy / "version.py").write_text("")
    source_digest.cache_clear()
    more = source_digest()
    (copy / "notes.txt").write_text("no code")
    source_digest.cache_clear()
    assert source_digest() == more != elsewhere
    monkeypatch.undo()
    source_digest.cache_clear()
    assert source_digest() == elsewhere
    assert len(elsewhere) == len(hashlib.sha256().hexdigest())


def test_the_processor_is_called_as_the_system_calls_it() -> None:
    if not os.path.isfile("/proc/cpuinfo") or "model name" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this system has no model name in /proc/cpuinfo")
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    first = next(line for line in lines if line.startswith("model name"))
    assert processor_name().split() == first.partition(":")[2].split()
