"""cli/evaluate.py: the command evaluate: a run, or predictions of given data, scored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from wetread.cli.evaluation_text import evaluation_lines
from wetread.cli.examples import task_names
from wetread.cli.options import (
    AsJson,
    LabelColumns,
    LabelFiles,
    PatientsFile,
    done_code,
    pairs,
    print_result,
)
from wetread.cli.text import score_lines


def evaluate(
    given: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN|PREDICTIONS...",
            help="a run; or with labels: a folder of predict, its probabilities.csv or a "
            "submission, and one more to compare it with",
        ),
    ],
    labels: LabelFiles = None,
    readers: Annotated[
        Path | None, typer.Option(help="CSV of radiologists' calls, columns READER:FINDING")
    ] = None,
    column: LabelColumns = None,
    patients: PatientsFile = None,
    data: Annotated[
        Path | None, typer.Option(help="index of the archive, where predictions have none")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="where the predictions do not say", autocompletion=task_names),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="the run that predicted: what it says of itself")
    ] = None,
    threshold: Annotated[
        list[float] | None,
        typer.Option(help="call the headline from this probability on; repeatable"),
    ] = None,
    slides: Annotated[
        bool, typer.Option("--slides", help="a summary as slides too, to show or print")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="where the result goes; default: NAME-evaluation"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a run, or predictions of anybody's labeled data; write scores and a page."""
    if labels is None and readers is None:
        _refuse_without_labels(
            {
                "--column": column, "--patients": patients, "--data": data, "--task": task,
                "--run": run, "--threshold": threshold, "-o": out,
            }
        )  # fmt: skip
        _evaluate_run(given, as_json, slides=slides)
        return
    from wetread.verbs.evaluate.predictions import evaluate_predictions

    if len(given) > 2:
        raise ValueError(f"{len(given)} predictions; give one, or two to compare")
    result = evaluate_predictions(
        given[0],
        labels or (),
        out=out,
        readers=readers,
        against=given[1] if len(given) == 2 else None,
        patients=patients,
        columns=pairs(column or []),
        data=data,
        task=task,
        run=run,
        thresholds=threshold or (),
        slides=slides,
    )
    lines = evaluation_lines(result)
    lines += [f"slides: {result.out / 'slides.html'}"] if slides else []
    print_result(result.to_dict(), lines, as_json)
    raise typer.Exit(done_code(len(result.scores), 0))


def _refuse_without_labels(options: Mapping[str, object]) -> None:
    """Raise ValueError for options that only predictions have, which are scored by labels."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ValueError(
            f"{', '.join(given)}: of predictions alone, which need `labels` or `readers`; a run is "
            "scored by its own labels, into its own folder"
        )


def _evaluate_run(given: list[Path], as_json: bool, *, slides: bool) -> None:
    from wetread.inputs.predictions import PROBABILITIES
    from wetread.training.about import read_about
    from wetread.training.origin import describe_origin
    from wetread.verbs.evaluate.evaluate import evaluate as score_run

    if len(given) > 1:
        raise ValueError("several folders without labels; give `labels`, or one run")
    (run,) = given
    if run.is_file() or (run / PROBABILITIES).is_file():
        raise ValueError(f"{run} is no run; to score predictions give `labels` or `readers`")
    scores = score_run(run, slides=slides)
    origin = f"this run {describe_origin(read_about(run))}"
    lines = [origin, *score_lines(scores), f"page: {run / 'page.html'}"]
    lines += [f"slides: {run / 'slides.html'}"] if slides else []
    print_result(scores.to_dict(), lines, as_json)
