"""pages/score_tables.py: scores become the tables of a page, one a level and split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wetread.evaluation.score import Score
from wetread.evaluation.task_metric import LOSSES, METRIC_WORDS, MetricName
from wetread.pages.environment import percent, spaced_words

COUNTS = frozenset({"inconsistent_exams"})  # scores that are no shares
PRIOR = "share in training, for everyone"
BASELINES = {
    "prior": PRIOR,
    "position": "slice position alone",
    "histogram": "histogram alone",
    "header": "header alone",
}


@dataclass(frozen=True)
class ScoreCell:
    """A score in a table: its text, and its place on a scale from 0.5 to 1, in percent."""

    value: str
    interval: str
    reason: str
    at: float
    low: float
    high: float


@dataclass(frozen=True)
class ScoreRow:
    """A finding's line in a table of scores; a metric that was not computed has no cell."""

    finding: str
    positives: int
    prevalence: str
    cells: Mapping[str, ScoreCell]


@dataclass(frozen=True)
class ScoreTable:
    """The scores of one level and split; of_all: of all findings together, by metric in words."""

    level: str
    split: str
    of_all: Mapping[str, tuple[tuple[str, ScoreCell], ...]]
    patients: int
    baselines: tuple[tuple[str, str], ...]
    rows: tuple[ScoreRow, ...]
    every: tuple[tuple[Score, ScoreCell], ...]

    @property
    def ranked(self) -> bool:
        """Whether images were put in order; masks are not."""
        return any("roc_auc" in row.cells for row in self.rows)

    @property
    def calibrated(self) -> bool:
        """Whether probabilities were held against how often they came true."""
        return any("ece" in row.cells for row in self.rows)


def score_tables(scores: Sequence[Score], headline: str, prior: str = PRIOR) -> list[ScoreTable]:
    """Return tables of scores, one a level and split in their order; the headline row first.

    prior: what the constant prior is, in words.
    """
    places = list(dict.fromkeys((score.level, score.split) for score in scores))
    return [
        _table([s for s in scores if (s.level, s.split) == place], headline, prior)
        for place in places
    ]


def _table(scores: Sequence[Score], headline: str, prior: str) -> ScoreTable:
    level, split = scores[0].level, scores[0].split
    findings = list(dict.fromkeys(score.finding for score in scores if score.finding != "all"))
    findings.sort(key=lambda finding: finding != headline)
    metrics = {score.metric for score in scores}
    baselines = tuple(
        (key, label)
        for key, label in BASELINES.items()
        if f"roc_auc_{key}" in metrics and key != "prior"  # whose ROC AUC is 0.5 by nature
    )
    return ScoreTable(
        level,
        split,
        _of_all([score for score in scores if score.finding == "all"], prior),
        max(score.patients for score in scores),
        baselines,
        tuple(_row(finding, [s for s in scores if s.finding == finding]) for finding in findings),
        tuple((score, _cell(score)) for score in scores),
    )


def _of_all(scores: Sequence[Score], prior: str) -> dict[str, tuple[tuple[str, ScoreCell], ...]]:
    """Group the scores of all findings together by the metric of a task that they are, or are a
    baseline of; others stand with the first."""
    words = BASELINES | {"prior": prior, "uncalibrated": "before calibration"}
    groups: dict[str, list[tuple[str, ScoreCell]]] = {}
    first = _heading("weighted_log_loss")
    for score in scores:
        name = next((one for one in METRIC_WORDS if score.metric.startswith(one)), None)
        if name is None:
            heading, text = next(iter(groups), first), spaced_words(score.metric)
        elif score.metric == name:
            heading, text = _heading(name), "the model"
        else:
            baseline = score.metric.removeprefix(f"{name}_")
            heading, text = _heading(name), words.get(baseline, spaced_words(baseline))
        groups.setdefault(heading, []).append((text, _cell(score)))
    return {heading: tuple(cells) for heading, cells in groups.items()}


def _heading(name: MetricName) -> str:
    """Write a metric's name, and which way it is better."""
    better = "lower" if name in LOSSES else "higher"
    words = METRIC_WORDS[name]
    return f"{words[0].upper()}{words[1:]}, all findings ({better} is better)"


def _row(finding: str, scores: Sequence[Score]) -> ScoreRow:
    cells = {score.metric: _cell(score) for score in scores}
    prior = next((score for score in scores if score.metric == "average_precision_prior"), None)
    return ScoreRow(
        finding,
        max(score.positives for score in scores),
        percent(prior.value) if prior is not None and prior.value is not None else "",
        cells,
    )


def _cell(score: Score) -> ScoreCell:
    if score.value is None:
        return ScoreCell("–", "", score.reason or "", 0, 0, 0)
    digits = 0 if score.metric in COUNTS else 4 if "log_loss" in score.metric else 3
    interval = (
        f"{score.low:.{digits}f} – {score.high:.{digits}f}"
        if score.low is not None and score.high is not None
        else ""
    )
    low = score.low if score.low is not None else score.value
    high = score.high if score.high is not None else score.value
    return ScoreCell(
        f"{score.value:.{digits}f}",
        interval,
        score.reason or "",
        *(100 * min(1.0, max(0.0, (value - 0.5) / 0.5)) for value in (score.value, low, high)),
    )
