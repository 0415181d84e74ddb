"""cli/main.py: the command `wetread`: every verb as a command, exit codes, one line an error.

Exit codes: 0 done; 1 failed; 2 wrong use; 3 done, with something refused.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from wetread.cli import tell
from wetread.cli.export import export
from wetread.cli.montage import montage
from wetread.cli.options import (
    DONE,
    FAILED,
    REFUSED,
    WRONG_USE,
    AsJson,
    ClusterAddress,
    Out,
    Repair,
    Seed,
    Sources,
    TaskName,
    Workers,
    print_result,
)
from wetread.cli.progress import bars
from wetread.cli.scroll import scroll
from wetread.cli.windows import windows

INTERRUPTED = 130  # what Typer makes of Ctrl-C

app = typer.Typer(
    help="From a raw DICOM archive to findings. Research use only, not for diagnosis.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def index(
    src: Sources,
    out: Out,
    repair: Repair = True,
    table: Annotated[
        str | None, typer.Option("--format", help="csv or parquet: a flat table as well")
    ] = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    as_json: AsJson = False,
) -> None:
    """What there is and what is broken: every file as a row, or as a reject with its reason."""
    from wetread.verbs.index import index as run

    with bars() as report:
        found = run(
            src,
            out,
            workers=workers,
            cluster=cluster,
            report=report,
            repair=repair,
            table=table,
        )
    print_result(found.counts(), tell.index_lines(found, out), as_json)
    refused = found.rejects.filter(found.rejects["reason"] != "not_dicom").height
    raise typer.Exit(REFUSED if refused else DONE)


@app.command()
def show(
    path: Annotated[Path, typer.Argument(metavar="FILE|DIR|ZIP", help="one file, or a tree")],
    member: Annotated[str | None, typer.Option(help="one file inside a zip or tar")] = None,
    picture: Annotated[Path | None, typer.Option(help="the file's picture, as PNG")] = None,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="print names, ids and dates too")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="long values and sequences whole")] = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """One file (header, pixels, picture), or what lies in a folder, zip or tar."""
    from wetread.cli import show_text
    from wetread.verbs.show import ShownFile, header_of
    from wetread.verbs.show import show as look

    with bars() as report:
        found = look(path, member=member, picture=picture, workers=workers, report=report)
    width, extent = show_text.terminal_width(), "full" if full else "short"
    if as_json:
        print_result(found.as_dict(), [], as_json)
    elif isinstance(found, ShownFile):
        lines = header_of(found, identifiers="show" if identifiers else "withhold")
        show_text.print_lines(show_text.header_text(lines, width, extent))
        show_text.print_lines(show_text.file_text(found, width))
    else:
        show_text.print_lines(show_text.tree_text(found, width))
    raise typer.Exit(REFUSED if found.refused else DONE)


@app.command()
def pack(
    index_file: Annotated[Path, typer.Argument(metavar="INDEX")],
    out: Out,
    size: Annotated[int | None, typer.Option(min=8, help="pixels a side; default: full")] = None,
    workers: Workers = None,
    cluster: ClusterAddress = None,
    as_json: AsJson = False,
) -> None:
    """Packed slices with random access, the stored integers kept."""
    from wetread.verbs.pack import pack as run

    with bars() as report:
        store = run(index_file, out, size=size, workers=workers, cluster=cluster, report=report)
    counts = {"slices": len(store), "rejects": store.rejects.height, "bytes": store.disk_bytes}
    print_result(counts, [tell.counted(counts), f"store: {out}"], as_json)
    raise typer.Exit(REFUSED if store.rejects.height else DONE)


@app.command()
def train(
    task: TaskName,
    data: Annotated[list[Path], typer.Option(help="folders, zips or an index; repeatable")],
    out: Out,
    labels: Annotated[
        list[str] | None, typer.Option(help="label file, or CSV:COLUMN; repeatable")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="one's own labels: id=COLUMN, FINDING=COLUMN")
    ] = None,
    patients: Annotated[
        str | None, typer.Option(help="CSV image,patient (or CSV:IMAGE,PATIENT) to split by")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=0, help="0: one split; K: out-of-fold scores")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    seed: Seed = 0,
    recipe: Annotated[str | None, typer.Option(help="a name, or a TOML file")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value")] = None,
    weights: Annotated[Path | None, typer.Option(help="start from this state dict")] = None,
    pretrained: Annotated[
        bool | None,
        typer.Option("--pretrained/--no-pretrained", help="from ImageNet weights of an extra"),
    ] = None,
    repair: Repair = True,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Learn a task from an archive and its labels; ends with honest scores and a page."""
    from wetread.verbs.train import train as run

    with bars() as report:
        result = run(
            task,
            data,
            out,
            labels=labels or (),
            columns=_pairs(column or []),
            patients=patients,
            folds=folds,
            epochs=epochs,
            seed=seed,
            recipe=recipe,
            settings=settings or (),
            weights=weights,
            pretrained=pretrained,
            workers=workers,
            report=report,
            repair=repair,
        )
    print_result(result.as_dict(), tell.run_lines(result), as_json)


