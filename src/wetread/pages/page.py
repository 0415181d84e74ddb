"""pages/page.py: scores, curves, counts and cases as one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wetread.archive.files.atomic import write_whole
from wetread.evaluation.abstention import AbstentionCurve
from wetread.evaluation.score import Score
from wetread.evaluation.task_metric import LOSSES, METRIC_WORDS, MetricName
from wetread.pages.abstention_chart import abstention_chart
from wetread.pages.charts import (
    Curves,
    History,
    precision_recall_chart,
    reliability_chart,
    roc_chart,
    training_chart,
)
from wetread.pages.environment import page_environment, percent, spaced_words
from wetread.pages.evaluation_part import EvaluationPart
from wetread.pages.panel import Panel

TEMPLATE = "page.html.j2"
USE = "Research use only, not for diagnosis"
PLURAL = {
    "image": "images", "series": "series", "study": "studies", "pixel": "pixels", "scan": "scans",
    "all": "rows",
}  # fmt: skip
COUNTS = frozenset({"inconsistent_exams"})  # scores that are no shares
PRIOR = "share in training, for everyone"
ABSTENTION = "Leaving out what is unsure"
ABSTENTION_NOTE = (
    "Images, of the headline. Below the dotted line, what is left out was worse than the rest."
)
BASELINES = {
    "prior": PRIOR,
    "position": "slice position alone",
    "histogram": "histogram alone",
}


@dataclass(frozen=True)
class PageFact:
    """A number of the page's head: "ROC AUC by study", "0.94", "95 % interval 0.89-0.98"."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class CountSum:
    """A count and the parts that must add up to it; the page says when they do not."""

    label: str
    total: int
    parts: tuple[tuple[str, int], ...]

    @property
    def adds_up(self) -> bool:
        """Whether the parts make the total."""
        return sum(count for _, count in self.parts) == self.total


@dataclass(frozen=True, eq=False)
class PageCase:
    """Pictures of one image with a title and a caption; cases of one group stand in one section.

    where: UIDs to find it by. No text names a patient.
    """

    panels: tuple[Panel, ...]
    title: str
    caption: str
    group: str = ""
    where: str = ""


@dataclass(frozen=True, eq=False)
class PageContent:
    """The content of a page. Empty parts are left out.

    summary:    the archive, the patients trained on and scored on, a sentence or two.
    headline:   the finding that stands first.
    curves_subject: what the curves are of: "images of patients never seen".
    fold_proof: FoldPlan.proof: shared_patients (None: there is no proof) and parts.
    identity:   study/patients.py's Identity as a mapping; None: of a run that has none.
    provenance: where everything came from, name to value; settings: the rest, folded away.
    evaluation: of predictions on given data, what stands besides the scores.
    prior:      what the constant prior is.
    abstention: of images of the headline: what is won by leaving out those that are unsure.
    badge:      beside the title, where its patients are none; origin: the sentence to it;
                short_caution: in few words for where a score stands.
    """

    title: str
    summary: str
    headline: str
    facts: tuple[PageFact, ...] = ()
    scores: tuple[Score, ...] = ()
    curves: tuple[Curves, ...] = ()
    curves_subject: str = ""
    histories: tuple[History, ...] = ()
    fold_proof: Mapping[str, object] | None = None
    identity: Mapping[str, object] | None = None
    counts: tuple[CountSum, ...] = ()
    cases: tuple[PageCase, ...] = ()
    provenance: Mapping[str, object] | None = None
    settings: Mapping[str, object] | None = None
    badge: str = ""
    origin: str = ""
    abstention: tuple[AbstentionCurve, ...] = ()
    evaluation: EvaluationPart | None = None
    prior: str = PRIOR
    short_caution: str = ""

    @property
    def sides(self) -> bool:
        """Whether any picture has letters of the patient's sides."""
        return any(panel.left for case in self.cases for panel in case.panels)

    @property
    def chosen(self) -> bool:
        """Whether a validation metric chose what was kept."""
        epochs = [epoch for history in self.histories for epoch in history.epochs]
        return any(epoch.get("value") is not None for epoch in epochs)


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


def write_page(path: Path, content: PageContent) -> None:
    """Write the page; one file, no script, no request to anywhere."""
    write_whole(path, page_html(content).encode())


def add_link(page: str, address: str, text: str) -> str:
    """Return a page's HTML with a link at the end of its head."""
    link = f'<p class="note screen"><a href="{escape(address)}">{escape(text)}</a></p>'
    return page.replace("</header>", f"{link}\n</header>", 1)


def page_html(content: PageContent) -> str:
    """Return the page as HTML text."""
    from markupsafe import Markup

    drawn = [curve for curve in content.curves if len(curve.true_rate)]
    charts = {
        "ROC": (roc_chart, "Above the diagonal is better than chance; the corner is perfect."),
        "Precision and recall": (
            precision_recall_chart,
            "Of those called positive, how many are; the dashed line is what a guess earns.",
        ),
        "Reliability": (
            reliability_chart,
            "On the diagonal, 0.3 means three in ten. Every dot holds as many expected positives.",
        ),
    }
    return (
        page_environment()
        .get_template(TEMPLATE)
        .render(
            page=content,
            units=patient_unit(content.identity),
            use=USE,
            plural=PLURAL,
            tables=score_tables(content.scores, content.headline, content.prior),
            charts=[
                (title, Markup(draw(drawn, content.headline)), note)
                for title, (draw, note) in charts.items()
                if drawn
            ]
            + (
                [(ABSTENTION, Markup(abstention_chart(content.abstention)), ABSTENTION_NOTE)]
                if content.abstention
                else []
            ),
            undrawn=[curve.finding for curve in content.curves if not len(curve.true_rate)],
            training=Markup(training_chart(content.histories)) if content.histories else "",
            groups=list(dict.fromkeys(case.group for case in content.cases)),
        )
    )


def patient_unit(identity: Mapping[str, object] | None) -> str:
    """Name the unit of splits: "patients", or "studies" where patients are not known."""
    unit = "patient" if identity is None else str(identity["unit"])
    return {"patient": "patients", "study": "studies", "mixed": "patients or studies"}[unit]


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
    """Group the scores of all findings together by metric, each with its baselines; what is of no
    metric of a task's stands with the first."""
    words = BASELINES | {"prior": prior, "uncalibrated": "before calibration"}
    groups: dict[str, list[tuple[str, ScoreCell]]] = {}
    for score in scores:
        name = next((one for one in METRIC_WORDS if score.metric.startswith(one)), None)
        heading = _heading(name) if name else next(iter(groups), _heading("weighted_log_loss"))
        baseline = score.metric.removeprefix(f"{name}_")
        text = "the model" if score.metric == name else words.get(baseline, spaced_words(baseline))
        groups.setdefault(heading, []).append((text, _cell(score)))
    return {heading: tuple(cells) for heading, cells in groups.items()}


def _heading(name: MetricName) -> str:
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
