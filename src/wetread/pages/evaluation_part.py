"""pages/evaluation_part.py: what a page of predictions on given data has besides scores: groups
against the rest, two predictions in pairs, what the run says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wetread.evaluation.comparison import Difference
from wetread.evaluation.subgroups import SubgroupScore
from wetread.evaluation.task_metric import METRIC_WORDS
from wetread.pages.environment import spaced_words

if TYPE_CHECKING:
    from markupsafe import Markup

GROUP_METRICS = {
    "roc_auc": "ROC AUC",
    "sensitivity_at_specificity_90": "sensitivity at 90 % specificity",
    "log_loss": "log loss",
}
PAIR_METRICS: dict[str, str] = {
    **{str(name): words for name, words in METRIC_WORDS.items()},
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "sensitivity_at_specificity_90": "sensitivity at 90 % specificity",
    "recall": "sensitivity at 0.5",
    "specificity": "specificity at 0.5",
    "log_loss": "log loss",
    "brier": "Brier score",
}


@dataclass(frozen=True)
class DifferenceCell:
    """A difference in a table: the two values, and it with its interval, as text; where there are
    both values and yet no difference, why, in place of the interval.

    apart: whether its interval leaves 0 out.
    """

    first: str
    second: str
    difference: str
    interval: str
    apart: bool


@dataclass(frozen=True)
class DifferenceRow:
    """A line of a table of differences: what is compared, its counts and cells by metric.

    reason: why there are no cells.
    """

    head: tuple[str, ...]
    rows: int
    positives: int
    cells: Mapping[str, DifferenceCell]
    reason: str


@dataclass(frozen=True)
class DifferenceTable:
    """Differences of one level; apart: how many of the intervals leave 0 out, compared: of how
    many."""

    level: str
    metrics: Mapping[str, str]
    rows: tuple[DifferenceRow, ...]
    apart: int
    compared: int


@dataclass(frozen=True)
class ReaderLine:
    """A reader beside the model: values and intervals, as text, of sensitivity, specificity, the
    model's sensitivity at that specificity, the difference and the model's ROC AUC.

    apart: whether the difference's interval leaves 0 out. reason: why there are no values.
    """

    reader: str
    reference: str
    texts: tuple[tuple[str, str], ...]
    studies: int
    positives: int
    undecided: int
    apart: bool
    reason: str


@dataclass(frozen=True)
class ReaderPart:
    """The readers of one finding: the chart as SVG text ("" without any), and their lines."""

    finding: str
    level: str
    chart: str
    lines: tuple[ReaderLine, ...]

    @property
    def figure(self) -> Markup:
        """The chart, as it stands on the page."""
        from markupsafe import Markup

        return Markup(self.chart)


@dataclass(frozen=True, eq=False)
class EvaluationPart:
    """Parts of a page of predictions besides the scores: groups, pairs, readers, provenance.

    absent:     level to the reason why it has no score.
    groups:     tables of groups against the rest, of one finding.
    pairs:      tables of two predictions of the same rows; names: what they are called.
    readers:    beside the model, a part a finding.
    own_scores: what the run says of itself and what is found here: label, its own, here.
    known:      the sentence of how many of the scored images the run was made with.
    """

    absent: Mapping[str, str]
    groups: tuple[DifferenceTable, ...] = ()
    pairs: tuple[DifferenceTable, ...] = ()
    names: tuple[str, str] = ("first", "second")
    readers: tuple[ReaderPart, ...] = ()
    own_scores: tuple[tuple[str, str, str], ...] = ()
    known: str = ""


def group_tables(found: Sequence[SubgroupScore]) -> tuple[DifferenceTable, ...]:
    """Make a table a level of groups against the rest."""
    keyed = [((spaced_words(one.attribute), one.group), one.difference) for one in found]
    return _tables(keyed, GROUP_METRICS)


def pair_tables(found: Sequence[Difference]) -> tuple[DifferenceTable, ...]:
    """Make a table a level of two predictions of the same rows, a line a finding."""
    return _tables([((spaced_words(one.finding),), one) for one in found], PAIR_METRICS)


def _tables(
    keyed: Sequence[tuple[tuple[str, ...], Difference]], metrics: Mapping[str, str]
) -> tuple[DifferenceTable, ...]:
    tables = []
    for level in dict.fromkeys(one.level for _, one in keyed):
        lines: dict[tuple[str, ...], list[Difference]] = {}
        for head, one in keyed:
            if one.level == level and one.metric in metrics:
                lines.setdefault(head, []).append(one)
        shown = [one for line in lines.values() for one in line if one.low is not None]
        rows = tuple(_row(head, line) for head, line in lines.items())
        apart = sum(one.apart for one in shown)
        tables.append(DifferenceTable(level, metrics, rows, apart, len(shown)))
    return tuple(tables)


def _row(head: tuple[str, ...], line: Sequence[Difference]) -> DifferenceRow:
    cells = {
        one.metric: _cell(one) for one in line if one.first is not None and one.second is not None
    }
    reason = "" if cells else next((one.reason or "" for one in line), "")
    return DifferenceRow(head, line[0].rows, line[0].positives, cells, reason)


def _cell(one: Difference) -> DifferenceCell:
    both = f"{one.first:.3f}", f"{one.second:.3f}"
    if one.value is None:
        return DifferenceCell(*both, "", one.reason or "", apart=False)
    interval = "" if one.low is None else f"{one.low:+.3f} – {one.high:+.3f}"
    return DifferenceCell(*both, f"{one.value:+.3f}", interval, one.apart)
