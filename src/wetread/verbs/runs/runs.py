"""verbs/runs/runs.py: folders in, a table of the runs in them out, finished or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_csv, write_output
from wetread.archive.files.paths import as_paths
from wetread.archive.files.table_file import write_table
from wetread.archive.notebook import table_html
from wetread.archive.types import JsonObject, StrPath, StrPaths
from wetread.evaluation.score import Score
from wetread.tasks import Task, TaskFileError, UnknownTaskError, kept_task
from wetread.training.record import DAMAGED, RunRecord, find_records

RUN_SCHEMA: dict[str, pl.DataType] = {
    "run": pl.String(),  # its name below the folder that was searched
    "folder": pl.String(),
    "state": pl.String(),  # finished, unscored, running, unfinished, damaged
    "reason": pl.String(),  # why it is not finished
    "task": pl.String(),
    "recipe": pl.String(),  # the name by which it was given; null in runs of before
    "encoder": pl.String(),
    "folds": pl.Int64(),  # 0: one split
    "seed": pl.Int64(),
    "networks": pl.Int64(),  # of slices, that have begun
    "epochs": pl.Int64(),  # of each network, as the recipe has them
    "epochs_done": pl.Int64(),  # of all networks together
    "metric": pl.String(),  # the task's own, over all findings
    "level": pl.String(),  # by which it is scored
    "score": pl.Float64(),
    "score_low": pl.Float64(),  # 95 % over resampled patients
    "score_high": pl.Float64(),
    "finding": pl.String(),  # the headline
    "auc_level": pl.String(),
    "auc": pl.Float64(),  # area under the headline's ROC curve
    "auc_low": pl.Float64(),
    "auc_high": pl.Float64(),
    "split": pl.String(),  # what was scored: held_out, out_of_fold
    "patients": pl.Int64(),  # that were scored
    "began": pl.String(),  # UTC
    "ended": pl.String(),  # null where the last session was killed
    "seconds": pl.Float64(),  # of all sessions that ended
    "processor": pl.String(),  # of the last session, as what follows
    "device": pl.String(),
    "device_name": pl.String(),
    "precision": pl.String(),
    "deterministic": pl.Boolean(),
    "wetread": pl.String(),
    "bytes": pl.Int64(),  # on the disk
}
FORMS = (".csv", ".parquet", ".json")


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs that were found, in the order of their names.

    table: a row a run, RUN_SCHEMA; what a run does not say is null.
    """

    table: pl.DataFrame

    @property
    def damaged(self) -> int:
        """How many have a file that cannot be read or is lost."""
        return int((self.table["state"] == DAMAGED).sum())

    def to_dict(self) -> dict[str, object]:
        """Return the rows as plain values, for JSON."""
        return {"runs": self.table.to_dicts()}

    def _repr_html_(self) -> str:
        """Return the table as HTML; a column in which nothing stands is left out."""
        empty = [one for one in self.table.columns if self.table[one].null_count() == len(self)]
        return table_html(self.table.drop(empty) if len(self) else self.table, "Runs")

    def __len__(self) -> int:
        return self.table.height


def runs(folders: StrPaths) -> Runs:
    """Find all runs at and below folders: finished, unfinished and damaged ones, each a row with
    its state and reason.

    folders: one or several. Raises FileNotFoundError where one is not there.
    """
    return runs_of([run_row(record) for record in find_records(as_paths(folders))])


def runs_of(rows: Sequence[JsonObject]) -> Runs:
    """Make rows of RUN_SCHEMA one table."""
    return Runs(pl.DataFrame(rows, schema=RUN_SCHEMA, orient="row"))


def export_runs(folders: StrPaths, out: StrPath) -> Runs:
    """Write the table of the runs at and below folders as CSV, Parquet or JSON, by the ending of
    `out`. Raises ValueError for another ending, FileNotFoundError where a folder is not there."""
    out = Path(out)
    if out.suffix not in FORMS:
        raise ValueError(f"{out}: a table of runs ends in {', '.join(FORMS)}")
    found = runs(folders)
    if out.suffix == ".csv":
        write_csv(out, found.table)
    elif out.suffix == ".parquet":
        write_table(found.table, out)
    else:
        text = json.dumps(found.to_dict(), indent=1, allow_nan=False)
        write_output(out, f"{text}\n".encode())
    return found


def run_row(record: RunRecord) -> JsonObject:
    """Return a run as a row of RUN_SCHEMA."""
    about, recipe = record.about or {}, record.recipe
    task = task_of(record)
    last = record.sessions[-1] if record.sessions else {}
    ended = [one["seconds"] for one in record.sessions if one.get("seconds") is not None]
    values: JsonObject = {
        "run": record.name,
        "folder": str(record.folder),
        "state": record.state,
        "reason": record.reason or _unknown_task(record, task),
        "task": about.get("task"),
        "recipe": about.get("recipe"),
        "networks": len(record.networks),
        "epochs_done": sum(len(one.epochs) for one in record.networks),
        "finding": None if task is None else task.headline,
        "patients": about.get("scored_on", {}).get("patients") if record.scores else None,
        "began": record.sessions[0]["began"] if record.sessions else None,
        "ended": last.get("ended"),
        "seconds": sum(ended) if ended else None,
        "bytes": record.bytes,
    }
    if recipe is not None:
        values |= {"encoder": recipe.encoder, "folds": recipe.folds, "seed": recipe.seed,
                   "epochs": recipe.epochs}  # fmt: skip
    of_machine = ("processor", "device", "device_name", "precision", "deterministic", "wetread")
    values |= {name: last.get(name) for name in of_machine}
    if task is not None:
        values |= _scored(record, task)
    return {name: values.get(name) for name in RUN_SCHEMA}


def _unknown_task(record: RunRecord, task: Task | None) -> str | None:
    if record.about is None or task is not None:
        return None
    return f"no task {record.about['task']!r} in this installation, so that no score is its own"


def task_of(record: RunRecord) -> Task | None:
    """Return a run's task; None where the run does not say, or this installation has none of it."""
    if record.about is None:
        return None
    try:
        task = kept_task(record.folder, record.about["task"])
        return task if record.recipe is None else task.for_recipe(record.recipe)
    except (TaskFileError, UnknownTaskError):
        return None


def _scored(record: RunRecord, task: Task) -> JsonObject:
    """Return the task's own score, and the area under the headline's ROC curve."""
    values: JsonObject = {}
    if (own := own_score(record, task)) is not None:
        values |= {"metric": own.metric, "level": own.level, "split": own.split,
                   "score": own.value, "score_low": own.low, "score_high": own.high}  # fmt: skip
    aucs = record.scores.find("roc_auc", finding=task.headline)
    if aucs:
        first = next((one for one in aucs if one.value is not None), aucs[0])
        values |= {"auc_level": first.level, "auc": first.value, "auc_low": first.low,
                   "auc_high": first.high}  # fmt: skip
    return values


def own_score(record: RunRecord, task: Task) -> Score | None:
    """Find a run's score by the task's own metric; None where it has none."""
    official = task.spec.official_levels[0]
    of_masks = record.scores.find("dice", level="pixel") if task.metric.name == "dice" else ()
    named: Sequence[Score] = record.scores.find(
        task.metric.of_probabilities.name, finding="all", level=official
    )
    found = [*of_masks, *named]
    return found[0] if found else None
