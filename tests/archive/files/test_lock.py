"""tests/archive/files/test_lock.py: one command at a time writes an output, and a killed one
leaves no
lock."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from wetread.archive.files.lock import BusyError, exclusive_output, locked

HOLD = (
    "import sys, time; from pathlib import Path; from wetread.archive.files.lock import locked\n"
    "with locked(Path(sys.argv[1])):\n"
    "    print('held', flush=True); time.sleep(60)"
)


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_command_is_refused_with_the_process_that_writes_and_a_kill_frees_the_output(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    with holder(out) as first:
        told = rf"out: another wetread command \(process {first.pid}\) writes there now; wait"
        with pytest.raises(BusyError, match=told):
            locked(out).__enter__()
    with locked(out), locked(tmp_path / "other" / "new"):
        pass
    assert os.listdir(tmp_path) == ["out"]  # nothing was written to the new one: it is gone
    assert os.listdir(out) == []  # no file stands for a lock


def test_who_holds_an_output_may_go_on_in_it_and_another_thread_may_not(tmp_path: Path) -> None:
    told: list[BaseException] = []

    @exclusive_output()
    def verb(out: Path) -> int:
        with locked(out):
            return 7

    def other() -> None:
        try:
            verb(tmp_path)
        except BusyError as error:
            told.append(error)

    with locked(tmp_path):
        assert verb(out=tmp_path) == 7
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(told) == 1
    assert verb(tmp_path) == 7


def test_two_outputs_side_by_side_or_one_in_the_other_do_not_wait_for_each_other(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    with holder(run / "model-1"), locked(run / "model-0"), locked(run):
        pass


def test_what_a_killed_command_left_unfinished_goes_and_nothing_else_does(tmp_path: Path) -> None:
    left = tmp_path / "a" / f".slice.png.{uuid4().hex}.part"
    others = [tmp_path / "a" / "mine.part", tmp_path / ".hidden.part", tmp_path / "notes.txt"]
    beside = tmp_path / "busy" / f".last.pt.{uuid4().hex}.part"
    for path in (left, *others, beside):
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    with holder(tmp_path / "busy"):
        beside.write_text("x")  # of the command that works there now
        with locked(tmp_path):
            assert not left.exists()
            assert all(path.exists() for path in (*others, beside))
