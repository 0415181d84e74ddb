"""tests/archive/executor/test_workers.py: work over items: results in order, and an item that
takes its
process with it costs itself."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from wetread.archive.executor.isolated_process import Limits, LostItem
from wetread.archive.executor.workers import parallel_map
from wetread.archive.rejects import REASONS

_WORK = """
import ctypes, os, signal, time
from pathlib import Path

from wetread.archive.executor.isolated_process import still_alive

def work(item):
    if item == "segfault":
        ctypes.string_at(0)
    if item == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "exit":
        os._exit(3)
    if item == "hang":
        time.sleep(600)
    if item == "hang in a library":  # with the interpreter's lock held
        ctypes.PyDLL(None).sleep(600)
    if item == "too much":
        return len(bytearray(64 * 1024**3))
    if item == "long, with signs of life":
        for _ in range(8):
            time.sleep(0.5)
            still_alive()
    if isinstance(item, Path):  # dies the first time
        if not item.exists():
            item.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if item == "raise":
        raise KeyError("a fault of the work")
    if item == "no pickle":
        return lambda: 0
    if item == "print":
        os.write(1, b"noise of a decoder")
    if item == "pid":
        return os.getpid()
    return item
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The work above, from a module that worker processes find too."""
    (tmp_path / "work_of_a_test.py").write_text(_WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "work_of_a_test", raising=False)
    import work_of_a_test  # type: ignore[import-not-found]

    return work_of_a_test.work


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_the_order_of_the_items(work: Any, workers: int) -> None:
    assert list(parallel_map(work, iter(range(100)), workers)) == list(range(100))
    assert list(parallel_map(work, [], workers)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_item_that_ends_its_process_is_lost_alone(work: Any, workers: int) -> None:
    items = [0, "segfault", 1, "kill", "exit", 2, "too much", 3]
    found = list(parallel_map(work, items, workers, Limits(memory_bytes=2 * 1024**3)))
    assert [one for one in found if not isinstance(one, LostItem)] == [0, 1, 2, 3]
    lost = [one for one in found if isinstance(one, LostItem)]
    assert [one.reason for one in lost] == [*["decoder_crashed"] * 3, "too_big"]
    assert [found.index(one) for one in lost] == [1, 3, 4, 6]
    assert [one.detail.rpartition(" ")[2] for one in lost[:3]] == ["SIGSEGV", "SIGKILL", "3"]
    assert {one.reason for one in lost} <= set(REASONS)


@pytest.mark.parametrize("item", ["hang", "hang in a library"])
def test_an_item_that_hangs_is_ended_at_its_time(work: Any, item: str) -> None:
    started = time.monotonic()
    found = list(parallel_map(work, [0, item, 1], 1, Limits(seconds=2.0)))
    assert (found[0], found[2]) == (0, 1)
    assert isinstance(found[1], LostItem)
    assert found[1].reason == "timeout"
    assert time.monotonic() - started < 60


def test_long_work_that_says_it_lives_is_not_ended(work: Any) -> None:
    item = "long, with signs of life"  # four seconds
    assert list(parallel_map(work, [item], 1, Limits(seconds=2.0))) == [item]


def test_a_process_killed_from_outside_costs_nothing(work: Any, tmp_path: Path) -> None:
    items = [0, tmp_path / "dies once", 1]
    assert list(parallel_map(work, items, 2)) == items


def test_what_the_work_raises_is_raised_with_the_place_it_came_from(work: Any) -> None:
    with pytest.raises(KeyError, match="a fault of the work") as caught:
        list(parallel_map(work, [0, "raise", 1], 2))
    assert "work_of_a_test.py" in caught.value.__notes__[0]


def test_work_that_no_process_can_import_is_said(work: Any, tmp_path: Path) -> None:
    (tmp_path / "work_of_a_test.py").write_text("raise ValueError('cannot be imported')")
    with pytest.raises(ValueError, match="cannot be imported"):
        list(parallel_map(work, [0], 1))


def test_items_are_drawn_a_few_ahead_and_no_more(work: Any) -> None:
    drawn = []

    def items() -> Any:
        for number in range(1000):
            drawn.append(number)
            yield number

    results = parallel_map(work, items(), 2)
    assert [next(results) for _ in range(10)] == list(range(10))
    assert len(drawn) <= 10 + 2 * 8
    results.close()


def test_no_process_is_left_when_one_stops_in_the_middle(work: Any) -> None:
    results = parallel_map(work, ["pid", "hang", "hang", "hang"], 2)
    pid = next(results)
    results.close()
    assert not Path(f"/proc/{pid}").exists()


def test_a_plain_script_needs_no_guard_around_its_main_part(tmp_path: Path, work: Any) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from work_of_a_test import work\n"
        "from wetread.archive.executor.workers import parallel_map\n"
        "print(list(parallel_map(work, [1, 'print', 2], 2)))\n"
    )
    told = subprocess.run(
        [sys.executable, str(script)],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
    )
    assert told.stdout == "[1, 'print', 2]\n"
