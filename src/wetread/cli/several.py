"""cli/several.py: a command that torchrun started as several processes: the first runs it, the
others help it where networks learn and read, and all end together."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from wetread.archive.errors import WetreadError
from wetread.cli.options import DONE, FAILED, REFUSED


class EndedError(WetreadError):
    """torchrun ends its processes."""


def is_one_of_several() -> bool:
    """Whether torchrun started this process and others with it."""
    started = "TORCHELASTIC_RUN_ID" in os.environ
    return started and int(os.environ.get("WORLD_SIZE", "1")) > 1


def run_among_processes(command: Callable[[], int | None]) -> int | None:
    """Run a command in the first process, and in the others what it calls; return the exit code.

    torchrun takes every code but 0 for a failure, and starts anew where it may: that something was
    refused, which the command says, is none.
    """
    if not is_one_of_several():
        return command()
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # what fails is said once, by us
    from wetread.training.processes import (
        FirstFailedError,
        join_processes,
        leave_processes,
        process_rank,
        serve_rank_zero,
    )

    signal.signal(signal.SIGTERM, _end)
    if os.environ["RANK"] != "0":  # what the first one says is enough
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        warnings.simplefilter("ignore")
    join_processes()
    if process_rank():
        with suppress(FirstFailedError):
            serve_rank_zero()
        return DONE
    code = command()
    leave_processes()
    return DONE if code == REFUSED else code


def says_why() -> bool:
    """Whether this process, which fails, is the one to say why; the others end in silence."""
    if not is_one_of_several():
        return True
    from wetread.training.processes import reports_failure

    return reports_failure()


def speaker() -> str:
    """Name who speaks: nothing for the first process."""
    if not is_one_of_several() or os.environ["RANK"] == "0":
        return ""
    from wetread.training.processes import process_name

    return f"{process_name()}: "


def end_process(code: int | None) -> NoReturn:
    """End; among several processes at once, since what waits for another one would not end."""
    if is_one_of_several() and code != DONE:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(FAILED if code is None else code)
    sys.exit(code)


def _end(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    from wetread.training.processes import ended_processes

    ended = ended_processes()
    why = f"as {ended} has ended" if ended else "as one of them has ended or it was told to"
    raise EndedError(f"torchrun ends all processes, {why}; the same command goes on where it was")
