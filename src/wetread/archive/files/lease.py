"""archive/files/lease.py: one process at a time works in a folder that several machines share.

Kernel locks (lock.py) end at the machine, or at a network file system that has none. A lease is a
file in the folder which its holder rewrites every few seconds. Whoever wants the folder watches the
file with its own clock: one that stays the same for LEASE_S was left by a process or a machine that
died, and is taken over; of a process of the same machine that is seen at once.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from wetread.archive.files.atomic import create_whole
from wetread.archive.files.lock import LEASE, BusyError, busy, locked, make_folders

LEASE_S = 120.0  # a lease that its holder has not rewritten for so long is nobody's
BEAT_S = 5.0  # from one rewriting to the next
POLL_S = 0.25  # between two reads of another's lease
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)  # of os.link
NO_WAIT, WAIT_FOREVER = 0.0, float("inf")  # seconds to wait for a holder that lives


@dataclass(frozen=True)
class LeaseNote:
    """The content of a lease's file.

    token:   of its holder, which no other has.
    host:    its name; machine: its kernel and process namespace, "" where these are not known.
    process, started: its id there, and when the kernel started it.
    beats:   how often it was rewritten.
    stage, done, total: where its work is.
    """

    token: str
    host: str
    machine: str
    process: int
    started: str
    beats: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0

    @property
    def holder(self) -> str:
        """Name the holder in words."""
        return f"process {self.process} on {self.host}"


class Lease:
    """A lease that this process holds; a thread rewrites it until it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._about = _own_note()
        self._progress = "", 0, 0
        self._lost_to = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def take(self) -> bool:
        """Write the lease where there is none, and begin to rewrite it: whether it is ours now."""
        self._folder.mkdir(parents=True, exist_ok=True)  # whoever held it may have removed it
        try:
            create_whole(self._folder / LEASE, _packed(self._about), 0o644)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return True  # a file system on which no file can be made once: nothing is leased
        if not self._is_ours():
            return False
        self._thread.start()
        return True

    def note(self, stage: str, done: int, total: int) -> None:
        """Note where the work is, for others to read. Raises BusyError where another process has
        taken the folder over, because this one gave no sign for too long."""
        self._progress = stage, done, total
        if self._lost_to:
            raise BusyError(
                f"{self._folder}: {self._lost_to} took it over, as this process gave no sign for "
                f"{LEASE_S:.0f} s; it goes on there"
            )

    def end(self) -> None:
        """Stop rewriting it, and remove it where it is still ours."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._is_ours():
            (self._folder / LEASE).unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        found = read_lease(self._folder)
        return found is not None and found.token == self._about.token

    def _beat(self) -> None:
        beats = 0
        while not self._ended.wait(BEAT_S):
            beats += 1
            found = read_lease(self._folder)
            if found is None or found.token != self._about.token:
                self._lost_to = "another command" if found is None else found.holder
                return
            stage, done, total = self._progress
            now = replace(self._about, beats=beats, stage=stage, done=done, total=total)
            part = self._folder / f"{LEASE}.{uuid4().hex}.part"
            with suppress(OSError):  # a disk that is full or away for a moment
                part.write_bytes(_packed(now))
                os.replace(part, self._folder / LEASE)


_held_here: ContextVar[tuple[Lease, ...]] = ContextVar("_held_here", default=())


@contextmanager
def leased(folder: Path, timeout_s: float) -> Iterator[None]:
    """Hold a folder, made where it is not there, against all machines that see it, until the end;
    a folder left empty goes again.

    timeout_s: how long to wait for a holder that lives; one that died is waited for until that is
    known. Raises BusyError when the patience ends.
    """
    made = make_folders(folder)
    lease, until = Lease(folder), time.monotonic() + timeout_s
    try:
        while not lease.take():
            _wait_for_end(folder, until)
        token = _held_here.set((*_held_here.get(), lease))
        try:
            with locked(folder):
                yield
        finally:
            _held_here.reset(token)
            lease.end()
    finally:
        for path in made:
            with suppress(OSError):  # it holds something now
                path.rmdir()


def note_progress(stage: str, done: int, total: int) -> None:
    """Write into the leases that are held here where the work is, with their next rewriting.
    Raises BusyError where another process has taken a folder over."""
    for lease in _held_here.get():
        lease.note(stage, done, total)


def read_lease(folder: Path) -> LeaseNote | None:
    """Read the lease that lies in a folder; None where there is none."""
    return _read(folder / LEASE)


def _read(path: Path) -> LeaseNote | None:
    try:
        return LeaseNote(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):  # of another version, or cut
        return LeaseNote("", "an unknown machine", "", 0, "")


def _wait_for_end(folder: Path, until: float) -> None:
    """Wait until nobody holds the folder; a lease of the dead is removed. BusyError where its
    holder is seen to live at `until`."""
    first, since = read_lease(folder), time.monotonic()
    while first is not None:
        now = time.monotonic()
        if _has_died(first) or now - since > LEASE_S:
            _remove_dead(folder, first)
            return
        if now >= until and _lives_here(first):
            raise busy(folder, first.holder)
        time.sleep(POLL_S)
        again = read_lease(folder)
        if again is not None and again != first:
            if time.monotonic() >= until:
                raise busy(folder, again.holder)
            since = time.monotonic()
        first = again


def _remove_dead(folder: Path, dead: LeaseNote) -> None:
    """Remove a lease of the dead; of several that do so one removes it, and a lease that another
    has written in the meantime is put back."""
    aside = folder / f"{LEASE}.{uuid4().hex}.part"
    try:
        os.rename(folder / LEASE, aside)
    except FileNotFoundError:
        return
    try:
        if _read(aside) != dead:
            with suppress(FileExistsError):
                os.link(aside, folder / LEASE)
    finally:
        aside.unlink(missing_ok=True)


def _own_note() -> LeaseNote:
    process = os.getpid()
    return LeaseNote(uuid4().hex, socket.gethostname(), _machine(), process, _started(process))


def _machine() -> str:
    """Name the running kernel and the namespace of this process; "" where they are not known."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return ""


def _started(process: int) -> str:
    """When the kernel started a process, in its ticks; "" where there is none or it is not told."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


def _has_died(note: LeaseNote) -> bool:
    """Whether the holder was of this machine and runs no more."""
    return note.machine != "" and note.machine == _machine() and not _lives_here(note)


def _lives_here(note: LeaseNote) -> bool:
    here = note.machine != "" and note.machine == _machine()
    return here and _started(note.process) == note.started


def _packed(note: LeaseNote) -> bytes:
    return f"{json.dumps(asdict(note))}\n".encode()
