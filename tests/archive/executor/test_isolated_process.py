"""tests/archive/executor/test_isolated_process.py: one process works on item after item, and its
death is the loss of one."""

import operator
import os
import time
from collections.abc import Iterator

import pytest

from wetread.archive.executor.isolated_process import (
    GIB,
    LEAST_BYTES,
    IsolatedProcess,
    Limits,
    LostItem,
    pickle_work,
)


@pytest.fixture
def square() -> Iterator[IsolatedProcess]:
    """A process that calls a function with its arguments."""
    process = IsolatedProcess(pickle_work(_call, Limits(seconds=20.0, memory_bytes=GIB)))
    yield process
    process.close()


_call = operator.methodcaller("__call__")


class Do:
    """A call that can be pickled: the item of a process that calls its items."""

    def __init__(self, function: object, *args: object) -> None:
        self._function, self._args = function, args

    def __reduce__(self) -> tuple[object, ...]:
        from functools import partial

        return partial, (self._function, *self._args)


def test_one_process_works_on_item_after_item(square: IsolatedProcess) -> None:
    first, second = square.run(Do(os.getpid)), square.run(Do(os.getpid))
    assert first == second != os.getpid()
    assert square.run(Do(operator.mul, 6, 7)) == 42


def test_an_exit_is_a_loss_that_names_its_code_and_the_next_item_is_worked_on(
    square: IsolatedProcess,
) -> None:
    lost = square.run(Do(os._exit, 3))
    assert lost == LostItem("decoder_crashed", "the process that worked on it ended: exit code 3")
    assert square.run(Do(operator.add, 1, 1)) == 2


def test_an_exception_is_raised_with_its_place(square: IsolatedProcess) -> None:
    with pytest.raises(ZeroDivisionError) as found:
        square.run(Do(operator.truediv, 1, 0))
    assert "in a worker process:" in found.value.__notes__[0]


def test_memory_beyond_the_limit_is_too_big(square: IsolatedProcess) -> None:
    lost = square.run(Do(bytes, 16 * GIB))
    assert isinstance(lost, LostItem)
    assert lost.reason == "too_big"


def test_a_process_that_hangs_is_ended_at_its_time() -> None:
    process = IsolatedProcess(pickle_work(_call, Limits(seconds=1.0, memory_bytes=GIB)))
    started = time.monotonic()
    lost = process.run(Do(time.sleep, 60))
    process.close()
    assert isinstance(lost, LostItem)
    assert lost.reason == "timeout"
    assert time.monotonic() - started < 30


def test_a_stopped_process_is_not_started_again(square: IsolatedProcess) -> None:
    square.stop()
    with pytest.raises(RuntimeError, match="the process was stopped"):
        square.run(Do(os.getpid))


def test_workers_share_the_machines_memory_but_for_a_least() -> None:
    whole = Limits().shared_by(1).memory_bytes
    assert whole is not None
    assert Limits().shared_by(2).memory_bytes == max(whole // 2, LEAST_BYTES)
    assert Limits().shared_by(10**9).memory_bytes == LEAST_BYTES
    assert Limits(memory_bytes=5).shared_by(2) == Limits(memory_bytes=5)
