"""verbs/run_page.py: a run's folder and its scores in, the run's page out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wetread.evaluation.score import Score
from wetread.labels.finding import finding_names
from wetread.outputs.charts import Curves, History, curves_of
from wetread.outputs.page import Case, Fact, PageContent, Sum, write_page
from wetread.outputs.pictures import heated, outlined, panels, png_bytes, side_by_side
from wetread.store.store import Store, open_store
from wetread.tasks import Task, find_task
from wetread.training.decide import Decided
from wetread.training.predictions import Predicted
from wetread.training.recipe import check_recipe
from wetread.verbs.heat import Heat, heat_of
from wetread.verbs.mask_cases import mask_cases
from wetread.view.view import View

CASES = 3  # pictures a group, a row at full width
PANEL = 224  # pixels a window
SPLITS = {
    "held_out": "patients held out from training and from every choice",
    "out_of_fold": "patients that the model that read them had never seen",
}


def write_run_page(
    run: Path,
    levels: Sequence[Predicted],
    scores: Sequence[Score],
    drawn: Mapping[str, Decided],
) -> None:
    """Write run/page.html: scores beside their floors, curves, the proof, best and worst cases."""
    about, recipe, folds = (
        _json(run / name) for name in ("about.json", "recipe.json", "folds.json")
    )
    task = find_task(about["task"])
    images = levels[0]
    split = SPLITS[images.split]
    view = check_recipe(recipe, str(run / "recipe.json")).view
    learned = f"{about['counts']['labelled_images']} labelled images"
    if (run / "phantoms").is_dir():
        learned += f", after {recipe['phantoms']} studies of phantoms"
    write_page(
        run / "page.html",
        PageContent(
            title=task.title,
            summary=(
                f"Learned from {learned}; judged on {len(images.ids)} images of "
                f"{len(set(images.patients))} {split}. Who is one patient is taken from "
                f"{about['patients_from']}."
            ),
            headline=task.headline,
            facts=_facts(task, scores),
            scores=tuple(scores),
            curves=_curves(task, levels),
            curves_of=f"{'images' if task.series is None else 'images and studies'} of {split}",
            histories=_histories(run),
            fold_proof=folds["proof"],
            counts=_sums(about["counts"]),
            cases=_cases(run, view, task, images, drawn),
            provenance={"task": task.name, **recipe},
        ),
    )


def _curves(task: Task, levels: Sequence[Predicted]) -> tuple[Curves, ...]:
    """Of the images' findings; of the studies' too, where these are findings of their own."""
    shown = levels[:1] if task.series is None else levels
    return tuple(
        curve
        for part in shown
        for curve in curves_of(part.truth, part.probability, finding_names(part.findings))
    )


def _json(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _facts(task: Task, scores: Sequence[Score]) -> tuple[Fact, ...]:
    """The numbers of the page's head, each with its interval or the floor beside it."""
    found = {(score.metric, score.finding, score.level): score for score in scores}
    facts = []
    for level in ("image", "study"):
        score = found.get(("roc_auc", task.headline, level))
        if score is not None and score.value is not None:
            note = "" if score.low is None else f"95 % interval {score.low:.3f}–{score.high:.3f}"
            label = f"ROC AUC of {task.headline}, by {level}"
            facts.append(Fact(label, f"{score.value:.3f}", note))
    official = "image" if task.series is None else "all"  # of one level, or of both together
    loss = found.get(("weighted_log_loss", "all", official))
    prior = found.get(("weighted_log_loss_prior", "all", official))
    if loss is not None and loss.value is not None and prior is not None and prior.value:
        note = f"{loss.value / prior.value:.2f} of the constant prior's {prior.value:.3f}"
        facts.append(Fact("weighted log loss", f"{loss.value:.3f}", note))
    for finding in (one.name for one in task.drawn):
        dice, empty = (found.get((name, finding, "pixel")) for name in ("dice", "dice_all_empty"))
        if dice is not None and dice.value is not None and empty is not None:
            note = f"{empty.value:.3f} for no mask at all"
            facts.append(Fact(f"Dice of {finding}, mean of images", f"{dice.value:.3f}", note))
    return tuple(facts)


def _histories(run: Path) -> tuple[History, ...]:
    return tuple(
        History(
            file.parent.relative_to(run).as_posix(),
            tuple(json.loads(line) for line in file.read_text().splitlines()),
        )
        for file in sorted(run.glob("model-*/**/metrics.jsonl"))
    )


def _sums(counts: dict[str, int]) -> tuple[Sum, ...]:
    return (
        Sum(
            "files",
            counts["files"],
            (
                ("images", counts["instances"]),
                ("objects without an image", counts["not_image"]),
                ("duplicates", counts["duplicates"]),
                ("rejects", counts["rejects"]),
            ),
        ),
        Sum(
            "packed images",
            counts["packed_images"],
            (
                ("with a label", counts["labelled_images"]),
                ("without", counts["images_without_label"]),
            ),
        ),
    )


def _cases(
    run: Path, view: View, task: Task, images: Predicted, drawn: Mapping[str, Decided]
) -> tuple[Case, ...]:
    """The surest right and the surest wrong, for slices with and without the headline finding."""
    column, store = task.headline_column, open_store(run / "store")
    heat = heat_of(run, store, column)
    truth, said = images.truth[:, column], images.probability[:, column]
    positive, negative = np.flatnonzero(truth >= 0.5), np.flatnonzero(truth < 0.5)
    groups = (
        ("found", positive[np.argsort(-said[positive], kind="stable")]),
        ("missed", positive[np.argsort(said[positive], kind="stable")]),
        ("raised without cause", negative[np.argsort(-said[negative], kind="stable")]),
    )
    cases = tuple(
        _case(store, heat, view, images, int(place), column, group)
        for group, order in groups
        for place in _one_a_study(images, order)
    )
    return cases + tuple(
        case for finding, decided in drawn.items() for case in mask_cases(store, finding, decided)
    )


def _one_a_study(images: Predicted, order: NDArray[np.int64]) -> list[int]:
    """The first of each study, CASES at most: neighbours show the same thing again."""
    first: dict[str, int] = {}
    for place in order:
        first.setdefault(images.studies[place], int(place))
        if len(first) == CASES:
            break
    return list(first.values())


def _case(
    store: Store,
    heat_at: Heat,
    view: View,
    images: Predicted,
    place: int,
    column: int,
    group: str,
) -> Case:
    assert images.rows is not None  # slices always have rows
    row = int(images.rows[place])
    hu, heat = store.read_hu([row])[0], heat_at(row)
    picture = panels(hu, view.windows, PANEL)
    if heat is not None:
        first = panels(hu, view.windows[:1], PANEL)
        picture = side_by_side([outlined(picture, ()), heated(first, heat)])
    names = [finding.name for finding in images.findings]
    true = [
        name
        for number, name in enumerate(names)
        if number != column and images.truth[place, number] >= 0.5
    ]
    said = {name: float(images.probability[place, i]) for i, name in enumerate(names)}
    others = sorted(((p, n) for n, p in said.items() if n != names[column]), reverse=True)[:2]
    told = ", ".join(f"{name} {probability:.2f}" for probability, name in others)
    return Case(
        png=png_bytes(picture),
        title=f"{names[column]} {said[names[column]]:.2f}",
        caption="; ".join(
            (
                *((f"truth: {', '.join(true) or 'none'}", f"said: {told}") if others else ()),
                *(("the glow: what speaks for it",) if heat is not None else ()),
            )
        ),
        group=group,
    )
