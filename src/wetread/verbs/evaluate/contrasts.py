"""verbs/evaluate/contrasts.py: groups of what is scored against the rest, and two predictions of it
in pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from wetread.archive.types import Float64Array
from wetread.evaluation.comparison import Difference, compare_predictions
from wetread.evaluation.evaluate import LabeledRows
from wetread.evaluation.subgroups import SubgroupScore, score_subgroups
from wetread.inputs.attributes import attributes_of, image_attributes
from wetread.inputs.predictions import Predictions
from wetread.labels.table import LabelTable
from wetread.tasks import Task
from wetread.training.predictions import LevelPredictions
from wetread.verbs.evaluate.levels import SEED, Levels, join_levels
from wetread.verbs.evaluate.owners import Owners


def headline_rows(
    task: Task, levels: Levels
) -> list[tuple[LevelPredictions, LabeledRows, Float64Array]]:
    """Return each level that has the headline, its rows of the headline alone, and its probability
    (N, 1)."""
    found = []
    for part in levels.found:
        names = [finding.name for finding in part.findings]
        if task.headline not in names:
            continue
        column = names.index(task.headline)
        rows = LabeledRows(
            part.truth[:, [column]], part.findings[column : column + 1], part.patients,
            part.level, part.split,
        )  # fmt: skip
        found.append((part, rows, part.probability[:, [column]]))
    return found


def compare_subgroups(given: Predictions, levels: Levels) -> tuple[SubgroupScore, ...]:
    """Compare groups of the headline's rows, at each level, by the headers of the archive."""
    if given.index is None:
        return ()
    images = levels.places.join(
        image_attributes(given.index.images).unique("image"), on="image", how="inner"
    )
    found: list[SubgroupScore] = []
    for part, rows, probability in headline_rows(given.task, levels):
        inside = {True: "inside", False: "outside", None: None}
        groups = {
            **attributes_of(part.ids, images, part.level),
            "what was learned": [inside[given.inside.get(study)] for study in part.studies],
        }
        found += score_subgroups(rows, probability, groups, np.random.default_rng(SEED))
    return tuple(found)


def compare_with(
    given: Predictions, other: Predictions, levels: Levels, truth: LabelTable, owners: Owners
) -> tuple[Difference, ...]:
    """Compare with other predictions, at each level that both have, of what both predict."""
    shared = other.table.frame.join(given.table.frame, on=["level", "id"], how="semi")
    others = join_levels(replace(other, table=replace(other.table, frame=shared)), truth, owners)
    found: list[Difference] = []
    for part in levels.found:
        second = others.at(part.level)
        if second is None:
            continue
        place = {name: row for row, name in enumerate(second.ids)}
        unknown = np.full(len(part.findings), np.nan)
        aligned = np.array(
            [second.probability[place[name]] if name in place else unknown for name in part.ids]
        )
        rows = LabeledRows(
            part.truth, part.findings, part.patients, part.level, part.split, given.task.metric
        )
        official = part.level in other.task.spec.official_levels
        found += compare_predictions(
            rows,
            part.probability,
            aligned,
            np.random.default_rng(SEED),
            official=official,
            as_answered=(given.as_answered, other.as_answered),
        )
    return tuple(found)
