"""pages/slides.py: a page's content as slides, 16:9, one file that prints a slide a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wetread.archive.files.atomic import write_whole
from wetread.evaluation.intervals import DRAWS
from wetread.evaluation.score import Score
from wetread.evaluation.task_metric import METRIC_WORDS
from wetread.pages.charts import reliability_chart, roc_chart
from wetread.pages.environment import page_environment, spaced_words
from wetread.pages.evaluation_part import DifferenceRow, DifferenceTable
from wetread.pages.page import PLURAL, USE, PageCase, PageContent, patient_unit
from wetread.pages.panel import Panel
from wetread.pages.score_tables import score_tables

TEMPLATE = "slides.html.j2"
MOST_ROWS = 11  # of a table on a slide
OUTLINES = "outlines"  # begins the label of a picture that has them
MOST_GROUPS = 8  # of a table whose rows have two lines
MOST_CASES = 3  # pictures of a kind of error
ERRORS = (
    "least sure where it is",
    "surest where it is not",
    "drawn worst",
    "drawn where nothing is",
)
# A metric, its words, the metric of its floor and the words for that.
FLOORS = (
    *((name, words, f"{name}_prior", "constant prior") for name, words in METRIC_WORDS.items()),
    ("exam_log_loss", "log loss of exams", "exam_log_loss_prior", "constant prior"),
    ("image_log_loss", "log loss of images", "image_log_loss_prior", "constant prior"),
    ("roc_auc", "ROC AUC", "roc_auc_prior", "a guess"),
    ("average_precision", "average precision", "average_precision_prior", "a guess"),
    ("brier", "Brier score", "brier_prior", "constant prior"),
    ("ece", "calibration error", "ece_perfect", "calibrated: 95 % are below"),
    ("dice", "mean Dice", "dice_all_empty", "no mask at all"),
)
# Scores of whole scans that have no floor.
WITHOUT = tuple(
    (metric, words, "", "")
    for metric, words in (
        ("surface_dice", "surface Dice at 2 mm"),
        ("lesion_recall", "lesions found"),
        ("false_lesions", "false lesions a scan"),
        ("truth_ml", "true ml"),
        ("drawn_ml", "drawn ml"),
    )
)


@dataclass(frozen=True)
class FloorRow:
    """A score beside what is had without looking."""

    level: str
    label: str
    value: str
    interval: str
    floor: str
    floor_label: str


def write_slides(path: Path, content: PageContent, limits: Sequence[str]) -> None:
    """Write the slides: data, method, score beside its floor, by finding, curves, groups and pairs,
    errors, limits; a slide without content is left out. limits: sentences of the last one."""
    write_whole(path, slides_html(content, limits).encode())


def slides_html(content: PageContent, limits: Sequence[str]) -> str:
    """Return the slides as HTML text."""
    from markupsafe import Markup

    drawn = [curve for curve in content.curves if len(curve.true_rate)]
    charts = [
        (title, Markup(draw(drawn, content.headline)))
        for title, draw in (("ROC", roc_chart), ("Reliability", reliability_chart))
        if drawn
    ]
    tables = score_tables(content.scores, content.headline, content.prior)
    part, errors = content.evaluation, error_cases(content.cases)
    return (
        page_environment()
        .get_template(TEMPLATE)
        .render(
            page=content,
            use=USE,
            plural=PLURAL,
            units=patient_unit(content.identity),
            floors=floor_rows(content.scores, content.headline),
            findings=[table for table in tables if table.ranked],
            charts=charts,
            most=MOST_ROWS,
            differences=[] if part is None else [shortened(one) for one in part.groups],
            pairs=[] if part is None else [shortened(one) for one in part.pairs],
            readers=[] if part is None else part.readers,
            names=("", "") if part is None else part.names,
            draws=DRAWS,
            errors=errors,
            outlined=any(panel.label.startswith(OUTLINES) for _, own in errors for panel, _ in own),
            limits=limits,
        )
    )


def floor_rows(scores: Sequence[Score], headline: str) -> list[FloorRow]:
    """Return the headline's scores, those over all findings and those of masks, each beside its
    floor; of whole scans also what has none."""
    found = {(one.level, one.finding, one.metric): one for one in scores}
    rows = []
    for level in dict.fromkeys(one.level for one in scores):
        drawn = dict.fromkeys(one.finding for one in scores if level in ("pixel", "scan"))
        findings = ["all", headline, *(name for name in drawn if name not in ("all", headline))]
        for metric, words, floor, floor_words in (*FLOORS, *WITHOUT):
            for finding in findings:
                one = found.get((level, finding, metric))
                other = found.get((level, finding, floor))
                if one is None or one.value is None or (floor and other is None):
                    continue
                interval = "" if one.low is None else f"{one.low:.3f} – {one.high:.3f}"
                subject = "" if finding == "all" else f" of {spaced_words(finding)}"
                baseline = "" if other is None or other.value is None else f"{other.value:.3f}"
                rows.append(
                    FloorRow(
                        level, words + subject, f"{one.value:.3f}", interval, baseline, floor_words,
                    )
                )  # fmt: skip
    return rows


def shortened(table: DifferenceTable) -> DifferenceTable:
    """Return a table with as many rows as a slide holds: those whose values are of other metrics
    first, as the official one that all findings together have; then the largest differences of the
    first metric that most rows have; then those without a difference and those without values."""
    most = max(table.metrics, key=lambda name: sum(name in row.cells for row in table.rows))

    def rank(row: DifferenceRow) -> tuple[int, float]:
        cell = row.cells.get(most)
        if cell is None:
            return (0 if row.cells else 3), 0.0
        return (1, -abs(float(cell.difference))) if cell.difference else (2, 0.0)

    rows = table.rows
    if len(rows) > MOST_GROUPS:
        rows = tuple(sorted(rows, key=rank)[:MOST_GROUPS])
    return DifferenceTable(table.level, table.metrics, rows, table.apart, table.compared)


def error_cases(cases: Sequence[PageCase]) -> list[tuple[str, list[tuple[Panel, str]]]]:
    """Return the kinds of errors that there are pictures of, some of each, and their titles: of
    each image the picture with outlines, or else the first."""
    groups = [(kind, [case for case in cases if case.group == kind]) for kind in ERRORS]
    return [
        (kind, [(telling_panel(case), case.title) for case in own[:MOST_CASES]])
        for kind, own in groups
        if own
    ]


def telling_panel(case: PageCase) -> Panel:
    """Return the panel with outlines of a case; its first where none has any."""
    return next((one for one in case.panels if one.label.startswith(OUTLINES)), case.panels[0])
