"""archive/executor/cluster.py: the executor over a Dask scheduler.

A node runs each item in an isolated process of its own, kept from item to item, so an item that
dies costs one item. When a node is lost, Dask hands its items to the others.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from wetread.archive.executor.isolated_process import IsolatedProcess, Limits, LostItem, pickle_work

Item = TypeVar("Item")
_processes: dict[
    int, tuple[bytes, IsolatedProcess]
] = {}  # on a node: thread to its work and its process
_lock = threading.Lock()


@contextmanager
def on_cluster(
    work: Callable[[Item], object], address: str, limits: Limits
) -> Iterator[tuple[Callable[[Item], ClusterResult], int]]:
    """Connect to the scheduler at `address`; yield (submit an item, items that run at a time)."""
    try:
        from distributed import Client
    except ImportError as error:
        raise RuntimeError(
            "`cluster` needs the package distributed: pip install 'wetread[cluster]'"
        ) from error

    message = pickle_work(work, limits)
    with Client(address, set_as_default=False) as client:
        threads = sum(client.nthreads().values())
        try:
            yield (
                lambda item: ClusterResult(client.submit(run_on_node, message, item, pure=False)),
                max(1, threads),
            )
        finally:
            client.run(release_on_node, message, on_error="ignore")


class ClusterResult:
    """A Dask future; an item that its cluster lost is a result too."""

    def __init__(self, future: Future[object]) -> None:
        self._future = future

    def result(self) -> object:
        """Wait for the node's result; LostItem where Dask gave the item up."""
        from distributed.scheduler import KilledWorker

        try:
            return self._future.result()
        except KilledWorker:
            return LostItem("decoder_crashed", "the cluster's workers died of it")


def run_on_node(message: bytes, item: object) -> object:
    """Work on one item in this thread's isolated process; runs on a node."""
    thread = threading.get_ident()
    with _lock:
        known, process = _processes.get(thread, (b"", None))
        if process is None or known != message:
            old, process = process, IsolatedProcess(_shared(message))
            _processes[thread] = message, process
            if old is not None:
                old.close()
    return process.run(item)


def release_on_node(message: bytes) -> None:
    """End the processes that were kept for this work."""
    with _lock:
        for thread, (known, process) in list(_processes.items()):
            if known == message:
                process.close()
                del _processes[thread]


def _shared(message: bytes) -> bytes:
    """Share the node's memory among its processors in the limits."""
    work, limits = pickle.loads(message)
    return pickle_work(work, limits.shared_by(os.cpu_count() or 1))
