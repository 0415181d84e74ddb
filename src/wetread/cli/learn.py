"""cli/learn.py: the commands that learn and read: train, calibrate, predict, features, score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wetread.archive.plural import plural
from wetread.cli.calibration_text import calibration_lines
from wetread.cli.examples import recipe_names
from wetread.cli.options import (
    DONE,
    REFUSED,
    AsHU,
    AsJson,
    At,
    BlendRuns,
    ClearPatients,
    ClusterAddress,
    Data,
    LabelColumns,
    LabelFiles,
    Out,
    PatientsFile,
    Repair,
    Seed,
    Sources,
    TaskName,
    Verify,
    Workers,
    done_code,
    pairs,
    print_result,
    read_by_finding,
    read_numbers,
)
from wetread.cli.prediction_text import prediction_lines
from wetread.cli.progress import bars
from wetread.cli.text import feature_lines, fold_lines, run_lines, submission_lines

if TYPE_CHECKING:
    from wetread.verbs.predict.predict import Prediction


def train(
    task: TaskName,
    data: Data,
    out: Out,
    labels: LabelFiles = None,
    column: LabelColumns = None,
    patients: PatientsFile = None,
    folds: Annotated[
        int | None, typer.Option(min=0, help="0: one split; K: out-of-fold scores")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="passes over the training images; default: the recipe's"),
    ] = None,
    fold: Annotated[
        int | None, typer.Option(metavar="K", help="fit this fold alone, one of 0 to folds - 1")
    ] = None,
    seed: Seed = 0,
    recipe: Annotated[
        str | None, typer.Option(help="a name, or a TOML file", autocompletion=recipe_names)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="a setting of the recipe, key=value; repeatable"),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="start from these: state dict, TorchScript, ONNX")
    ] = None,
    pretrained: Annotated[
        bool | None,
        typer.Option("--pretrained/--no-pretrained", help="from ImageNet weights of an extra"),
    ] = None,
    repair: Repair = True,
    as_hu: AsHU = False,
    clear_patients: ClearPatients = False,
    verify: Verify = False,
    cluster: ClusterAddress = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Learn a task from an archive and its labels; score unseen patients, write a page."""
    from wetread.verbs.train.train import train as run

    with bars() as report:
        result = run(
            task,
            data,
            out,
            labels=labels or (),
            columns=pairs(column or []),
            patients=patients,
            folds=folds,
            epochs=epochs,
            seed=seed,
            recipe=recipe,
            settings=settings or (),
            weights=weights,
            pretrained=pretrained,
            fold=fold,
            cluster=cluster,
            workers=workers,
            report=report,
            repair=repair,
            as_hu=as_hu,
            clear_patients=clear_patients,
            verify=verify,
        )
    if result.missing:
        print_result(result.to_dict(), fold_lines(result), as_json)
        raise typer.Exit(DONE)
    print_result(result.to_dict(), run_lines(result), as_json)
    raise typer.Exit(REFUSED if result.refused else DONE)


