"""archive/executor/isolated_process.py: a process for one item at a time, which may die of it.

The kernel keeps the limits: an alarm ends a process that hangs, inside a decoder too, and
RLIMIT_AS refuses memory (POSIX). `__main__` is not imported again, so a plain script may call.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, Pipe
from typing import TypeVar

Item = TypeVar("Item")
GIB = 1024**3
LEAST_BYTES = GIB  # decoders and their buffers fit
_READY, _DONE, _FAILED = "ready", "done", "failed"
# Of what libraries start of their own: what works side by side here are the processes.
_THREADS = (
    *("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("BLOSC_NTHREADS", "NUMEXPR_NUM_THREADS"),
)
_seconds = 0.0  # in an isolated process: the time limit of an item


@dataclass(frozen=True)
class LostItem:
    """An item that took its process with it; reason is one of archive/rejects.py's.

    reason: `decoder_crashed`, `timeout` or `too_big`.
    """

    reason: str
    detail: str


@dataclass(frozen=True)
class Limits:
    """The limits of one item.

    seconds:      without a result or a `still_alive()`.
    memory_bytes: beyond what the process has once it began; None: a share of the machine.
    threads:      of each library; 0: as many as it takes by itself.

    Of seconds and memory_bytes 0 is no limit.
    """

    seconds: float = 120.0
    memory_bytes: int | None = None
    threads: int = 1

    def shared_by(self, workers: int) -> Limits:
        """Set memory_bytes, where None, to the machine's memory over `workers`, at least 1 GiB."""
        if self.memory_bytes is not None:
            return self
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return replace(self, memory_bytes=max(total // max(1, workers), LEAST_BYTES))


NO_LIMITS = Limits(seconds=0.0, memory_bytes=0, threads=0)  # of work that has the machine alone


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends, killed or not (Linux);
    what it was writing is left unfinished, and nothing is written after that."""
    if sys.platform != "linux":
        return
    import ctypes

    parent, set_death_signal = os.getppid(), 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def pickle_work(work: Callable[[Item], object], limits: Limits) -> bytes:
    """Pickle the work and its limits: the message that starts an isolated process."""
    return pickle.dumps((work, limits))


def still_alive() -> None:
    """Report that long work goes on: the item's seconds begin anew."""
    if _seconds:
        signal.setitimer(signal.ITIMER_REAL, _seconds)


class IsolatedProcess:
    """One process, started when it is needed and again when it died; one thread calls `run`."""

    def __init__(self, message: bytes, threads: int = 1) -> None:
        self._message = message
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._running = threading.Lock()

    def run(self, item: object) -> object:
        """Work on the item: its result or LostItem; raises the work's exception.

        A death is believed when it happens again in a fresh process: a process may also be killed
        from outside, or die of what an item before this one left behind.
        """
        with self._running:
            for _ in range(2):
                pipe = self._ready()
                try:
                    pipe.send(item)
                    answer, value = pipe.recv()
                except (EOFError, ConnectionError):
                    lost = _lost(self._ended())
                    if self._stopped or lost.reason == "timeout":
                        break
                    continue
                if answer == _FAILED:
                    raise value
                return value
            return lost

    def stop(self) -> None:
        """End the process whatever it is doing; a `run` in another thread comes back."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """Stop, and give back the process and its pipe."""
        self.stop()
        with self._running:
            self._ended()

    def _ready(self) -> Connection:
        """Return the pipe of a process that is ready for items, started where there is none."""
        if self._pipe is not None:
            return self._pipe
        with self._lock:
            if self._stopped:
                raise RuntimeError("the process was stopped")
            ours, theirs = Pipe()
            with theirs:
                self._process = _start(theirs.fileno(), self._threads)
        self._pipe = ours
        try:
            ours.send_bytes(self._message)
            answer, value = ours.recv()
        except (EOFError, ConnectionError):
            code = self._ended()
            raise RuntimeError(
                f"a worker process ended before it began ({_end(code)}); "
                f"try: {sys.executable} -c 'import wetread.archive.executor.isolated_process'"
            ) from None
        if answer == _FAILED:
            self._ended()
            raise value
        return ours

    def _ended(self) -> int:
        """Wait for the process, killed where it still runs: its exit code."""
        with self._lock:
            process, pipe = self._process, self._pipe
            self._process = self._pipe = None
        if pipe is not None:
            pipe.close()
        if process is None:
            return 0
        try:
            return process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _start(handle: int, threads: int) -> subprocess.Popen[bytes]:
    """Start a process that serves the pipe; it finds the modules that this one finds.

    threads: as in Limits; where the environment has a number of a library's, that one holds.
    """
    found = os.pathsep.join(path for path in sys.path if path)
    limited = {name: os.environ.get(name, str(threads)) for name in _THREADS} if threads else {}
    command = f"from wetread.archive.executor.isolated_process import serve; serve({handle})"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", command],
        env=os.environ | limited | {"PYTHONPATH": found},
        pass_fds=(handle,),
        stdin=subprocess.DEVNULL,
    )


def _lost(code: int) -> LostItem:
    if code == -signal.SIGALRM:
        return LostItem("timeout", "the process that worked on it gave no sign of life in time")
    return LostItem("decoder_crashed", f"the process that worked on it ended: {_end(code)}")


def _end(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def serve(handle: int) -> None:
    """Serve in the process: read the work, then work on items until the pipe closes."""
    global _seconds
    os.dup2(2, 1)  # what a decoder prints is not our output
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller decides
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    end_with_parent()
    with Connection(handle) as pipe:
        try:
            work, limits = pickle.loads(pipe.recv_bytes())
            _limit_memory(limits.memory_bytes)
        except EOFError:
            return
        except Exception as error:
            pipe.send((_FAILED, _portable(error)))
            return
        pipe.send((_READY, None))
        _seconds = limits.seconds
        while True:
            try:
                item = pipe.recv()
            except (EOFError, ConnectionError):
                return
            still_alive()
            answer = _answer(work, item)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            del item
            try:
                pipe.send(answer)
            except ConnectionError:
                return


def _answer(work: Callable[[object], object], item: object) -> tuple[str, object]:
    try:
        return _DONE, work(item)
    except MemoryError:
        return _DONE, LostItem("too_big", "it asked for more memory than a worker may take")
    except Exception as error:
        return _FAILED, _portable(error)


def _limit_memory(beyond: int | None) -> None:
    """Limit the address space to the bytes mapped now and `beyond` more."""
    if not beyond:
        return
    import resource

    try:
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # not Linux: what imports map is guessed
        mapped = 4 * GIB
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = mapped + beyond if hard == resource.RLIM_INFINITY else min(mapped + beyond, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _portable(error: Exception) -> Exception:
    """Add the traceback to the exception, or make it a plain one where it cannot be pickled."""
    error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception_only(error)).strip())
    return error
