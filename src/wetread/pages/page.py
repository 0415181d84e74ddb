"""pages/page.py: scores, curves, counts and cases as one HTML page that needs nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from wetread.archive.files.atomic import write_whole
from wetread.evaluation.abstention import AbstentionCurve
from wetread.evaluation.score import Score
from wetread.pages.abstention_chart import abstention_chart
from wetread.pages.charts import (
    Curves,
    History,
    precision_recall_chart,
    reliability_chart,
    roc_chart,
    training_chart,
)
from wetread.pages.environment import page_environment
from wetread.pages.evaluation_part import EvaluationPart
from wetread.pages.panel import Panel
from wetread.pages.score_tables import PRIOR, score_tables

TEMPLATE = "page.html.j2"
USE = "Research use only, not for diagnosis"
PLURAL = {
    "image": "images", "series": "series", "study": "studies", "pixel": "pixels", "scan": "scans",
    "all": "rows",
}  # fmt: skip
ABSTENTION = "Leaving out what is unsure"
ABSTENTION_NOTE = (
    "Images, of the headline. Below the dotted line, what is left out was worse than the rest."
)


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
