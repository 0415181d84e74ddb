"""reports/run_page.py: a run's folder and its scores in, the run's page out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wetread.archive.types import Int64Array
from wetread.evaluation.abstention import AbstentionCurve, abstention_curves
from wetread.evaluation.score import Score
from wetread.evaluation.task_metric import LOSSES, METRIC_WORDS
from wetread.labels.finding import finding_names
from wetread.pages.charts import Curves, History, make_curves
from wetread.pages.environment import spaced_words
from wetread.pages.page import CountSum, PageCase, PageContent, PageFact, patient_unit, write_page
from wetread.pages.slides import write_slides
from wetread.reports.heat import HeatMaps, run_heat_maps
from wetread.reports.judged import judged_headline
from wetread.reports.limits import CLOSING, MOST, identity_limits, score_limits
from wetread.reports.mask_cases import mask_cases
from wetread.reports.run_sentences import (
    SPLITS,
    origin_sentence,
    score_caution,
    summary_sentence,
)
from wetread.reports.slice_panels import EdgeLetters, PanelSettings, read_edge_letters, slice_panels
from wetread.store.store import Store, open_store
from wetread.tasks import Task, kept_task
from wetread.training.about import (
    metrics_files,
    read_about,
    read_fold_proof,
    read_metrics,
    read_run_recipe,
)
from wetread.training.calibration import ALTERED, read_calibration
from wetread.training.decide import DecidedFinding
from wetread.training.predictions import LevelPredictions
from wetread.training.recipe import flat_settings
from wetread.view.view import View
from wetread.view.window import Window

CASES = 3  # pictures a group, a row at full width
SHOWN_SETTINGS = ("encoder", "windows", "size", "folds", "epochs", "seed")  # of the recipe, at once


def write_run_page(
    run: Path,
    levels: Sequence[LevelPredictions],
    scores: Sequence[Score],
    drawn: Mapping[str, DecidedFinding],
    *,
    slides: bool = False,
) -> None:
    """Write run/page.html: scores beside their floors, curves, the proof, best and worst cases; and
    run/slides.html, where asked for."""
    content = run_content(run, levels, scores, drawn)
    write_page(run / "page.html", content)
    if slides:
        write_slides(run / "slides.html", content, run_limits(content))


def run_content(
    run: Path,
    levels: Sequence[LevelPredictions],
    scores: Sequence[Score],
    drawn: Mapping[str, DecidedFinding],
) -> PageContent:
    """Return the content of a run's page."""
    about, proof, settings = read_about(run), read_fold_proof(run), read_run_recipe(run)
    recipe = flat_settings(settings)
    task = kept_task(run, about["task"]).for_recipe(settings)
    images = levels[0]
    units = patient_unit(about.get("identity"))
    view = settings.view
    first = settings.phantoms.studies if (run / "phantoms").is_dir() else 0
    badge, origin = origin_sentence(about)
    return PageContent(
        title=task.title,
        summary=summary_sentence(about, proof["parts"], images, first),
        badge=badge,
        origin=origin,
        short_caution=score_caution(about),
        headline=task.headline,
        facts=headline_facts(task, scores),
        scores=tuple(scores),
        curves=_curves(task, levels),
        curves_subject=" ".join((_scored(task), "of", units, SPLITS[images.split])),
        histories=_histories(run),
        fold_proof=proof,
        identity=about.get("identity"),
        counts=_count_sums(about["counts"]),
        cases=_cases(run, view, task, images, drawn),
        provenance={
            "task": task.name,
            **{key: recipe[key] for key in SHOWN_SETTINGS},
            **calibrated_on(run),
        },
        abstention=_abstention(task, images),
        settings=recipe,
    )


def run_limits(content: PageContent) -> list[str]:
    """Return the sentences of what a run's scores do not say."""
    limits = [
        *([content.origin] if content.origin else []),
        *identity_limits(content.identity),
        *score_limits(content.scores, content.headline, patient_unit(content.identity)),
    ]
    return [*limits[: MOST - len(CLOSING)], *CLOSING]


