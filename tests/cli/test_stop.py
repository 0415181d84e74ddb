"""tests/cli/test_stop.py: Ctrl-C, sent as a signal to the process: 130 and one line, soon."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wetread.phantoms.dicom.archive import PhantomTruth

Wetread = Callable[..., subprocess.CompletedProcess[str]]
SECONDS = 2.0
LONG = {  # words of commands that are at work for a while
    "index": ["index", "{archive}", "-o", "{out}/i.parquet", "--workers", "2"],
    "segment": ["segment", "brain", "{archive}", "-o", "{out}/masks", "--workers", "2"],
    "export": ["export", "png", "{archive}", "-o", "{out}/png", "--workers", "2"],
    "phantom": ["phantom", "hemorrhage", "-o", "{out}/p", "--studies", "50", "--workers", "2"],
    "train": [
        *("train", "hemorrhage", "--data", "{archive}", "--labels", "{labels}", "-o", "{out}/r"),
        *("--epochs", "500", "--set", "size=32", "--set", "runtime.threads=1"),
    ],
}
LAST = {"index": "i.parquet", "export": "png/manifest.csv"}  # written last by what is soon done
BEGUN = {  # words of commands that are soon done, and what is there when they have begun
    "pack": (["pack", "{index}", "-o", "{out}/s", "--workers", "2"], "s"),
    "predict": (["predict", "{archive}", "--run", "{run}", "-o", "{out}/p"], "p/index.parquet"),
}
STUCK = (  # a step of a library that hears of nothing, as some last for many seconds
    "import ctypes, sys; sys.argv = ['wetread', 'doctor']; import wetread.verbs.doctor as verb\n"
    "verb.doctor = lambda: (print('stuck', flush=True), ctypes.CDLL(None).usleep(20_000_000))\n"
    "from wetread.cli.main import main; main()"
)


def children(process: int) -> list[int]:
    """The processes that a process started."""
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def at_work(process: int) -> bool:
    """Whether a process has not ended; one that has may wait for somebody to ask how."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, float]:
    """Exit code, stderr and seconds until the end, after Ctrl-C."""
    workers = children(process.pid)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    took = time.monotonic() - began
    while any(map(at_work, workers)) and time.monotonic() - began < SECONDS:
        time.sleep(0.05)
    assert [one for one in workers if at_work(one)] == []
    return process.returncode, said, took


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A command at work; killed in the end where it still is."""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("verb", LONG)
def test_ctrl_c_ends_every_verb_within_two_seconds_with_130_and_one_line(
    verb: str, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    words = [
        word.format(archive=phantoms.images, out=tmp_path, labels=phantoms.labels)
        for word in LONG[verb]
    ]
    with started(["-m", "wetread", *words]) as process:
        time.sleep(float(os.environ.get("WETREAD_STOP_AFTER_S", "1.5")))
        if process.poll() is not None:
            pytest.skip("it was done before")
        code, said, took = interrupted(process)
    if code == -signal.SIGINT and verb in LAST and (tmp_path / LAST[verb]).exists():
        pytest.skip("it was done before: the interpreter was ending")
    assert (code, said) == (130, "wetread: stopped; the same command goes on where it was\n")
    assert took < SECONDS


@pytest.fixture(scope="module")
def made(
    phantoms: PhantomTruth, wetread: Wetread, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """An index and a run of the phantoms."""
    out = tmp_path_factory.mktemp("made")
    small = (
        "--epochs",
        1,
        "--set",
        "size=32",
        "--set",
        "runtime.threads=1",
        "--set",
        "runtime.device=cpu",
    )
    index, run = out / "index.parquet", out / "run"
    words = ("train", "hemorrhage", "--data", index, "--labels", phantoms.labels, "-o", run)
    assert wetread("index", phantoms.images, "-o", index).returncode == 0
    assert wetread(*words, *small, "--workers", 1).returncode == 0
    return {"archive": phantoms.images, "index": index, "run": run}


@pytest.mark.parametrize("verb", BEGUN)
def test_ctrl_c_ends_a_verb_that_has_begun_and_the_same_command_then_ends_right(
    verb: str, made: dict[str, Path], wetread: Wetread, tmp_path: Path
) -> None:
    words, begun = BEGUN[verb]
    words = [word.format(**made, out=tmp_path) for word in words]
    with started(["-m", "wetread", *words]) as process:
        while not (tmp_path / begun).exists() and process.poll() is None:
            time.sleep(0.02)
        code, said, took = interrupted(process)
    assert (code, said) == (130, "wetread: stopped; the same command goes on where it was\n")
    assert took < SECONDS
    assert wetread(*words).returncode == 0
    assert [*tmp_path.rglob("*.part")] == []


def test_ctrl_c_is_answered_while_a_library_hears_of_nothing() -> None:
    with started(["-c", STUCK]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stuck\n"
        code, said, took = interrupted(process)
    assert (code, said) == (130, "wetread: stopped; the same command goes on where it was\n")
    assert took < SECONDS
