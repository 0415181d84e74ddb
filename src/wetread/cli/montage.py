"""cli/montage.py: the command `wetread montage`: slices side by side as one PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wetread.archive.plural import plural
from wetread.cli.options import DONE, REFUSED, AsHU, AsJson, Out, Seed, Workers, print_result
from wetread.cli.progress import bars


def montage(
    src: Annotated[Path, typer.Argument(metavar="SRC", help="a folder, zip, file or index")],
    out: Out,
    layout: Annotated[
        str, typer.Option(help="study, random, findings, windows or repair")
    ] = "study",
    window: Annotated[
        list[str] | None,
        typer.Option(help="mode or window: brain, 40/80, bsb; several of findings and windows"),
    ] = None,
    columns: Annotated[int | None, typer.Option(min=1, help="panels in a row")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="slices; of findings: of each")] = None,
    series: Annotated[str | None, typer.Option(help="SeriesInstanceUID to show")] = None,
    labels: Annotated[Path | None, typer.Option(help="label file of `findings`")] = None,
    task: Annotated[str | None, typer.Option(help="the task whose labels they are")] = None,
    size: Annotated[int, typer.Option(min=32, max=1024, help="px of a panel")] = 256,
    seed: Seed = 0,
    as_hu: AsHU = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Set slices side by side: a study, random ones, findings, windows, or repairs."""
    from wetread.verbs.montage.montage import montage as run

    with bars() as report:
        result = run(
            src,
            out,
            layout=layout,
            windows=window or (),
            columns=columns,
            count=count,
            series=series,
            labels=labels,
            task=task,
            seed=seed,
            size=size,
            as_hu=as_hu,
            workers=workers,
            report=report,
        )
    lines = [
        f"{plural(len(result.panels), 'panel')} in rows of {result.columns}",
        f"picture: {result.picture}",
    ]
    if result.refused:
        lines.insert(
            1, f"{plural(result.refused, 'file')} cannot be used; wetread show {src} says why"
        )
    print_result(result.to_dict(), lines, as_json)
    raise typer.Exit(REFUSED if result.refused else DONE)
