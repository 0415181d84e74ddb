"""cli/baseline_text.py: the scores of baselines as tables for an 80-column terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wetread.archive.plural import plural
from wetread.cli.text import HEADINGS, by_study, patient_lines, repaired_lines

if TYPE_CHECKING:  # the command line starts without loading what it may not need
    from wetread.evaluation.score import Score
    from wetread.verbs.baseline.baseline import BaselineResult

COLUMNS = ("prior", "position", "histogram", "header")


def baseline_lines(result: BaselineResult) -> list[str]:
    """Return how images and labels met, a table of each metric, and where the files lie."""
    counts = result.counts
    lines = [
        f"{plural(counts['labelled_images'], 'image')} with a label{by_study(counts)}, "
        f"{counts['images_without_label']} without; "
        f"{plural(counts['labels_without_image'], 'label')} without image",
    ]
    if counts["undecodable_images"]:
        lost = plural(counts["undecodable_images"], "labelled image")
        lines.append(f"{lost} that cannot be read: {result.out / 'rejects.csv'}")
    lines += repaired_lines(counts["ids_repaired"])
    lines += patient_lines(result.identity)
    lines += table_lines(result.scores)
    if "unseen_images" in counts:
        lines.append(
            f"{plural(counts['unseen_images'], 'unseen image')} read, "
            f"{counts['unseen_refused']} refused"
        )
    lines += [f"submission: {path}" for path in result.submissions]
    return [*lines, f"scores with intervals: {result.out / 'scores.json'}"]


def table_lines(scores: Sequence[Score]) -> list[str]:
    """Return for each metric a heading and a line a finding and level, baselines as columns."""
    found = {
        (metric, one.finding, one.level, name): one
        for one in scores
        for metric, name in (_split(one.metric),)
        if metric in HEADINGS
    }
    metrics = dict.fromkeys(metric for metric, *_ in found)
    wide = max((len(finding) for _, finding, _, _ in found), default=0)
    lines = []
    for metric in metrics:
        rows = dict.fromkeys((f, level) for m, f, level, _ in found if m == metric)
        named = [name for name in COLUMNS if any(k[0] == metric and k[3] == name for k in found)]
        wide = max(wide, len(metric))
        lines.append(f"{metric:<{wide}} {'level':<6}" + "".join(f"{name:>10}" for name in named))
        lines += [
            f"{finding:<{wide}} {level:<6}"
            + "".join(_value(found.get((metric, finding, level, name))) for name in named)
            for finding, level in rows
        ]
    empty = [one for one in scores if one.metric == "dice_all_empty" and one.value is not None]
    lines += [f"dice of empty masks for all: {one.finding} {one.value:.3f}" for one in empty]
    return lines


def _split(metric: str) -> tuple[str, str]:
    """Part a metric's name into the metric and the baseline; no baseline: ""."""
    own, _, name = metric.rpartition("_")
    return (own, name) if name in COLUMNS else (metric, "")


def _value(score: Score | None) -> str:
    return f"{'–' if score is None or score.value is None else format(score.value, '.3f'):>10}"
