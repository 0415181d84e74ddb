"""cli/evaluation_text.py: an evaluation of predictions as lines for an 80-column terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wetread.archive.plural import plural
from wetread.cli.text import score_lines

if TYPE_CHECKING:  # for types alone: the command line starts without loading what it may not need
    from wetread.evaluation.comparison import Difference
    from wetread.evaluation.evaluation import Evaluation
    from wetread.evaluation.reader_study import Estimate
    from wetread.evaluation.score import Score

ALL = "all"
CALIBRATION = ("mean_probability", "ece")
SHOWN = (
    "weighted_log_loss",
    "group_log_loss",
    "mean_roc_auc",
    "probabilistic_f1",
    "log_loss",
    "roc_auc",
    "average_precision",
    "sensitivity_at_specificity_90",
)


def evaluation_lines(result: Evaluation) -> list[str]:
    """Return what is known of the models first, then how labels and predictions met, the scores,
    what has none, the groups that differ, the comparison, and where the page lies."""
    from wetread.reports.evaluation_page import caution_sentence, known_sentence

    too_good = result.run is not None and result.run.overlaps
    return [
        *([f"caution: {caution}"] if (caution := caution_sentence(result)) else []),
        *([f"caution: {known_sentence(result)}"] if too_good else []),
        *_matches(result),
        *score_lines(_shown_scores(result)),
        *(f"no score by {level}: {reason}" for level, reason in result.absent.items()),
        *_groups(result),
        *_comparison(result),
        *_readers(result),
        f"scores: {result.out / 'scores.json'}",
        f"page:   {result.out / 'page.html'}",
    ]


def _shown_scores(result: Evaluation) -> list[Score]:
    """Return the scores of the terminal: of calibration those of the headline alone."""
    return [
        one
        for one in result.scores
        if one.finding in (result.headline, ALL) or not one.metric.startswith(CALIBRATION)
    ]


def _matches(result: Evaluation) -> list[str]:
    counts = result.counts
    lines = [
        f"predicted: {plural(counts['predicted_images'], 'image')}, "
        f"{plural(counts['predicted_studies'], 'study')}; {counts['unread_studies']} unread",
        f"{plural(counts['labels_without_prediction'], 'label')} without prediction, "
        f"{plural(counts['predictions_without_label'], 'prediction')} without label: "
        f"{result.out / 'unmatched.csv'}",
    ]
    if left := counts.get("studies_that_calibrated", 0):
        lines.append(
            f"{plural(left, 'study')} left out: their labels calibrated these probabilities"
        )
    if counts["labels_in_conflict"]:
        lines.append(f"{plural(counts['labels_in_conflict'], 'label')} in conflict, left unknown")
    if result.identity.reason is not None:
        lines.append(
            f"patients are not known: {result.identity.reason}; intervals are too narrow where one "
            "has several. Say which image is of which patient with --patients"
        )
    elif result.identity.caution is not None:
        lines.append(
            f"patients are those of {result.identity.source}, but {result.identity.caution}: if "
            "so, intervals are too narrow. Say which image is of which patient with --patients"
        )
    return lines


def _groups(result: Evaluation) -> list[str]:
    """Return the groups whose area under the ROC curve differs from the rest's, beyond chance."""
    found = [one for one in result.subgroups if one.difference.metric == "roc_auc"]
    compared = [one for one in found if one.difference.low is not None]
    if not compared:
        return []
    lines = [
        f"{plural(len(compared), 'group')} compared with the rest by ROC AUC; beyond its interval:"
    ]
    lines += [
        f"  {one.attribute} {one.group} by {one.difference.level}: "
        + signed_difference(one.difference)
        for one in compared
        if one.difference.apart
    ] or ["  none"]
    return lines


def _comparison(result: Evaluation) -> list[str]:
    """Return the differences of the two predictions that are shown, of the headline or all
    findings."""
    shown = [
        one
        for one in result.comparison
        if one.metric in SHOWN and one.finding in (result.headline, ALL)
    ]
    if not shown:
        return []
    return [f"{result.name} minus {result.against}, in pairs:"] + [
        f"  {one.metric} {one.finding} by {one.level}: {signed_difference(one)}" for one in shown
    ]


def _readers(result: Evaluation) -> list[str]:
    """Return of each reader of the headline the sensitivity and specificity, and the model's
    sensitivity at that specificity minus the reader's."""
    shown = [one for one in result.readers if one.finding == result.headline]
    if not shown:
        return []
    lines = [f"readers of {result.headline} by {shown[0].level}, against {shown[0].reference}:"]
    for one in shown:
        if one.reason is not None:
            lines.append(f"  {one.reader}: {one.reason}")
            continue
        lines.append(
            f"  {one.reader}: sensitivity {one.sensitivity.value:.2f}, specificity "
            f"{one.specificity.value:.2f}; model there {_interval(one.difference)}"
        )
    return lines


def _interval(one: Estimate) -> str:
    if one.value is None:
        return "not known"
    if one.low is None:
        return f"{one.value:+.2f}"
    return f"{one.value:+.2f} [{one.low:+.2f}, {one.high:+.2f}]"


def signed_difference(one: Difference) -> str:
    """Return a difference with its sign and interval, or the reason why it has none."""
    if one.value is None:
        return str(one.reason)
    if one.low is None:
        return f"{one.value:+.3f} ({one.reason})"
    return f"{one.value:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
