"""cli/main.py: the command `wetread`: every verb as a command, exit codes, one line an error.

Exit codes: 0 done; 1 failed; 2 wrong use; 3 done, with something refused; 130 stopped.
"""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer

import wetread
from wetread.cli.archive import index, pack, show
from wetread.cli.examples import WithExamples
from wetread.cli.export import export
from wetread.cli.learn import evaluate, predict, score, train
from wetread.cli.montage import montage
from wetread.cli.options import FAILED, WRONG_USE
from wetread.cli.phantoms import demo, doctor, phantom
from wetread.cli.scroll import scroll
from wetread.cli.segment import segment
from wetread.cli.stop import INTERRUPTED, end_stopped, interrupts_answered
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
    *(index, show, pack),
    *(train, evaluate, predict, score),
    *(windows, montage, scroll, export, segment),
    *(phantom, demo, doctor),
)
for command in COMMANDS:
    app.command(cls=WithExamples)(command)


def _tell_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"wetread {wetread.__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    asked: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="the version alone"),
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
    from wetread.cli.errors import OUR_FAILURES, OUR_WRONG_USE, WrongWords

    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except WrongWords as error:
        command = error.ctx.command_path if error.ctx else "wetread"
        _stop(WRONG_USE, f"{error.format_message().rstrip('.')}; ask {command} -h")
    except OUR_WRONG_USE as error:
        _stop(WRONG_USE, str(error))
    except OUR_FAILURES as error:
        _stop(FAILED, str(error))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    sys.exit(code)


def _stop(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"wetread: {message.replace(chr(10), ' ')}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
