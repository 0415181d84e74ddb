"""reports/evaluation_page.py: predictions scored on given data in, their page out."""

from __future__ import annotations

from collections.abc import Sequence

from wetread.archive.plural import plural
from wetread.evaluation.calibration import roc_curve
from wetread.evaluation.evaluation import Evaluation
from wetread.evaluation.reader_study import Estimate, ReaderRows, ReaderScore, references
from wetread.evaluation.score import Score
from wetread.labels.finding import finding_names
from wetread.pages.charts import Curves, make_curves
from wetread.pages.evaluation_part import (
    EvaluationPart,
    ReaderLine,
    ReaderPart,
    group_tables,
    pair_tables,
)
from wetread.pages.page import CountSum, PageCase, PageContent, write_page
from wetread.pages.reader_chart import ReaderPoint, reader_chart
from wetread.pages.slides import write_slides
from wetread.prediction.cautions import CAUTIONS
from wetread.reports.limits import (
    CLOSING,
    MOST,
    absent_limits,
    identity_limits,
    score_limits,
    unmatched_limits,
)
from wetread.reports.run_page import headline_facts
from wetread.tasks import Task
from wetread.training.predictions import LevelPredictions

HERE = {"never_scored_on_patients": "before this, never scored on patients"}
BADGES = {"learned_from_phantoms_alone": "learned from synthetic phantoms"}


def write_evaluation_page(
    found: Evaluation,
    task: Task,
    levels: Sequence[LevelPredictions],
    read: Sequence[ReaderRows] = (),
    cases: Sequence[PageCase] = (),
    *,
    slides: bool = False,
) -> None:
    """Write out/page.html: what is known of the models first, then scores beside their floors,
    curves, groups, the comparison, cases, and how predictions and labels met; and out/slides.html,
    where asked for."""
    content = evaluation_content(found, task, levels, read, cases)
    write_page(found.out / "page.html", content)
    if slides:
        write_slides(found.out / "slides.html", content, evaluation_limits(found))


def evaluation_content(
    found: Evaluation,
    task: Task,
    levels: Sequence[LevelPredictions],
    read: Sequence[ReaderRows] = (),
    cases: Sequence[PageCase] = (),
) -> PageContent:
    """Return the content of the page of predictions.

    levels: what was scored, by row; read: what readers read of it, a finding each.
    """
    shown = [part for part in levels if part.level in task.spec.curve_levels] or levels[:1]
    return PageContent(
        title=f"{task.title}: predictions on given data",
        summary=summary_sentence(found, levels),
        badge=next((text for name, text in BADGES.items() if name in found.cautions), ""),
        origin=caution_sentence(found),
        headline=task.headline,
        facts=headline_facts(task, found.scores),
        scores=tuple(found.scores),
        prior="share in this truth, for everyone",
        curves=_curves(shown),
        curves_subject=f"the scored {' and '.join(_PLURAL[part.level] for part in shown)}",
        identity=found.identity.to_dict(),
        counts=count_sums(found),
        cases=tuple(cases),
        provenance={
            "truth": found.truth_of,
            "predictions": found.name,
            "made by": list(found.models) or "not known",
        },
        evaluation=EvaluationPart(
            absent=found.absent,
            groups=group_tables(found.subgroups),
            pairs=pair_tables(found.comparison),
            readers=reader_parts(found, read),
            names=(found.name, found.against),
            own_scores=own_scores(found, task),
            known=known_sentence(found),
        ),
    )


_PLURAL = {"image": "images", "series": "series", "study": "studies"}


def evaluation_limits(found: Evaluation) -> list[str]:
    """Return the sentences of what these scores do not say."""
    units = "patients" if found.identity.proven else "studies"
    caution, known = caution_sentence(found), known_sentence(found)
    limits = [
        *([caution] if caution else []),
        *([known] if found.run is not None and found.run.overlaps else []),
        *identity_limits(found.identity.to_dict()),
        *score_limits(found.scores, found.headline, units),
        *unmatched_limits(found.counts),
        *absent_limits(found.absent),
    ]
    return [*limits[: MOST - len(CLOSING)], *CLOSING]


def summary_sentence(found: Evaluation, levels: Sequence[LevelPredictions]) -> str:
    """Return the sentence of what was scored, of how many patients, and what was not."""
    parts = [f"{len(part.ids)} {_PLURAL[part.level]}" for part in levels]
    patients = {patient for part in levels for patient in part.patients}
    sentence = f"Scored on {' and '.join(parts) or 'masks alone'}"
    if found.identity.proven and levels:
        sentence += f" of {plural(len(patients), 'patient')}"
    sentence += "."
    counts = found.counts
    if counts["labels_without_prediction"]:
        lost = plural(counts["labels_without_prediction"], "label")
        sentence += f" {lost} had no prediction."
    if not found.identity.proven:
        sentence += f" Patients are not known ({found.identity.reason})."
    return sentence


