"""reports/limits.py: sentences of what scores do not say, true to their own numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wetread.archive.plural import plural
from wetread.evaluation.score import Score

MOST = 8  # that a slide holds


def score_limits(scores: Sequence[Score], headline: str, units: str) -> list[str]:
    """Return how few patients and positives stand behind the headline's scores, and which findings
    have none. units: "patients" or "studies"."""
    found = [one for one in scores if one.metric == "roc_auc" and one.patients]
    limits = []
    for one in found:
        if one.finding == headline:
            width = (
                "" if one.low is None else f": the interval of its ROC AUC is {_width(one)} wide"
            )
            limits.append(
                f"{plural(one.positives, 'positive ' + one.level)} for "
                f"{headline.replace('_', ' ')}, {one.patients} {units} in all{width}."
            )
    if scores and all(one.patients <= 1 for one in scores):
        limits.append(f"One of the {units} alone stands behind every score: none has an interval.")
    empty = sorted({one.finding for one in found if one.value is None and one.positives == 0})
    if empty:
        names = ", ".join(name.replace("_", " ") for name in empty)
        limits.append(f"Nothing positive, so nothing is known, of: {names}.")
    return limits


def identity_limits(identity: Mapping[str, object] | None) -> list[str]:
    """Return what is not known of who is one patient."""
    if identity is None:
        return []
    if identity["unit"] == "patient":
        caution = identity.get("caution")
        return [f"Patients are those of {identity['source']}, but {caution}."] if caution else []
    return [
        f"Patients are not known ({identity['reason']}): intervals are too narrow where one has "
        "several studies."
    ]


def absent_limits(absent: Mapping[str, str]) -> list[str]:
    """Return which levels have no score, and why; what is scored as another level is no limit."""
    return [
        f"No score by {level}: {reason}."
        for level, reason in absent.items()
        if "it is scored as" not in reason
    ]


def unmatched_limits(counts: Mapping[str, int]) -> list[str]:
    """Return what was left out because predictions and labels did not meet."""
    lost, without = counts["labels_without_prediction"], counts["predictions_without_label"]
    if not lost and not without:
        return []
    return [
        f"{plural(lost, 'label')} had no prediction and {plural(without, 'prediction')} no label: "
        "none of them is in a score of its own level."
    ]


CLOSING = (
    "Scores hold for data like these; other places, scanners and patients may differ.",
    "For research alone, not for diagnosis.",
)


def _width(score: Score) -> str:
    assert score.low is not None  # the caller has asked
    assert score.high is not None
    return f"{score.high - score.low:.2f}"