@app.command()
def evaluate(run: Annotated[Path, typer.Argument(metavar="RUN")], as_json: AsJson = False) -> None:
    """Scores with intervals beside their baselines, from a run's predictions; the page anew."""
    from wetread.verbs.evaluate import evaluate as score_run

    scores = score_run(run)
    print_result(
        scores, [*tell.score_lines(scores["scores"]), f"page: {run / 'page.html'}"], as_json
    )


@app.command()
def predict(
    src: Sources,
    run: Annotated[list[Path], typer.Option(help="a run; repeat it to average several")],
    out: Out,
    sample: Annotated[Path | None, typer.Option(help="sample submission, for its order")] = None,
    repair: Repair = True,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Readings of studies never seen: JSON, worklist, probabilities, submission."""
    from wetread.verbs.predict import predict as read

    with bars() as report:
        result = read(src, run, out, sample=sample, workers=workers, report=report, repair=repair)
    print_result(result.as_dict(), tell.prediction_lines(result), as_json)
    raise typer.Exit(REFUSED if result.refused else DONE)


@app.command()
def score(
    task: TaskName,
    truth: Annotated[Path, typer.Option(help="label file in the competition's form")],
    submission: Annotated[Path, typer.Option(help="probabilities in the same form")],
    patients: Annotated[
        str | None, typer.Option(help="CSV image,patient (or CSV:IMAGE,PATIENT): intervals")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The official metric of a submission; names the ids that are missing or too many."""
    from wetread.verbs.score import as_dict
    from wetread.verbs.score import score as run

    result = run(task, truth, submission, patients=patients)
    print_result(as_dict(result), tell.submission_lines(result), as_json)


@app.command()
def phantom(
    task: TaskName,
    out: Out,
    studies: Annotated[int, typer.Option(min=1)] = 20,
    seed: Seed = 0,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """An archive of known truth, as DICOM in the competition's layout with its label file."""
    from wetread.verbs.phantom import phantom as run

    with bars() as report:
        counts = run(task, out, studies=studies, seed=seed, workers=workers, report=report)
    print_result(counts, [tell.counted(counts), f"archive: {out}"], as_json)


@app.command()
def demo(
    out: Out,
    task: Annotated[str | None, typer.Argument(metavar="[TASK]")] = None,
    seed: Seed = 0,
    studies: Annotated[int | None, typer.Option(min=12, help="default: the task's own")] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """The whole path on phantoms: archive, index, training, honest scores, readings, page."""
    from wetread.verbs.demo import demo as run

    with bars() as report:
        result = run(out, task, seed=seed, studies=studies, workers=workers, report=report)
    print_result(result.as_dict(), tell.demo_lines(result), as_json)


app.command()(export)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Versions, devices, decoders, and which transfer syntaxes can be read here."""
    from wetread.verbs.doctor import doctor as run

    found = run()
    print_result(found, tell.doctor_lines(found), as_json)


app.command()(scroll)
app.command()(windows)
app.command()(montage)


def _pairs(given: list[str]) -> dict[str, str]:
    """["id=image", "any=blood"] as a mapping."""
    parts = [pair.partition("=") for pair in given]
    wrong = [key for key, equals, value in parts if not (key and equals and value)]
    if wrong:
        raise ValueError(f"--column {wrong[0]}: give NAME=COLUMN, as in --column id=image")
    return {key: value for key, _, value in parts}


def main() -> None:
    """Run a command; an error of ours is one line on stderr that says what to do."""
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
        _stop(FAILED, "stopped; the same command goes on where it was")
    sys.exit(code)


def _stop(code: int, message: str) -> NoReturn:
    sys.stderr.write(f"wetread: {message.replace(chr(10), ' ')}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
