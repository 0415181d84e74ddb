"""verbs/runs/plot.py: folders in, the curves of the runs in them as one page out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wetread.archive.files.paths import as_paths
from wetread.archive.plural import plural
from wetread.archive.types import JsonObject, StrPath, StrPaths
from wetread.evaluation.task_metric import METRIC_WORDS
from wetread.pages.charts import History
from wetread.pages.environment import spaced_words
from wetread.pages.runs_page import RunCurves, RunsSection, write_runs_page
from wetread.training.record import RunRecord, find_records
from wetread.verbs.runs.runs import RUN_SCHEMA, Runs, run_row, runs_of, task_of

COLUMNS = ("run", "state", "recipe", "splits", "seed", "epochs", "score", "ROC AUC",
           "patients scored", "time", "machine")  # fmt: skip
UNKNOWN = "Runs that do not say their task"


def plot_runs(folders: StrPaths, out: StrPath) -> Runs:
    """Write a page with the curves of the runs at and below folders: loss in training and the
    validation's scores by epoch, run beside run, task by task; and return the table of the runs.

    Raises FileNotFoundError where a folder is not there, ValueError where no run lies there.
    """
    records = find_records(as_paths(folders))
    if not records:
        places = ", ".join(str(path) for path in as_paths(folders))
        raise ValueError(f"no run in {places}; name a folder that wetread train wrote, or one over")
    rows = [run_row(record) for record in records]
    by_task: dict[str, list[tuple[RunRecord, JsonObject]]] = {}
    for record, row in sorted(
        zip(records, rows, strict=True), key=lambda pair: pair[1]["task"] is None
    ):
        by_task.setdefault(row["task"] or UNKNOWN, []).append((record, row))
    write_runs_page(Path(out), [_section(name, found) for name, found in by_task.items()])
    return runs_of(rows)


def _section(name: str, found: Sequence[tuple[RunRecord, JsonObject]]) -> RunsSection:
    tasks = [task for record, _ in found if (task := task_of(record)) is not None]
    metric = METRIC_WORDS["weighted_log_loss"]
    headline = tasks[0].headline if tasks else ""
    return RunsSection(
        title=tasks[0].title if tasks else name,
        metric=f"{metric} of images",
        auc=(f"roc_auc_{headline}", f"ROC AUC of {spaced_words(headline)} by image"),
        columns=COLUMNS,
        runs=tuple(
            RunCurves(
                record.name,
                tuple(History(one.name, one.epochs) for one in record.networks),
                _cells(row),
                row["state"],
                row["reason"] or "",
            )
            for record, row in found
        ),
    )


def _cells(row: JsonObject) -> tuple[tuple[str, str], ...]:
    assert set(row) == set(RUN_SCHEMA)
    return (
        (row["run"], ""),
        (row["state"], ""),
        (_text(row["recipe"] or row["encoder"]), ""),
        ("–" if row["folds"] is None else plural(row["folds"], "fold") if row["folds"] else "one",
         ""),
        (_text(row["seed"]), ""),
        (_text(row["epochs_done"]), ""),
        (_number(row["score"]), _interval(row["score_low"], row["score_high"])),
        (_number(row["auc"]), _interval(row["auc_low"], row["auc_high"])),
        (_text(row["patients"]), ""),
        ("–" if row["seconds"] is None else f"{row['seconds']:.0f} s", ""),
        (_text(row["device_name"]), row["precision"] or ""),
    )  # fmt: skip


def _text(value: object) -> str:
    return "–" if value is None else str(value)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f}–{high:.3f}"
