"""tests/cli/test_several.py: processes of torchrun that cannot go on end with one line."""

import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.training.several import start

# A command whose first process sums with the others, which run FUNCTION.
CALLS = """
import sys, torch
from tests.training import several
from wetread.cli import main
from wetread.training import processes
def command(*words, **options):
    processes.call_other_ranks({function})
    processes.broadcast([torch.zeros(1)])
    return 3
main.app = command
join = processes.join_processes
processes.join_processes = lambda: join(timeout_s=4)
main.main()
"""


def ended(words: Sequence[str]) -> list[tuple[int, str]]:
    """The exit code and the stderr of each of two processes."""
    processes = start(2, words)
    first = processes[0].communicate(timeout=120)[1]
    if os.waitid(os.P_PID, processes[1].pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT):
        processes[1].send_signal(signal.SIGCONT)
    second = processes[1].communicate(timeout=120)[1]
    return [(one.returncode, text) for one, text in zip(processes, (first, second), strict=True)]


def test_wrong_use_is_one_line_of_the_first_process(tmp_path: Path) -> None:
    words = ["train", "hemorrhage", "--data", f"{tmp_path / 'no'}", "--labels", "no.csv"]
    first, second = ended(["-m", "wetread", *words, "-o", f"{tmp_path / 'run'}"])
    assert first[0] == 2
    assert first[1].startswith("wetread: ")
    assert first[1].count("\n") == 1
    assert second[1] == ""
    assert not (tmp_path / "run").exists()


def test_a_failure_in_the_second_process_is_one_line_that_names_it() -> None:
    function = "several.fail_with, 'store/parts/a.bin: cut'"
    first, second = ended(["-c", CALLS.format(function=function)])
    assert first == (1, "")
    assert second[0] == 1
    assert re.fullmatch(r"wetread: process 2 of 2 \(on \S+\): store/parts/a\.bin: cut\n", second[1])


def test_a_process_that_stands_still_is_named_and_ends_the_others() -> None:
    first, _ = ended(["-c", CALLS.format(function="several.stop")])
    assert first[0] == 1
    assert re.match(r"wetread: process 2 of 2 has ended, or did not answer within 4 s", first[1])
    assert first[1].count("\n") == 1


def test_what_was_refused_is_no_failure_to_torchrun() -> None:
    alone = CALLS.replace("    processes.broadcast([torch.zeros(1)])\n", "")
    assert ended(["-c", alone.format(function="several.blobs")]) == [(0, ""), (0, "")]