def calibrated_on(run: Path) -> dict[str, str]:
    """Say what the probabilities of the scores were calibrated on, one after the other; of a run
    that learned phantoms alone, what those of new studies are."""
    on = read_calibration(run).on
    if not on:
        return {}
    sources = [one.describe() for one in on]
    if on[0].source != ALTERED:
        return {"calibrated on": "; then ".join(sources)}
    phantoms, *later = sources
    return {
        "calibrated on": "; then ".join(["phantoms as they are, that are not scored", *later]),
        "new studies calibrated on": "; then ".join([phantoms, *later]),
    }


def _abstention(task: Task, images: LevelPredictions) -> tuple[AbstentionCurve, ...]:
    """Make the curves of what is won by leaving out images that are unsure of the headline."""
    rows = judged_headline(images, task.headline)
    return () if rows is None else abstention_curves(rows)


def _scored(task: Task) -> str:
    names = {"image": "images", "study": "studies"}
    return " and ".join(names[level] for level in task.spec.curve_levels)


def _curves(task: Task, levels: Sequence[LevelPredictions]) -> tuple[Curves, ...]:
    """Make curves of the images' findings, and of the studies' where these have findings of their
    own."""
    shown = [part for part in levels if part.level in task.spec.curve_levels]
    return tuple(
        curve
        for part in shown
        for curve in make_curves(part.truth, part.probability, finding_names(part.findings))
    )


def headline_facts(task: Task, scores: Sequence[Score]) -> tuple[PageFact, ...]:
    """Make the numbers of the page's head, each with its interval or the floor beside it."""
    found = {(score.metric, score.finding, score.level): score for score in scores}
    facts = []
    for level in ("image", "study"):
        score = found.get(("roc_auc", task.headline, level))
        if score is not None and score.value is not None:
            note = "" if score.low is None else f"95 % interval {score.low:.3f}–{score.high:.3f}"
            label = f"ROC AUC of {task.headline}, by {level}"
            facts.append(PageFact(label, f"{score.value:.3f}", note))
    official = task.spec.official_levels[0]
    name = task.metric.of_probabilities.name
    score, prior = (found.get((f"{name}{end}", "all", official)) for end in ("", "_prior"))
    if score is not None and score.value is not None and prior is not None and prior.value:
        share = f"{score.value / prior.value:.2f} of " if name in LOSSES else ""
        note = f"{share}the constant prior's {prior.value:.3f}"
        facts.append(PageFact(METRIC_WORDS[name], f"{score.value:.3f}", note))
    for finding in (one.name for one in task.spec.drawn):
        dice, empty = (found.get((name, finding, "pixel")) for name in ("dice", "dice_all_empty"))
        if dice is not None and dice.value is not None and empty is not None:
            note = f"{empty.value:.3f} for no mask at all"
            facts.append(PageFact(f"Dice of {finding}, mean of images", f"{dice.value:.3f}", note))
    return tuple(facts)


def _histories(run: Path) -> tuple[History, ...]:
    return tuple(
        History(
            file.parent.relative_to(run).as_posix(),
            read_metrics(file),
        )
        for file in metrics_files(run)
    )


def _count_sums(counts: dict[str, int]) -> tuple[CountSum, ...]:
    return (
        CountSum(
            "files",
            counts["files"],
            (
                ("images", counts["instances"]),
                ("other objects", counts["not_image"]),
                ("duplicates", counts["duplicates"]),
                ("rejects", counts["rejects"]),
            ),
        ),
        CountSum(
            "packed images",
            counts["packed_images"],
            (
                ("with a label", counts["labelled_images"]),
                ("without", counts["images_without_label"]),
            ),
        ),
    )


