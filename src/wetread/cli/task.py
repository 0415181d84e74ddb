"""cli/task.py: the commands of a task's file: task new, task check, task show, task list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wetread.cli.examples import task_names
from wetread.cli.options import DONE, REFUSED, AsJson, Workers, print_result
from wetread.cli.progress import bars
from wetread.cli.task_text import check_lines, list_lines, new_lines

task = typer.Typer(
    help="Describe a task of one's own in a file: draft, check, show, list.",
    no_args_is_help=True,
)
Labels = Annotated[list[Path], typer.Option(help="label file; repeatable")]
Data = Annotated[
    Path | None, typer.Option(help="the images: an index (.parquet), a folder or a zip")
]


@task.command(
    "new", epilog="Example: wetread task new --labels labels.csv --data index.parquet -o mine.toml"
)
def new(
    labels: Annotated[Path, typer.Option(help="label file: CSV, Parquet, JSON lines")],
    out: Annotated[Path, typer.Option("-o", "--out", help="the file to write, .toml")],
    data: Data = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Draft a task's file from a label file, and the images that it speaks of."""
    from wetread.verbs.task.new import new_task as run

    with bars() as report:
        found = run(labels, out, data=data, workers=workers, report=report)
    print_result(found.to_dict(), new_lines(found), as_json)


@task.command(
    "check", epilog="Example: wetread task check mine.toml --labels labels.csv --data index.parquet"
)
def check(
    name: Annotated[
        str, typer.Argument(metavar="TASK", help="a file, or a name", autocompletion=task_names)
    ],
    labels: Labels,
    data: Data = None,
    patients: Annotated[
        Path | None, typer.Option(help="a CSV of image (or study) and patient, as for train")
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Count what a task would learn, before anything is learned."""
    from wetread.verbs.task.check import check_task as run

    with bars() as report:
        found = run(name, labels, data=data, patients=patients, workers=workers, report=report)
    print_result(found.to_dict(), check_lines(found), as_json)
    raise typer.Exit(DONE if found.learnable else REFUSED)


@task.command("show", epilog="Example: wetread task show hemorrhage")
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="TASK", help="a file, a name or a run", autocompletion=task_names),
    ],
) -> None:
    """Print the file of a task; of a task of the package what of it a file can say."""
    from wetread.verbs.task.show import show_task as run

    typer.echo(run(name), nl=False)


@task.command("list", epilog="Example: wetread task list")
def list_tasks(as_json: AsJson = False) -> None:
    """List the tasks of the package."""
    from wetread.tasks import TASKS

    found = {one.name: one.title for one in TASKS.values()}
    print_result(found, list_lines(TASKS.values()), as_json)
