"""cli/runs.py: the commands of runs: list (the default), compare, diff, plot, export, mirror."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wetread.cli.options import DONE, FAILED, REFUSED, AsJson, Out, print_result
from wetread.cli.runs_text import compare_lines, diff_lines, list_lines, mirror_lines, written_lines


class ListByDefault(TyperGroup):
    """A group whose first word may be a folder: it is then that of `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Typer's types differ by release
        """Put `list` before words that begin with none of the group's own."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["list", *args]
        return list(super().parse_args(ctx, args))


runs = typer.Typer(
    cls=ListByDefault,
    help="List, compare, draw and mirror runs; `wetread runs DIR...` lists.",
    no_args_is_help=True,
)
Folders = Annotated[
    list[Path], typer.Argument(metavar="DIR...", help="runs, or folders that hold some")
]


def runs_code(found: int, damaged: int) -> int:
    """Return 1 where no run was found, 3 where one is damaged, else 0."""
    if not found:
        return FAILED
    return REFUSED if damaged else DONE


@runs.command("list", epilog="Example: wetread runs list experiments/")
def list_runs(folders: Folders, as_json: AsJson = False) -> None:
    """List all runs in folders, finished or not, with their scores."""
    from wetread.verbs.runs.runs import runs as run

    found = run(folders)
    print_result(found.to_dict(), list_lines(found, folders), as_json)
    raise typer.Exit(runs_code(len(found), found.damaged))


@runs.command("compare", epilog="Example: wetread runs compare run other-run")
def compare(
    given: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="the first minus each other")
    ],
    as_json: AsJson = False,
) -> None:
    """Compare runs in pairs, on the patients that both scored."""
    from wetread.verbs.runs.compare import compare_runs

    found = compare_runs(given[0], *given[1:])
    print_result({"comparisons": [one.to_dict() for one in found]}, compare_lines(found), as_json)


@runs.command("diff", epilog="Example: wetread runs diff run other-run")
def diff(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="a run, finished or not")],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="another")],
    as_json: AsJson = False,
) -> None:
    """Name what differs between two runs: recipe, data, code, machine."""
    from wetread.verbs.runs.diff import diff_runs

    found = diff_runs(first, second)
    print_result(found.to_dict(), diff_lines(found), as_json)


@runs.command("plot", epilog="Example: wetread runs plot experiments/ -o curves.html")
def plot(folders: Folders, out: Out, as_json: AsJson = False) -> None:
    """Draw loss and validation scores by epoch as one page."""
    from wetread.verbs.runs.plot import plot_runs

    found = plot_runs(folders, out)
    print_result(found.to_dict() | {"page": str(out)}, written_lines(found, "page", out), as_json)
    raise typer.Exit(runs_code(len(found), found.damaged))


@runs.command("export", epilog="Example: wetread runs export experiments/ -o runs.csv")
def export(
    folders: Folders,
    out: Annotated[Path, typer.Option("-o", "--out", help="a .csv, .parquet or .json")],
    as_json: AsJson = False,
) -> None:
    """Write the table of runs for other programs."""
    from wetread.verbs.runs.runs import export_runs

    found = export_runs(folders, out)
    print_result(found.to_dict() | {"table": str(out)}, written_lines(found, "table", out), as_json)
    raise typer.Exit(runs_code(len(found), found.damaged))


@runs.command("mirror", epilog="Example: wetread runs mirror run --tensorboard logs")
def mirror(
    folders: Folders,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="LOGDIR", help="TensorBoard's folder of logs")
    ] = None,
    mlflow: Annotated[
        str | None, typer.Option(metavar="URI", help="MLflow's server or store")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write epochs and scores to TensorBoard or MLflow, each once."""
    from wetread.verbs.runs.mirror import mirror_runs

    found = mirror_runs(folders, tensorboard=tensorboard, mlflow=mlflow)
    print_result(found.to_dict(), mirror_lines(found), as_json)
    raise typer.Exit(runs_code(found.runs, len(found.left_out)))
