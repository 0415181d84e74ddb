"""verbs/baseline/scores.py: baselines cross-validated by patient: their predictions and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.evaluation.dice import all_empty_dice
from wetread.evaluation.evaluate import ALL, LabeledRows, evaluate_baselines
from wetread.evaluation.fit_baselines import BASELINES
from wetread.evaluation.mask_scores import mask_scores
from wetread.evaluation.score import Score, Scores
from wetread.labels.finding import finding_names
from wetread.tasks import Task
from wetread.training.folds import FoldPlan, make_folds
from wetread.training.predictions import LevelPredictions
from wetread.verbs.baseline.levels import (
    LabeledBaselineSlices,
    join_levels,
    predict_levels,
)
from wetread.verbs.evaluate.evaluate import score_exams

SPLIT = "out_of_fold"
EMPTY = "dice_all_empty"


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions of the baselines for patients that they were not fitted on.

    levels:  images and studies. counted: the same, learned as the task's metric over exams counts
             truth and slices; the levels themselves where it counts all alike.
    fold_of: patient to the name of the fold.
    """

    levels: Sequence[LevelPredictions]
    counted: Sequence[LevelPredictions]
    fold_of: Mapping[str, str]

    @property
    def table(self) -> pl.DataFrame:
        """One row a level, id and finding: fold, truth (null where unknown) and each baseline;
        where the metric over exams counts otherwise, the answers for it as `<baseline>_answer`."""
        tables = []
        for level, counted in zip(self.levels, self.counted, strict=True):
            names = finding_names(level.findings)
            heads = pl.DataFrame(
                {
                    "level": level.level,
                    "fold": [self.fold_of[patient] for patient in level.patients],
                    "id": level.ids,
                    "study": level.studies,
                    "patient": level.patients,
                    "finding": [list(names)] * len(level.ids),
                }
            ).explode("finding")
            values = {"truth": level.truth, **level.baselines}
            if self.counted is not self.levels:
                values |= {f"{name}_answer": one for name, one in counted.baselines.items()}
            columns = [
                pl.Series(name, one.ravel(), pl.Float64).fill_nan(None)
                for name, one in values.items()
            ]
            tables.append(heads.with_columns(columns))
        return pl.concat(tables)


def plan_folds(task: Task, labeled: LabeledBaselineSlices, folds: int, seed: int) -> FoldPlan:
    """Deal the patients of labeled slices to folds, as training does. ValueError for fewer patients
    than folds."""
    slices = labeled.slices.slices
    once = slices.select("patient", "patient_order").unique().sort("patient_order")
    names = finding_names(task.spec.findings)
    return make_folds(
        slices["patient"].to_list(), labeled.truth, folds, seed, names, once["patient"].to_list()
    )


def cross_validate(task: Task, labeled: LabeledBaselineSlices, plan: FoldPlan) -> OutOfFold:
    """Predict the patients of each fold by baselines fitted on those of the others."""
    patients = labeled.slices.slices["patient"].to_list()
    counts = task.spec.official_levels == (ALL,)
    plain, counted = [], []
    for part in plan.parts:
        inside = plan.mask(part, patients)
        if not inside.any() or inside.all():
            continue
        learned, asked = (labeled.of(np.flatnonzero(rows)) for rows in (~inside, inside))
        arguments = (task.spec, learned, asked.slices, labeled.labels, SPLIT)
        plain.append(predict_levels(*arguments))
        if counts:
            counted.append(predict_levels(*arguments, as_counted=True))
    levels = join_levels(plain)
    return OutOfFold(levels, join_levels(counted) if counts else levels, plan.assignment)


def score_baselines(
    task: Task, found: OutOfFold, labeled: LabeledBaselineSlices, seed: int
) -> Scores:
    """Score each baseline as `<metric>_<baseline>`, the task's own metric first; where submissions
    are masks, empty ones for all before the rest."""
    slices = labeled.slices.slices.select("patient", "patient_order").unique()
    # In the order in which they were dealt: intervals draw patients in the order of their names.
    name = {patient: f"{place:09d}" for patient, place in slices.iter_rows()}
    levels = [
        replace(part, patients=tuple(name[one] for one in part.patients)) for part in found.levels
    ]
    scores = _score_masks(task, levels[0], labeled, seed)
    if task.spec.official_levels == (ALL,):
        counted = [
            replace(part, patients=own.patients)
            for part, own in zip(found.counted, levels, strict=True)
        ]
        scores += _score_exams(task, counted, seed)
    for part in levels:
        if np.isnan(part.truth).all():
            continue  # of slices, say, where labels are of studies alone
        scores += evaluate_baselines(
            LabeledRows(
                part.truth, part.findings, part.patients, part.level, part.split, task.metric
            ),
            part.baselines,
            np.random.default_rng(seed),
            official=part.level in task.spec.official_levels,
        )
    return Scores(scores)


def _score_exams(task: Task, levels: Sequence[LevelPredictions], seed: int) -> list[Score]:
    """Score the images and studies of each baseline as one submission."""
    by_name = {}
    for name in (one for one in BASELINES if one in levels[0].baselines):
        given = [replace(part, probability=part.baselines[name]) for part in levels]
        own = score_exams(task, pl.concat(map(_long_table, given)), given, seed)
        by_name[name] = [one for one in own if not one.metric.endswith(("_prior", "_exams"))]
    return [
        replace(score, metric=f"{score.metric}_{name}")
        for same in zip(*by_name.values(), strict=True)
        for name, score in zip(by_name, same, strict=True)
    ]


def _long_table(level: LevelPredictions) -> pl.DataFrame:
    names = finding_names(level.findings)
    return pl.DataFrame(
        {
            "level": level.level,
            "id": [one for one in level.ids for _ in names],
            "finding": list(names) * len(level.ids),
            "truth": pl.Series(level.truth.ravel(), dtype=pl.Float64).fill_nan(None),
            "probability": level.probability.ravel(),
        }
    )


def _score_masks(
    task: Task, images: LevelPredictions, labeled: LabeledBaselineSlices, seed: int
) -> list[Score]:
    """Score empty masks for all images of known masks, where the task's submissions are masks."""
    if not task.submission.of_masks or not task.spec.drawn:
        return []
    name = task.spec.drawn[0].name
    truth = _mask_shares(name, images, labeled)
    scores = mask_scores(
        all_empty_dice(truth),
        truth,
        images.patients,
        finding=name,
        split=images.split,
        rng=np.random.default_rng(seed),
    )
    return [score for score in scores if score.metric == EMPTY]


def _mask_shares(
    finding: str, images: LevelPredictions, labeled: LabeledBaselineSlices
) -> Float64Array:
    """Find for each image whether its true mask is empty, 0, or not, 1, (N,); NaN where a positive
    image has no mask."""
    masks = labeled.labels.masks.filter(pl.col("finding") == finding)
    of = dict(masks.select("id", pl.col("runs").list.len() > 0).iter_rows())
    drawn = np.array([of.get(image, np.nan) for image in images.ids], np.float64)
    names = finding_names(images.findings)
    if finding not in names:
        return drawn
    return np.where(images.truth[:, names.index(finding)] == 0, 0.0, drawn)
