"""cli/stop.py: Ctrl-C is answered at once, whatever the process is doing.

Python hears of the key only between two of its own steps, and one step of a library may take long.
So a thread of its own is told by the system, and ends the process where the usual way takes longer
than a moment. Every file is written whole or not at all, so nothing is lost by that.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

INTERRUPTED = 130
STOPPED = "wetread: stopped; the same command goes on where it was\n"
PATIENCE_S = 0.8  # for the usual way: what was begun is closed, worker processes end
_SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it
_message_lock, _interrupted = threading.Lock(), threading.Event()


@contextmanager
def interrupts_answered() -> Iterator[None]:
    """Until its end Ctrl-C raises KeyboardInterrupt, and ends the process soon if that does not."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if _message_lock.locked():
        _message_lock.release()
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    before = signal.signal(signal.SIGINT, _interrupt)
    woken = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    threading.Thread(target=_exit_on_interrupt, args=(ours,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGINT, before)
        os.close(theirs)


def end_stopped() -> NoReturn:
    """The one line, and the end with 130."""
    _say_stopped()
    if _interrupted.is_set():
        # Not the interpreter's own end: it waits for threads, and takes an interrupt inside exec()
        # for one that nobody answered.
        os._exit(INTERRUPTED)
    sys.exit(INTERRUPTED)


def _say_stopped() -> None:
    if _message_lock.acquire(blocking=False):
        text = (_SHOW_CURSOR if sys.stderr.isatty() else "") + STOPPED
        os.write(2, text.encode())


def _interrupt(number: int, frame: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
    _interrupted.set()
    raise KeyboardInterrupt


def _exit_on_interrupt(handle: int) -> None:
    try:
        while numbers := os.read(handle, 64):
            if signal.SIGINT in numbers:
                threading.Event().wait(PATIENCE_S)
                _say_stopped()
                os._exit(INTERRUPTED)
    finally:
        os.close(handle)
