"""tests/archive/files/test_lease.py: one process works in a shared folder, and a dead one's lease
is taken over."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from wetread.archive.files import lease as room
from wetread.archive.files.lease import (
    NO_WAIT,
    WAIT_FOREVER,
    LeaseNote,
    leased,
    note_progress,
    read_lease,
)
from wetread.archive.files.lock import LEASE, BusyError, locked

HOLD = (
    "import sys, time; from pathlib import Path; from wetread.archive.files.lease import leased\n"
    "with leased(Path(sys.argv[1]), 0.0):\n"
    "    print('held', flush=True); time.sleep(60)"
)
FAR = LeaseNote("its own", "node7", "another kernel", 4711, "99")


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of this machine that holds the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def far_holder(folder: Path) -> Iterator[threading.Event]:
    """A process of another machine that rewrites its lease until it is let go."""
    let_go = threading.Event()

    def beat() -> None:
        note = FAR
        while not let_go.wait(0.05):
            note = replace(note, beats=note.beats + 1)
            part = folder / "of node7"
            part.write_text(json.dumps(asdict(note)))
            os.replace(part, folder / LEASE)
        (folder / LEASE).unlink()

    folder.mkdir()
    (folder / LEASE).write_text(json.dumps(asdict(FAR)))
    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield let_go
    finally:
        let_go.set()
        thread.join()


def test_a_lease_is_there_while_it_is_held_and_nothing_after_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "model-0"
    with leased(folder, NO_WAIT):
        found = read_lease(folder)
        assert found is not None
        assert found.process == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_of_this_machine_is_named_and_a_killed_one_is_taken_over_at_once(
    tmp_path: Path,
) -> None:
    with holder(tmp_path) as first:
        with (
            pytest.raises(BusyError, match=rf"process {first.pid} on .*\) writes there now; wait"),
            leased(tmp_path, NO_WAIT),
        ):
            pass
        first.kill()
        first.wait()
        assert (tmp_path / LEASE).is_file()
        began = time.monotonic()
        with leased(tmp_path, NO_WAIT):
            found = read_lease(tmp_path)
            assert found is not None
            assert found.process == os.getpid()
        assert time.monotonic() - began < room.LEASE_S / 2  # its end was seen, not waited for
    assert os.listdir(tmp_path) == []


def test_a_lease_of_another_machine_that_nobody_rewrites_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LEASE_S", 0.6)
    for left in (json.dumps(asdict(FAR)), "", "{}", '{"token": 3}'):
        (tmp_path / LEASE).write_text(left)
        with leased(tmp_path, NO_WAIT):
            found = read_lease(tmp_path)
            assert found is not None
            assert found.process == os.getpid()
    assert os.listdir(tmp_path) == []


def test_a_living_machine_is_not_robbed_and_who_has_patience_gets_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "LEASE_S", 5.0)
    folder = tmp_path / "run"
    with far_holder(folder) as let_go:
        with pytest.raises(BusyError, match="process 4711 on node7"), leased(folder, NO_WAIT):
            pass
        found = read_lease(folder)
        assert found is not None
        assert found.token == FAR.token
        threading.Timer(0.6, let_go.set).start()
        with leased(folder, WAIT_FOREVER):
            assert let_go.is_set()


def test_progress_stands_in_the_lease_and_who_lost_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BEAT_S", 0.05)

    def wait_for(stage: str) -> LeaseNote:
        while True:
            note_progress("train 1", 3, 8)
            found = read_lease(tmp_path)
            if found is not None and found.stage == stage:
                return found
            time.sleep(0.02)

    with leased(tmp_path, NO_WAIT):
        assert (wait_for("train 1").done, wait_for("train 1").total) == (3, 8)
        (tmp_path / LEASE).unlink()
        (tmp_path / LEASE).write_text(json.dumps(asdict(FAR)))
        with pytest.raises(BusyError, match="process 4711 on node7 took it over"):
            wait_for("never")
    assert read_lease(tmp_path) == FAR  # and its lease stays


def test_what_is_unfinished_stays_where_another_machine_works_below(tmp_path: Path) -> None:
    part = tmp_path / "features" / f".a.npy.{'0' * 32}.part"
    part.parent.mkdir()
    part.write_text("x")
    (tmp_path / "model-1").mkdir()
    (tmp_path / "model-1" / LEASE).write_text(json.dumps(asdict(FAR)))
    with locked(tmp_path):
        assert part.exists()
    (tmp_path / "model-1" / LEASE).unlink()
    with locked(tmp_path):
        assert not part.exists()
