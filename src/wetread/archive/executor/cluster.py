"""archive/executor/cluster.py: the executor over a Dask scheduler.

A node runs each item in an isolated process of its own, kept from item to item, so an item that
dies costs one item. When a node is lost, Dask hands its items to the others.
"""

from __future__ import annotations

import logging
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from wetread.archive.errors import WetreadError
from wetread.archive.executor.isolated_process import IsolatedProcess, Limits, LostItem, pickle_work

if TYPE_CHECKING:
    from concurrent.futures import Future

    from distributed import Client

Item = TypeVar("Item")
TIMEOUT_S = 60.0  # without any worker; one that was killed may be started again
POLL_S = 2.0  # from one look at the workers to the next
_processes: dict[
    int, tuple[bytes, IsolatedProcess]
] = {}  # on a node: thread to its work and its process
_lock = threading.Lock()


class ClusterError(WetreadError):
    """A cluster that ended, or has no worker left."""


@contextmanager
def on_cluster(
    work: Callable[[Item], object], address: str, limits: Limits
) -> Iterator[tuple[Callable[[Item], ClusterResult], int]]:
    """Connect to the scheduler at `address`; yield (submit an item, items that run at a time).

    Raises ClusterError where there is no scheduler.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RuntimeError(
            "`cluster` needs the package distributed: pip install 'wetread[cluster]'"
        ) from error

    message = pickle_work(work, limits)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what ends is said in one line
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"{address}: no Dask scheduler answers there ({' '.join(str(error).split())[:120]})"
        ) from error
    with client:
        nodes = _Nodes(client, address)
        try:
            yield (
                lambda item: ClusterResult(
                    client.submit(run_on_node, message, item, pure=False), nodes
                ),
                max(1, nodes.threads()),
            )
        finally:
            with suppress(OSError, RuntimeError):  # the scheduler has ended
                client.run(release_on_node, message, on_error="ignore")


class _Nodes:
    """The workers of a scheduler, watched: work waits for ever where none is left."""

    def __init__(self, client: Client, address: str) -> None:
        self._client, self._address = client, address
        self._seen = time.monotonic()  # when there was one last

    def threads(self) -> int:
        """Count the items that run at a time."""
        return sum(self._client.nthreads().values())

    def require_any(self) -> None:
        """Raise ClusterError where there was none for TIMEOUT_S, or the scheduler has ended."""
        try:
            if self.threads():
                self._seen = time.monotonic()
        except (OSError, RuntimeError) as error:
            raise self.ended("its scheduler has ended") from error
        if time.monotonic() - self._seen > TIMEOUT_S:
            raise self.ended(f"for {TIMEOUT_S:.0f} s it had no worker")

    def ended(self, why: str) -> ClusterError:
        """Return the error of a cluster on which nothing can be done any more."""
        return ClusterError(
            f"{self._address}: {why}; start it again, then give the same command, which goes on "
            "with what is done"
        )


class ClusterResult:
    """A Dask future; an item that its cluster lost is a result too."""

    def __init__(self, future: Future[object], nodes: _Nodes) -> None:
        self._future, self._nodes = future, nodes

    def result(self) -> object:
        """Wait for the node's result; LostItem where Dask gave the item up. Raises ClusterError
        where nobody is left to work on it."""
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        while True:
            try:
                return self._future.result(timeout=POLL_S)
            except TimeoutError:
                if self._future.done():  # it is the work's own
                    raise
                self._nodes.require_any()
            except KilledWorker:
                return LostItem("decoder_crashed", "the cluster's workers died of it")
            except FutureCancelledError as error:
                raise self._nodes.ended("its scheduler has ended") from error


def run_on_node(message: bytes, item: object) -> object:
    """Work on one item in this thread's isolated process; runs on a node."""
    thread = threading.get_ident()
    with _lock:
        known, process = _processes.get(thread, (b"", None))
        if process is None or known != message:
            work, limits = pickle.loads(message)
            limits = limits.shared_by(os.cpu_count() or 1)
            old, process = process, IsolatedProcess(pickle_work(work, limits), limits.threads)
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
