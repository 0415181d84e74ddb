"""verbs/evaluate/evaluate.py: a run's predictions in, its scores with intervals and page out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.damaged import expect_form
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import StrPath
from wetread.evaluation.abstention import abstention_scores
from wetread.evaluation.evaluate import ALL, LabeledRows
from wetread.evaluation.evaluate import evaluate as evaluate_level
from wetread.evaluation.mask_scores import mask_scores
from wetread.evaluation.score import Score, Scores
from wetread.evaluation.task_metric import TaskMetric
from wetread.inputs.patients import name_by_deal_order
from wetread.labels.table import EXAM_SCHEMA, LabelTable, label_table
from wetread.reports.judged import judged_headline
from wetread.reports.run_page import write_run_page
from wetread.reports.slice_panels import read_edge_letters
from wetread.store.store import open_store
from wetread.tasks import Task, kept_task
from wetread.training import mask_table
from wetread.training.about import (
    metrics_files,
    read_about,
    read_fold_proof,
    read_metrics,
    read_run_recipe,
)
from wetread.training.decide import DecidedFinding, decide_finding
from wetread.training.predictions import FILE, LevelPredictions, from_table, read_predictions

LEVELS = ("image", "study")


@exclusive_output("run")
def evaluate(run: StrPath, *, slides: bool = False) -> Scores:
    """Score a run's predictions for patients it was not fitted on; write scores.json and page.html.

    run: the folder that `train` wrote. slides: write slides.html too, a summary of 16:9.

    Intervals are over resampled patients from the run's own seed, so the same run gives the same
    numbers. Raises ValueError where the folder is no finished run.
    """
    run = Path(run)
    if not (run / FILE).is_file():
        raise ValueError(
            f"{run} has no {FILE}: its training has not ended; run wetread train again"
        )
    recipe = read_run_recipe(run)
    task, seed = kept_task(run, read_about(run)["task"]).for_recipe(recipe), recipe.seed
    predictions = read_predictions(run / FILE, {level: task.at(level) for level in LEVELS})
    table = name_by_deal_order(predictions, run)
    found = [from_table(table, level, task.at(level)) for level in LEVELS]
    levels = [part for part in found if part is not None]
    require_page_inputs(run)
    decided = decided_masks(run)
    official = task.spec.official_levels
    scores = score_exams(task, table, levels, seed) if ALL in official else []
    for part in levels:
        if np.isnan(part.truth).all():
            continue  # of slices, say, where labels are of studies alone
        scores += score_level(part, task.metric, seed, official=part.level in official)
        scores += score_uncertainty(part, task.headline, seed)
    of_masks = [one for found in decided.items() for one in score_masks(*found, seed)]
    first = task.metric.name == "dice"
    scored = Scores([*of_masks, *scores] if first else [*scores, *of_masks])
    text = json.dumps(scored.to_dict(), indent=1, allow_nan=False)
    write_whole(run / "scores.json", f"{text}\n".encode())
    write_run_page(run, levels, scored, decided, slides=slides)
    return scored


def require_page_inputs(run: Path) -> None:
    """Open what the run's page is made of beside its predictions, so that a damaged file is named
    before anything is scored."""
    read_fold_proof(run)
    for file in metrics_files(run):
        read_metrics(file)
    open_store(run / "store")
    read_edge_letters(run)


def decided_masks(run: Path) -> dict[str, DecidedFinding]:
    """Decide the masks that a run drew in images it never fitted, by finding; none where it draws
    nothing."""
    if not (run / mask_table.FILE).is_file():
        return {}
    path = run / mask_table.FILE
    drawings = name_by_deal_order(
        read_parquet(path, schema=mask_table.SCHEMA, expected=mask_table.WANTED), run
    )
    with expect_form(path, mask_table.WANTED, RuntimeError):
        findings = drawings["finding"].unique(maintain_order=True)
        return {name: decide_finding(drawings, name) for name in findings}


def score_masks(finding: str, decided: DecidedFinding, seed: int) -> list[Score]:
    """Score one finding's masks; areas are shares of their images."""
    rows = decided.rows
    return mask_scores(
        decided.dice,
        (rows["truth_pixels"] / rows["pixels"]).fill_null(float("nan")).to_numpy(),
        rows["patient"].to_list(),
        finding=finding,
        split=rows["split"][0],
        rng=np.random.default_rng(seed),
    )


def score_exams(
    task: Task, table: pl.DataFrame, levels: Sequence[LevelPredictions], seed: int
) -> list[Score]:
    """Score images and studies as one submission: the figures over both; the prior beside them is
    the best constant for this very truth.

    table: a run's predictions; levels: its images and its studies.
    """

    def labels(column: str) -> LabelTable:
        rows = table.select("level", "id", "finding", pl.col(column).alias("value"))
        return label_table(rows.unique(maintain_order=True))

    images, studies = levels
    patients = dict(zip(studies.ids, studies.patients, strict=True))
    scored = task.submission.score(
        replace(labels("truth"), exams=exam_frame(images)),
        labels("probability"),
        task.findings,
        images.split,
        np.random.default_rng(seed),
        patients,
    )
    return [score for score in scored.scores if score.finding == ALL]


def exam_frame(images: LevelPredictions) -> pl.DataFrame:
    """List which image is of which study, EXAM_SCHEMA; each study is one series here."""
    columns = {"image": images.ids, "series": images.studies, "study": images.studies}
    return pl.DataFrame(columns, schema=EXAM_SCHEMA)


def score_uncertainty(part: LevelPredictions, headline: str, seed: int) -> list[Score]:
    """Score how well what is unsure of the headline tells its errors, and what leaving it wins."""
    rows = judged_headline(part, headline)
    if rows is None:
        return []
    like = Score("", headline, part.level, part.split, None, None, None, 0, 0)
    return abstention_scores(rows, like, np.random.default_rng(seed))


def score_level(
    part: LevelPredictions,
    metric: TaskMetric,
    seed: int,
    *,
    official: bool,
    as_answered: bool = False,
) -> list[Score]:
    """Score one level beside its baselines; official: with the task's metric;
    as_answered: the probabilities are a submission's answers for it."""
    return evaluate_level(
        LabeledRows(part.truth, part.findings, part.patients, part.level, part.split, metric),
        part.probability,
        np.random.default_rng(seed),
        baselines=part.baselines,
        official=official,
        as_answered=as_answered,
    )
