"""cli/main.py: the command `wetread`: every verb as a command, exit codes, one line an error.

Exit codes: 0 done; 1 failed; 2 wrong use; 3 done, with something refused; 130 stopped.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from io import TextIOWrapper
from typing import Annotated, NoReturn, TextIO

import typer

import wetread
from wetread.archive.files.foreign_text import visible
from wetread.cli.archive import index, pack, show
from wetread.cli.baseline import baseline
from wetread.cli.bundle import bundle
from wetread.cli.evaluate import evaluate
from wetread.cli.examples import WithExamples
from wetread.cli.explore import explore
from wetread.cli.export import export
from wetread.cli.learn import blend, calibrate, features, predict, score, train
from wetread.cli.montage import montage
from wetread.cli.options import FAILED
from wetread.cli.phantoms import demo, doctor, phantom
from wetread.cli.runs import runs
from wetread.cli.scroll import scroll
from wetread.cli.segment import segment
from wetread.cli.several import end_process, run_among_processes, says_why, speaker
from wetread.cli.stop import INTERRUPTED, end_stopped, interrupts_answered
from wetread.cli.task import task
from wetread.cli.windows import windows

app = typer.Typer(
    help="From a raw DICOM archive to findings. Research use only, not for diagnosis.",
    epilog="Exit codes: 0 done; 1 failed; 2 wrong use; 3 done, with something refused; "
    "130 stopped.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# In the order of the help: an archive, what is learned from it, what is looked at, the rest.
COMMANDS = (
    *(index, show, explore, pack),
    *(baseline, train, evaluate, calibrate, predict, bundle, blend, features, score),
    *(windows, montage, scroll, export, segment),
    *(phantom, demo, doctor),
)
for command in COMMANDS:
    app.command(cls=WithExamples)(command)
app.add_typer(runs, name="runs")
app.add_typer(task, name="task")


def _print_version(is_set: bool) -> None:
    if is_set:
        sys.stdout.write(f"wetread {wetread.__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="the version alone"),
    ] = False,
) -> None:
    """From a raw DICOM archive to findings. Research use only, not for diagnosis."""


def main() -> None:
    """Run a command; an error of ours is one line on stderr that says what to do."""
    with interrupts_answered():
        try:
            _run()
        except KeyboardInterrupt:
            end_stopped()


def _run() -> NoReturn:
    from wetread.cli.errors import exit_code_and_message

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a sign
    warnings.showwarning = _show_warning
    try:
        code = run_among_processes(_command)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads it has enough: `wetread show F | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        end_process(FAILED)
    except Exception as error:
        if not says_why():
            end_process(FAILED)
        outcome = exit_code_and_message(error)
        if outcome is None:
            for line in "".join(traceback.format_exception(error)).splitlines():
                sys.stderr.write(f"{visible(line)}\n")
            end_process(FAILED)
        _stop(*outcome)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    end_process(code)


def _command() -> int | None:
    """Run what the command line says, and return its exit code; None: done."""
    code: int | None = app(sys.argv[1:] or ["--help"], standalone_mode=False, prog_name="wetread")
    return code


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning of ours as one line on stderr; others as Python does."""
    if category.__module__.startswith("wetread."):
        sys.stderr.write(f"wetread: {visible(str(message))}\n")
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line)
        (file or sys.stderr).write(text)


def _stop(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"wetread: {speaker()}{visible(' '.join(message.splitlines()))}\n")
    end_process(code)


if __name__ == "__main__":
    main()
