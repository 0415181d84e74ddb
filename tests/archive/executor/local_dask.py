"""tests/archive/executor/local_dask.py: a Dask scheduler and its nodes on the loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wetread.archive.executor.workers import Cluster


@dataclass(frozen=True)
class Dask:
    """A scheduler and its nodes, each a process of its own, standing in `folder`."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def nodes(self) -> list[subprocess.Popen[bytes]]:
        """The nodes that live."""
        return [process for process in self.processes[1:] if process.poll() is None]

    def start(self, *words: str) -> None:
        told = ("--scheduler-file", str(self.folder / "scheduler.json"))
        found = [str(self.folder), *(path for path in sys.path if path)]
        with (self.folder / "dask.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "dask", *words, *told, "--host", "127.0.0.1"],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(found)},
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self.processes.append(process)

    def log(self) -> str:
        return (self.folder / "dask.log").read_text()

    def cluster(self, count: int) -> Cluster:
        """The scheduler with so many nodes, new ones for those that a test has killed."""
        from distributed import Client

        while len(self.nodes) < count:
            self.start("worker", "--no-nanny", "--nthreads", "1", "--no-dashboard")
        told = self.folder / "scheduler.json"
        deadline = time.monotonic() + 120
        while not told.is_file() or not told.stat().st_size:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)
        with Client(scheduler_file=str(told), set_as_default=False) as client:
            client.wait_for_workers(count, timeout=120)
            return Cluster(client.scheduler.address)


@contextmanager
def running_dask(folder: Path) -> Iterator[Dask]:
    """Start a scheduler; end it and its nodes."""
    running = Dask(folder)
    running.start("scheduler", "--port", "0", "--no-dashboard")
    try:
        yield running
    finally:
        for process in reversed(running.processes):
            process.kill()
            process.wait()
