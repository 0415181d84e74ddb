"""cli/phantoms.py: the commands that need no data of one's own: phantom, demo, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from wetread.cli.examples import task_names
from wetread.cli.options import AsJson, Out, Seed, TaskName, Workers, print_result
from wetread.cli.progress import bars
from wetread.cli.text import counted, demo_lines, doctor_lines


def phantom(
    task: TaskName,
    out: Out,
    studies: Annotated[int, typer.Option(min=1, help="how many")] = 20,
    seed: Seed = 0,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Write an archive of known truth, as DICOM in the competition's layout with its labels."""
    from wetread.verbs.phantom import phantom as run

    with bars() as report:
        archive = run(task, out, studies=studies, seed=seed, workers=workers, report=report)
    counts = archive.to_dict()
    print_result(counts, [counted(counts), f"archive: {out}"], as_json)


def demo(
    out: Out,
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="[TASK]",
            help="one of those below; default: the first",
            autocompletion=task_names,
        ),
    ] = None,
    seed: Seed = 0,
    studies: Annotated[int | None, typer.Option(min=12, help="default: the task's own")] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole path on phantoms: archive, index, training, scores, readings, page."""
    from wetread.verbs.demo import demo as run

    with bars() as report:
        result = run(out, task, seed=seed, studies=studies, workers=workers, report=report)
    print_result(result.to_dict(), demo_lines(result), as_json)


def doctor(as_json: AsJson = False) -> None:
    """Report versions, devices, decoders, and which transfer syntaxes can be read here."""
    from wetread.verbs.doctor import doctor as run

    found = run()
    print_result(found.to_dict(), doctor_lines(found), as_json)
