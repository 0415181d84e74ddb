"""bench/busy.py: what a second core gives to work that needs nothing else: two busy loops."""

import multiprocessing
import time
from collections.abc import Callable


def gain_of_two_loops() -> float:
    """Wall time: twice one loop over two loops side by side; 2 on two free cores."""
    return wall(lambda: busy(1)) * 2 / wall(lambda: busy(2))


def busy(count: int) -> None:
    """So many loops side by side."""
    processes = [multiprocessing.Process(target=_loop) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _loop() -> None:
    total = 0
    for number in range(30_000_000):
        total += number


def wall(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
