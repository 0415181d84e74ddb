"""verbs/runs/compare.py: runs of one task in pairs, on what both scored and did not learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.plural import plural
from wetread.archive.types import Float64Array, JsonObject, StrPath
from wetread.evaluation.comparison import Difference, compare_predictions
from wetread.evaluation.evaluate import LabeledRows
from wetread.inputs.patients import name_by_deal_order
from wetread.tasks import Task, kept_task
from wetread.training.about import read_about, read_run_recipe
from wetread.training.predictions import FILE, LevelPredictions, from_table, read_predictions

LEVELS = ("image", "study")
FEWEST = 2  # patients that both scored: of one there is no interval


@dataclass(frozen=True, eq=False)
class RunComparison:
    """The first run minus another, in pairs, of the rows that both scored.

    patients, images: that both scored; first_alone, second_alone: images that one of them did.
    splits:      what each scored: held_out, out_of_fold.
    truth_differs: labels that the two have otherwise, left out.
    differences: metric by metric, by image and study; the task's own metric first.
    """

    first: str
    second: str
    task: str
    headline: str
    patients: int
    images: int
    first_alone: int
    second_alone: int
    splits: tuple[str, str]
    truth_differs: int
    differences: tuple[Difference, ...]

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        names = ("first", "second", "task", "patients", "images", "first_alone", "second_alone",
                 "truth_differs")  # fmt: skip
        return {
            **{name: getattr(self, name) for name in names},
            "splits": list(self.splits),
            "differences": [one.to_dict() | {"minus": self.second} for one in self.differences],
        }


@dataclass(frozen=True, eq=False)
class _Scored:
    """A finished run's predictions by level, and its task."""

    folder: Path
    task: Task
    seed: int
    levels: dict[str, LevelPredictions]


def compare_runs(first: StrPath, *others: StrPath) -> tuple[RunComparison, ...]:
    """Compare a run with each of the others, on the images and studies that both scored held out or
    out of fold: each metric's difference with its interval, over patients drawn for both alike.

    Raises ValueError where no other is given, a run is not finished, its task is another, or fewer
    than two patients were scored by both; DamagedFileError where a file of it is damaged.
    """
    if not others:
        raise ValueError("a comparison is of two runs or more")
    one = _open(Path(first))
    return tuple(_compare(one, _open(Path(other))) for other in others)


def _open(folder: Path) -> _Scored:
    if not (folder / FILE).is_file():
        raise ValueError(f"{folder}: no {FILE} in it; no run, or one to train on")
    recipe = read_run_recipe(folder)
    task = kept_task(folder, read_about(folder)["task"]).for_recipe(recipe)
    findings = {level: task.at(level) for level in LEVELS}
    table = name_by_deal_order(read_predictions(folder / FILE, findings), folder)
    found = {level: from_table(table, level, findings[level]) for level in LEVELS}
    levels = {level: part for level, part in found.items() if part is not None}
    return _Scored(folder, task, recipe.seed, levels)


def _compare(one: _Scored, other: _Scored) -> RunComparison:
    if one.task.name != other.task.name or one.task.findings != other.task.findings:
        raise ValueError(
            f"{one.folder} is of {one.task.name} and {other.folder} of {other.task.name}, or of "
            "other findings; runs of one task are compared"
        )
    first, second = one.levels["image"], other.levels["image"]
    shared = set(first.ids) & set(second.ids)
    rows = pl.DataFrame({"id": first.ids, "patient": first.patients})
    patients = rows.filter(pl.col("id").is_in(shared))["patient"].n_unique()
    if patients < FEWEST:
        raise ValueError(
            f"{one.folder} and {other.folder}: {plural(patients, 'patient')} scored by both, at "
            f"least {FEWEST} are needed; compare runs of the same archive, dealt alike "
            "(the same seed and folds), or all of it in folds"
        )
    found: list[Difference] = []
    differs = 0
    for level, part in one.levels.items():
        if level in other.levels:
            paired, conflicts = _pair(one, part, other.levels[level])
            found += paired
            differs += conflicts
    return RunComparison(
        first=str(one.folder),
        second=str(other.folder),
        task=one.task.name,
        headline=one.task.headline,
        patients=patients,
        images=len(shared),
        first_alone=len(first.ids) - len(shared),
        second_alone=len(second.ids) - len(shared),
        splits=(first.split, second.split),
        truth_differs=differs,
        differences=tuple(found),
    )


def _pair(
    one: _Scored, first: LevelPredictions, second: LevelPredictions
) -> tuple[list[Difference], int]:
    """Compare one level of two runs; and count labels that they have otherwise."""
    probability, truth = (
        aligned(first, second, values) for values in (second.probability, second.truth)
    )
    missing = np.isnan(probability)
    same = (first.truth == truth) | (np.isnan(first.truth) & np.isnan(truth))
    conflicts = ~same & ~missing
    rows = LabeledRows(
        np.where(conflicts, np.nan, first.truth), first.findings, first.patients, first.level,
        first.split, one.task.metric,
    )  # fmt: skip
    differences = compare_predictions(
        rows, first.probability, probability, np.random.default_rng(one.seed),
        official=first.level in one.task.spec.official_levels,
    )  # fmt: skip
    return differences, int(conflicts.sum())


def aligned(
    first: LevelPredictions, second: LevelPredictions, values: Float64Array
) -> Float64Array:
    """Put values (M, F) of the second's rows in the order of the first's, (N, F); NaN where the
    second has none."""
    place = {name: row for row, name in enumerate(second.ids)}
    rows = np.array([place.get(name, -1) for name in first.ids], np.int64)
    found: Float64Array = np.where(rows[:, None] >= 0, values[rows], np.nan)
    return found