def _cases(
    run: Path, view: View, task: Task, images: LevelPredictions, drawn: Mapping[str, DecidedFinding]
) -> tuple[PageCase, ...]:
    """Show the surest right and the surest wrong, of slices with and without the finding whose
    slices speak for the headline; then masks."""
    column, store, letters = task.headline_column, open_store(run / "store"), read_edge_letters(run)
    slices = _ScoredSlices(
        images=images,
        store=store,
        heat_maps=run_heat_maps(run, store, column),
        letters=letters,
        windows=view.windows,
        column=column,
        no_glow="" if drawn else f"no glow: nothing in it speaks for {spaced_words(task.headline)}",
    )
    groups = case_groups(images, column)
    cases = [slices.case(place, group) for group, places in groups.items() for place in places]
    for finding, decided in drawn.items():
        cases += mask_cases(store, finding, decided, letters)
    return tuple(cases)


def case_groups(images: LevelPredictions, column: int) -> dict[str, list[int]]:
    """Choose the rows of `images` to show of one finding, a slice a study, CASES a group at most.

    found: the surest of what has it, above the usual probability of what has it not; least sure
    where it is: of the others that have it; surest where it is not: of what has it not. No row is
    in two groups.
    """
    truth, probability = images.truth[:, column], images.probability[:, column]
    positive, negative = np.flatnonzero(truth >= 0.5), np.flatnonzero(truth < 0.5)
    usual = float(np.median(probability[negative])) if negative.size else -np.inf
    above = positive[probability[positive] > usual]
    found = _first_of_each_study(images, above[np.argsort(-probability[above], kind="stable")])
    others = np.setdiff1d(positive, found)
    raised = negative[np.argsort(-probability[negative], kind="stable")]
    return {
        "found": found,
        "least sure where it is": _first_of_each_study(
            images, others[np.argsort(probability[others], kind="stable")]
        ),
        "surest where it is not": _first_of_each_study(images, raised),
    }


def _first_of_each_study(images: LevelPredictions, order: Int64Array) -> list[int]:
    """Take the first of each study, CASES at most: neighbors show the same thing again."""
    first: dict[str, int] = {}
    for place in order:
        first.setdefault(images.studies[place], int(place))
        if len(first) == CASES:
            break
    return list(first.values())


@dataclass(frozen=True, eq=False)
class _ScoredSlices:
    """The slices that are scored, and what their pictures are made of.

    column:  of the finding that is shown.
    no_glow: the words below a slice in which nothing speaks for it.
    """

    images: LevelPredictions
    store: Store
    heat_maps: HeatMaps
    letters: EdgeLetters
    windows: tuple[Window, ...]
    column: int
    no_glow: str

    def case(self, place: int, group: str) -> PageCase:
        """Show the slice at a place among the scored ones."""
        images, column = self.images, self.column
        assert images.rows is not None  # slices always have rows
        row, names = int(images.rows[place]), finding_names(images.findings)
        truth = images.truth[place] >= 0.5
        present = [name for name, true in zip(names, truth, strict=True) if true]
        probability = dict(zip(names, images.probability[place].tolist(), strict=True))
        finding = names[column]
        title = (
            f"{spaced_words(finding)}: probability {probability.pop(finding):.2f}, "
            f"in truth {'present' if truth[column] else 'absent'}"
        )
        where = f"study {images.studies[place]}, image {images.ids[place]}"
        settings = PanelSettings(
            windows=self.windows,
            finding=finding,
            about=f"{where}; {title}",
            letters=self.letters.get(self.store.slices["SeriesInstanceUID"][row], ("", "")),
            no_glow=self.no_glow,
        )
        return PageCase(
            panels=slice_panels(self.store.read_hu([row])[0], self.heat_maps(row), settings),
            title=title,
            caption=_other_findings(probability, [name for name in present if name != finding]),
            group=group,
            where=where,
        )


def _other_findings(probability: Mapping[str, float], present: Sequence[str]) -> str:
    """Name the other findings that are present, and the two likeliest; empty where there are
    none."""
    if not probability:
        return ""
    likeliest = sorted(((value, name) for name, value in probability.items()), reverse=True)[:2]
    found = ", ".join(f"{spaced_words(name)} {value:.2f}" for value, name in likeliest)
    return f"of the others true: {', '.join(map(spaced_words, present)) or 'none'}; said: {found}"
