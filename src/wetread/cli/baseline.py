"""cli/baseline.py: the command baseline: the floor under every score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wetread.cli.baseline_text import baseline_lines
from wetread.cli.options import (
    DONE,
    REFUSED,
    AsHU,
    AsJson,
    ClearPatients,
    Data,
    LabelColumns,
    LabelFiles,
    Out,
    PatientsFile,
    Repair,
    Seed,
    TaskName,
    Workers,
    pairs,
    print_result,
)
from wetread.cli.progress import bars


def baseline(
    task: TaskName,
    data: Data,
    out: Out,
    labels: LabelFiles = None,
    column: LabelColumns = None,
    patients: PatientsFile = None,
    folds: Annotated[int, typer.Option(min=2, help="parts of the patients")] = 5,
    seed: Seed = 0,
    unseen: Annotated[
        list[Path] | None,
        typer.Option(help="images without labels, for a submission of each; repeatable"),
    ] = None,
    sample: Annotated[Path | None, typer.Option(help="sample submission, for its order")] = None,
    repair: Repair = True,
    as_hu: AsHU = False,
    clear_patients: ClearPatients = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Score what sees no lesion: prior, place in the series, histogram, header."""
    from wetread.verbs.baseline.baseline import baseline as run

    with bars() as report:
        result = run(
            task,
            data,
            out,
            labels=labels or (),
            columns=pairs(column or []),
            patients=patients,
            folds=folds,
            seed=seed,
            unseen=unseen or (),
            sample=sample,
            workers=workers,
            report=report,
            repair=repair,
            as_hu=as_hu,
            clear_patients=clear_patients,
        )
    print_result(result.to_dict(), baseline_lines(result), as_json)
    raise typer.Exit(REFUSED if result.refused else DONE)