def caution_sentence(found: Evaluation) -> str:
    """Return what is known of the models: how they were made, or that nothing is."""
    sentences = [{**CAUTIONS, **HERE}.get(name, name.replace("_", " ")) for name in found.cautions]
    if not sentences:
        return "" if found.models else "What the predicting models learned from is not known here."
    return ". ".join(text[0].upper() + text[1:] for text in sentences) + "."


def known_sentence(found: Evaluation) -> str:
    """Return how much of what is scored the run was made with; "" where no run was given."""
    if found.run is None:
        return ""
    known = {
        name: count
        for name, count in (
            ("image", found.run.images),
            ("study", found.run.studies),
            ("patient", found.run.patients),
        )
        if count is not None
    }
    if not known:
        return "Whether the run was made with what is scored here is not known: no id tells."
    if found.run.overlaps:
        parts = " and ".join(plural(count, name) for name, count in known.items() if count)
        return f"The run was made with {parts} of those scored here: these scores are too good."
    parts = " and no ".join(known)
    return f"The run was made with no {parts} of those scored here."


def own_scores(found: Evaluation, task: Task) -> tuple[tuple[str, str, str], ...]:
    """Return the headline's scores that the run and this evaluation both have, and those that were
    promised with the threshold of flags: label, own, here."""
    flagged = "image" if "as the image" in found.absent.get("study", "") else "study"
    rows = [
        (f"{metric.replace('_', ' ')} on, by {here.level}", f"{value:.3f}", with_interval(here))
        for metric, value in found.promised.items()
        for here in found.scores.find(metric, level=flagged)
    ]
    if found.run is None:
        return tuple(rows)
    for level in ("image", "study"):
        for metric in ("roc_auc", "average_precision", "log_loss"):
            own = found.run.scores.find(metric, finding=task.headline, level=level)
            here = found.scores.find(metric, finding=task.headline, level=level)
            if own and here:
                words = f"{metric.replace('_', ' ')} of {task.headline.replace('_', ' ')}"
                rows.append((f"{words}, by {level}", with_interval(own[0]), with_interval(here[0])))
    return tuple(rows)


def reader_parts(found: Evaluation, read: Sequence[ReaderRows]) -> tuple[ReaderPart, ...]:
    """Return the readers of each finding: the chart, and a line a reader."""
    parts = []
    for rows in sorted(read, key=lambda one: one.finding != found.headline):
        scores = [one for one in found.readers if one.finding == rows.finding]
        points = [
            ReaderPoint(
                one.reader,
                one.sensitivity.value,
                one.specificity.value,
                *roc_curve(reference, rows.probability),
            )
            for one, reference in zip(scores, references(rows), strict=True)
            if one.sensitivity.value is not None and one.specificity.value is not None
        ]
        chart = reader_chart(points, rows.finding) if points else ""
        parts.append(ReaderPart(rows.finding, rows.level, chart, tuple(map(reader_line, scores))))
    return tuple(parts)


def with_interval(score: Score) -> str:
    """Return `0.912 (0.880–0.941)`, the value alone without an interval, or the reason."""
    if score.value is None:
        return score.reason or "–"
    if score.low is None:
        return f"{score.value:.3f}"
    return f"{score.value:.3f} ({score.low:.3f}–{score.high:.3f})"


def reader_line(one: ReaderScore) -> ReaderLine:
    """Return a reader's line of the table."""
    texts = (
        value_and_interval(value)
        for value in (
            one.sensitivity, one.specificity, one.model_sensitivity, one.difference, one.model_auc
        )
    )  # fmt: skip
    low, high = one.difference.low, one.difference.high
    apart = low is not None and high is not None and not low <= 0 <= high
    return ReaderLine(
        one.reader, one.reference, tuple(texts), one.studies, one.positives, one.undecided,
        apart, one.reason or "",
    )  # fmt: skip


def value_and_interval(one: Estimate) -> tuple[str, str]:
    """Return `0.912` and `0.880 – 0.941`, each "" where there is none."""
    value = "" if one.value is None else f"{one.value:.3f}"
    return value, "" if one.low is None else f"{one.low:.3f} – {one.high:.3f}"


def count_sums(found: Evaluation) -> tuple[CountSum, ...]:
    """Return how predictions and labels met, as the page lists it."""
    counts = found.counts
    return (
        CountSum("predicted images", counts["predicted_images"], ()),
        CountSum("predicted studies", counts["predicted_studies"], ()),
        CountSum("unread studies", counts["unread_studies"], ()),
        CountSum(
            "studies left out, for their labels calibrated the probabilities",
            counts.get("studies_that_calibrated", 0),
            (),
        ),
        CountSum("labels without prediction", counts["labels_without_prediction"], ()),
        CountSum("predictions without label", counts["predictions_without_label"], ()),
        CountSum("labels in conflict", counts["labels_in_conflict"], ()),
    )


def _curves(levels: Sequence[LevelPredictions]) -> tuple[Curves, ...]:
    return tuple(
        curve
        for part in levels
        for curve in make_curves(part.truth, part.probability, finding_names(part.findings))
    )