def predict(
    src: Sources,
    out: Out,
    run: Annotated[
        list[Path] | None, typer.Option(help="a run; repeat it to average several")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="a bundle in place of runs; read without torch")
    ] = None,
    sample: Annotated[Path | None, typer.Option(help="sample submission, for its order")] = None,
    prevalence: Annotated[
        list[str] | None,
        typer.Option(metavar="FINDING=SHARE", help="of studies that have it, if known; repeatable"),
    ] = None,
    at: At = None,
    blend: BlendRuns = False,
    repair: Repair = True,
    as_hu: AsHU = False,
    scroll: Annotated[
        int, typer.Option(min=0, help="pages to scroll, of so many most urgent studies")
    ] = 0,
    dicom: Annotated[
        bool, typer.Option("--dicom", help="write each study's report, masks, key slices as DICOM")
    ] = False,
    dicom_replace: Annotated[
        bool,
        typer.Option("--dicom-replace", help="and where headers are not legal, with replacements"),
    ] = False,
    dicom_masks: Annotated[
        str, typer.Option(help="binary, or labelmap: how a DICOM Segmentation has the masks")
    ] = "binary",
    clear_patients: ClearPatients = False,
    verify: Verify = False,
    cluster: ClusterAddress = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Read new studies: JSON, worklist, page, probabilities, submission."""
    from wetread.verbs.predict.objects import ObjectOptions
    from wetread.verbs.predict.predict import predict as read

    wanted = dicom or dicom_replace
    with bars() as report:
        result = read(
            src,
            run or (),
            out,
            bundle=bundle,
            sample=sample,
            prevalence=read_by_finding(prevalence or [], "--prevalence", "SHARE"),
            at=at,
            blend=blend,
            cluster=cluster,
            workers=workers,
            report=report,
            repair=repair,
            as_hu=as_hu,
            scroll=scroll,
            clear_patients=clear_patients,
            verify=verify,
            objects=ObjectOptions(dicom_replace, dicom_masks) if wanted else None,
        )
    print_result(result.to_dict(), prediction_lines(result), as_json)
    raise typer.Exit(_prediction_code(result))


def calibrate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="a run's folder")],
    data: Annotated[
        list[Path], typer.Option(help="studies of the new site; as for train; repeatable")
    ],
    labels: Annotated[list[str], typer.Option(help="label file, or CSV:COLUMN; repeatable")],
    out: Out,
    column: LabelColumns = None,
    patients: PatientsFile = None,
    repair: Repair = True,
    as_hu: AsHU = False,
    clear_patients: ClearPatients = False,
    verify: Verify = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Fit a run's probabilities to a new site on a few labeled studies of it."""
    from wetread.verbs.calibrate.calibrate import calibrate as fit

    with bars() as report:
        result = fit(
            run,
            data,
            out,
            labels=labels,
            columns=pairs(column or []),
            patients=patients,
            workers=workers,
            report=report,
            repair=repair,
            as_hu=as_hu,
            clear_patients=clear_patients,
            verify=verify,
        )
    print_result(result.to_dict(), calibration_lines(result), as_json)


def blend(
    submissions: Annotated[
        list[Path], typer.Argument(metavar="CSV...", help="submissions of the same images")
    ],
    out: Out,
    weights: Annotated[
        str | None, typer.Option(help="one a file, as in 0.7,0.3; default: all alike")
    ] = None,
    how: Annotated[str, typer.Option(help="mean, logit (mean of logits) or rank")] = "mean",
    remap: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FINDING=THRESHOLD", help="make a threshold one half; all=0.64 is of all"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Blend submissions of probabilities into one."""
    from wetread.verbs.blend import blend as run

    thresholds = read_by_finding(remap or [], "--remap", "THRESHOLD")
    result = run(submissions, out, weights=read_numbers(weights), how=how, remap=thresholds)
    shares = ", ".join(f"{share:.3f}" for share in result.weights)
    halves = ", ".join(f"{name}={one:g}" for name, one in result.remap.items())
    lines = [f"{plural(result.rows, 'row')}, {result.how} of {shares}: {result.out}"]
    lines += [f"re-mapped: {halves} became 0.5"] if halves else []
    print_result(result.to_dict(), lines, as_json)


def _prediction_code(result: Prediction) -> int:
    """1 where there was no study at all, 3 where something was refused or left unread, else 0."""
    return done_code(len(result.readings), result.refused + result.unread + result.without_objects)


def features(
    src: Sources,
    run: Annotated[Path, typer.Option(help="a run, whose encoders compute them")],
    out: Out,
    repair: Repair = True,
    as_hu: AsHU = False,
    clear_patients: ClearPatients = False,
    verify: Verify = False,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Encode slices and studies: the features of a run's encoders as a Parquet table."""
    from wetread.verbs.features import features as encode

    with bars() as report:
        result = encode(
            src,
            run,
            out,
            workers=workers,
            report=report,
            repair=repair,
            as_hu=as_hu,
            clear_patients=clear_patients,
            verify=verify,
        )
    print_result(result.to_dict(), feature_lines(result), as_json)
    raise typer.Exit(done_code(result.slices, result.refused))


def score(
    task: TaskName,
    truth: Annotated[list[str], typer.Option(help="label file, or CSV:COLUMN; repeatable")],
    submission: Annotated[Path, typer.Option(help="probabilities in the competition's form")],
    column: LabelColumns = None,
    patients: Annotated[
        str | None, typer.Option(help="CSV image,patient (or CSV:IMAGE,PATIENT): intervals")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Score a submission by its official metric; name ids that are missing or too many."""
    from wetread.verbs.score import count_computed
    from wetread.verbs.score import score as run

    result = run(task, truth, submission, patients=patients, columns=pairs(column or []))
    print_result(result.to_dict(), submission_lines(result), as_json)
    raise typer.Exit(done_code(count_computed(result), 0))
