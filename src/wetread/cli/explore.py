"""cli/explore.py: the command explore: know an archive and its labels before a model does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wetread.archive.plural import plural
from wetread.cli.options import (
    DONE,
    FAILED,
    REFUSED,
    AsJson,
    LabelColumns,
    LabelFiles,
    PatientsFile,
    Seed,
    Workers,
    pairs,
    print_result,
)
from wetread.cli.progress import bars

if TYPE_CHECKING:
    from wetread.verbs.explore.exploration import Exploration


def explore(
    src: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SRC...]", help="folders, zips, tars or files; or one index (.parquet)"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="the page, .html")] = None,
    labels: LabelFiles = None,
    task: Annotated[
        str | None, typer.Option(help="a task or its file; default: the first that reads them")
    ] = None,
    column: LabelColumns = None,
    patients: PatientsFile = None,
    folds: Annotated[
        Path | None, typer.Option(help="a split to check: folds.json, or a table of ids and parts")
    ] = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="a second archive, of which none should be in SRC")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="a clinical table: ages, measurements, visits")
    ] = None,
    key: Annotated[str | None, typer.Option(help="its column of ids")] = None,
    run: Annotated[
        Path | None, typer.Option(help="whose out-of-fold predictions doubt labels")
    ] = None,
    pixels: Annotated[
        int | None,
        typer.Option(min=0, help="images whose pixels are compared; default: 5,000; 0: none"),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="DIR", help="every table as a CSV, too")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="exit code 3 where anything is on both sides")
    ] = False,
    seed: Seed = 0,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Show on one page what an archive and its labels hold, and what is wrong with them."""
    from wetread.verbs.explore.explore import explore as survey

    with bars() as report:
        found = survey(
            src or (),
            out=out,
            labels=labels or (),
            task=task,
            columns=pairs(column or []),
            patients=patients,
            folds=folds,
            against=against or (),
            clinical=table,
            key=key,
            run=run,
            pixels=pixels,
            csv=csv,
            seed=seed,
            workers=workers,
            report=report,
        )
    print_result(found.to_dict() if as_json else None, exploration_lines(found, csv), as_json)
    if src and not found.counts["images"] and not labels:
        raise typer.Exit(FAILED)
    raise typer.Exit(REFUSED if found.refused or (strict and found.leaks) else DONE)


def exploration_lines(found: Exploration, csv: Path | None) -> list[str]:
    """Return the counts, a line a warning, and where the page and the tables lie."""
    named = {"images": "image", "studies": "study", "patients": "patient", "labels": "label"}
    counts = [
        plural(count, noun)
        for name, noun in named.items()
        if (count := found.counts.get(name)) is not None
    ]
    lines = [", ".join(counts)] if counts else []
    for warning in found.warnings:
        lines.append(f"warning  {warning.name}: {warning.detail}")
        lines += [f"    {example}" for example in warning.examples[:2]]
    lines.append(f"{plural(len(found.warnings), 'warning')}")
    if found.refused:
        lines.append(f"{plural(found.refused, 'file')} refused: the page has the reasons")
    lines += [f"page: {found.page}"] if found.page else []
    lines += [f"tables: {csv}"] if csv else []
    return lines
