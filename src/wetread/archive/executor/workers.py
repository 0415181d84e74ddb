"""archive/executor/workers.py: the one executor: work over items; no item can end the run.

In: a function, items, and a number of processes or a Dask scheduler. Out: results in the items'
order; an item whose process dies, hangs or asks for too much memory comes back as `Lost`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import LifoQueue
from typing import Protocol, TypeVar, cast

from wetread.archive.executor.isolated_process import IsolatedProcess, Limits, LostItem, pickle_work

Item = TypeVar("Item")
Result = TypeVar("Result")


class PendingResult(Protocol):
    """A result that is being worked on, or is there."""

    def result(self) -> object:
        """Wait for the result; raises the work's exception."""


@dataclass(frozen=True)
class Cluster:
    """A Dask scheduler, `tcp://host:8786`; its workers see the same paths as this machine."""

    address: str


Workers = int | Cluster
AHEAD = 4


def parallel_map(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    workers: Workers,
    limits: Limits | None = None,
    ahead: int | None = AHEAD,
) -> Generator[Result | LostItem, None, None]:
    """Yield `work(item)` for every item, in the items' order, never computed in this process.

    work:    a function that can be imported by name; its exceptions are raised here.
    workers: processes on this machine, or a Cluster.
    limits:  seconds and bytes an item may take; default: two minutes, and the machine's memory
             shared among the workers. Long work says `still_alive()`
             (archive/executor/isolated_process.py) now and
             then, and the seconds begin anew.

    ahead:   items drawn ahead of what is handed out, a worker, so that memory does not grow with
             them; None: all are drawn at once, and worked on while the later ones are drawn.
    """
    if isinstance(workers, Cluster):
        from wetread.archive.executor.cluster import on_cluster

        with on_cluster(work, workers.address, limits or Limits()) as (submit, count):
            found = results_in_order(items, submit, ahead and ahead * count)
            yield from cast(Iterator[Result | LostItem], found)
        return
    own = (limits or Limits()).shared_by(workers)
    with closing(_Pool(pickle_work(work, own), max(1, workers), own.threads)) as pool:
        found = results_in_order(items, pool.submit, ahead and ahead * max(1, workers))
        yield from cast(Iterator[Result | LostItem], found)


def results_in_order(
    items: Iterable[Item], submit: Callable[[Item], PendingResult], ahead: int | None
) -> Iterator[object]:
    """Yield the results of items in order, with at most `ahead` of them submitted."""
    under_way: deque[PendingResult] = deque()
    for item in items:
        under_way.append(submit(item))
        if ahead is not None and len(under_way) >= ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


class _Pool:
    """Isolated processes, each driven by a thread that waits for it."""

    def __init__(self, message: bytes, count: int, threads: int) -> None:
        self._processes = [IsolatedProcess(message, threads) for _ in range(count)]
        self._free: LifoQueue[IsolatedProcess] = (
            LifoQueue()
        )  # a process that runs goes before a new one
        for process in self._processes:
            self._free.put(process)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="wetread-guard")

    def submit(self, item: object) -> Future[object]:
        """Submit one item."""
        return self._threads.submit(self._run, item)

    def _run(self, item: object) -> object:
        process = self._free.get()
        try:
            return process.run(item)
        finally:
            self._free.put(process)

    def close(self) -> None:
        """End all work; results that were not taken are lost."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.stop()
        for process in self._processes:
            process.close()
        self._threads.shutdown(wait=True)


def select_workers(workers: Workers | None, cluster: str | None) -> Workers:
    """Choose the workers: a cluster, so many processes, or one a core; workers that were chosen
    before stay what they are."""
    if cluster is not None:
        return Cluster(cluster)
    return workers or available_cores()


def place_for(out: Path, workers: Workers) -> Path:
    """Return the folder of an output as those who write it name it: on a cluster they stand in
    other folders than this process, and a relative path would be another."""
    return out.absolute() if isinstance(workers, Cluster) else out


def available_cores() -> int:
    """Count the processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
