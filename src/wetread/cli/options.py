"""cli/options.py: options that commands share, exit codes, and how a result is printed."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from wetread.cli.examples import task_names
from wetread.cli.option_names import name_options
from wetread.cli.text import wrapped

DONE, FAILED, WRONG_USE, REFUSED = 0, 1, 2, 3

# `index` makes an index; what comes after it takes one in place of the files.
Files = Annotated[list[Path], typer.Argument(metavar="SRC...", help="folders, zips, tars or files")]
Sources = Annotated[
    list[Path],
    typer.Argument(metavar="SRC...", help="folders, zips, tars or files; or one index (.parquet)"),
]
Out = Annotated[Path, typer.Option("-o", "--out", help="where the result goes")]
Workers = Annotated[int | None, typer.Option(min=1, help="processes; default: all cores")]
ClusterAddress = Annotated[
    str | None, typer.Option(metavar="ADDR", help="a Dask scheduler, tcp://HOST:8786")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, and nothing else there")]
TaskName = Annotated[
    str,
    typer.Argument(
        metavar="TASK", help="one of those below, or a task's TOML file", autocompletion=task_names
    ),
]
Repair = Annotated[
    bool, typer.Option("--repair/--no-repair", help="wrong intercepts, confirmed on the pixels")
]
AsHU = Annotated[
    bool, typer.Option("--as-hu", help="take CT as HU where the header does not say so")
]
Data = Annotated[list[Path], typer.Option(help="folders, zips, files, or one index; repeatable")]
LabelFiles = Annotated[
    list[str] | None, typer.Option(help="label file, CSV:COLUMN, or NIfTI mask; repeatable")
]
LabelColumns = Annotated[
    list[str] | None, typer.Option(help="one's own labels: id=COLUMN, FINDING=COLUMN")
]
PatientsFile = Annotated[
    str | None, typer.Option(help="CSV image,patient (or CSV:IMAGE,PATIENT), or: study")
]
ClearPatients = Annotated[
    bool,
    typer.Option(
        "--clear-patients", help="keep PatientIDs and times as they are in what is written"
    ),
]
At = Annotated[
    str | None,
    typer.Option(help="flag studies at sensitivity=SHARE or specificity=SHARE of the run"),
]
BlendRuns = Annotated[
    bool, typer.Option("--blend", help="weigh the runs as is best for patients unseen by them")
]
Verify = Annotated[
    bool,
    typer.Option("--verify", help="read all pixels again that earlier work was made of"),
]
Seed = Annotated[int, typer.Option(min=0, help="the one source of randomness")]


def done_code(made: int, refused: int) -> int:
    """Return 1 where nothing was made, 3 where something was refused, else 0."""
    if not made:
        return FAILED
    return REFUSED if refused else DONE


def print_result(values: object, lines: Sequence[str], as_json: bool) -> None:
    """Print a result to stdout, as JSON or as lines; the one place that does."""
    text = json.dumps(values, indent=2) if as_json else "\n".join(wrapped(map(name_options, lines)))
    sys.stdout.write(text + "\n")


def pairs(given: list[str]) -> dict[str, str]:
    """Return ["id=image", "any=blood"] as a mapping; ValueError for what is no pair."""
    parts = [pair.partition("=") for pair in given]
    wrong = [key for key, equals, value in parts if not (key and equals and value)]
    if wrong:
        raise ValueError(f"--column {wrong[0]}: give NAME=COLUMN, as in --column id=image")
    return {key: value for key, _, value in parts}


def read_numbers(given: str | None) -> list[float]:
    """Read "0.7,0.3" as numbers; ValueError where one is none."""
    try:
        return [float(part) for part in given.split(",")] if given else []
    except ValueError:
        raise ValueError(f"--weights {given}: give numbers, as in --weights 0.7,0.3") from None


def read_by_finding(given: list[str], option: str, word: str) -> dict[str, float]:
    """Read ["any=0.05"] as a mapping; ValueError where a number is none, or a finding stands twice.
    word: what the number is."""
    found = {}
    for pair in given:
        name, _, number = pair.partition("=")
        try:
            if name in found:
                raise ValueError
            found[name] = float(number)
        except ValueError:
            raise ValueError(
                f"{option} {pair}: give FINDING={word}, each finding once, as in {option} any=0.05"
            ) from None
    return found
