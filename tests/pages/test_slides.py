"""tests/pages/test_slides.py: a page's content as slides."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.evaluation.test_evaluation import DIFFERENCE

from wetread.evaluation.score import Score
from wetread.evaluation.subgroups import SubgroupScore
from wetread.pages.charts import make_curves
from wetread.pages.evaluation_part import EvaluationPart, group_tables, pair_tables
from wetread.pages.page import CountSum, PageCase, PageContent
from wetread.pages.panel import Panel
from wetread.pages.slides import error_cases, floor_rows, shortened, slides_html, write_slides

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ff"
    "ff3f0005fe02fea72d5bfa0000000049454e44ae426082"
)


def score(metric: str, value: float, finding: str = "any") -> Score:
    return Score(metric, finding, "image", "given_data", value, value - 0.1, value + 0.1, 30, 12)


def case(group: str, *labels: str) -> PageCase:
    panels = tuple(Panel(PIXEL, label, label) for label in labels)
    return PageCase(panels, f"{group} title", "", group)


SCORES = (
    score("weighted_log_loss", 0.2, "all"), score("weighted_log_loss_prior", 0.3, "all"),
    score("roc_auc", 0.8), score("roc_auc_prior", 0.5), score("roc_auc", 0.7, "subdural"),
    score("average_precision", 0.4), score("average_precision_prior", 0.1),
)  # fmt: skip
CONTENT = PageContent(
    title="Heads",
    summary="Scored on 40 images.",
    headline="any",
    scores=SCORES,
    curves=make_curves(np.array([[1.0], [0.0], [1.0]]), np.array([[0.9], [0.3], [0.4]]), ["any"]),
    curves_subject="images of these patients",
    counts=(CountSum("predicted images", 40, ()),),
    cases=(
        case("least sure where it is", "brain", "outlines: truth green"),
        case("found", "brain"),
    ),
    provenance={"truth": "labels.csv"},
    evaluation=EvaluationPart({}, groups=group_tables([SubgroupScore("view", "AP", DIFFERENCE)])),
)


def test_each_score_has_its_floor() -> None:
    rows = floor_rows(SCORES, "any")
    assert [(row.label, row.value, row.floor) for row in rows] == [
        ("weighted log loss", "0.200", "0.300"),
        ("ROC AUC of any", "0.800", "0.500"),
        ("average precision of any", "0.400", "0.100"),
    ]
    assert rows[0].interval == "0.100 – 0.300"


def test_slides_tell_data_method_score_findings_errors_and_limits_in_this_order() -> None:
    html = slides_html(CONTENT, ["Few patients."])
    titles = re.findall(r"<h2>(.*?)</h2>", html)
    assert titles == [
        "Data", "Method", "The score beside its floor", "By finding, by image",
        "Curves: images of these patients", "Groups against the rest, by image", "Errors", "Limits",
    ]  # fmt: skip
    assert "<li>Few patients.</li>" in html
    assert "labels.csv" in html


def test_errors_show_the_picture_with_outlines_and_leave_out_what_was_found() -> None:
    ((kind, shown),) = error_cases(CONTENT.cases)
    assert kind == "least sure where it is"
    assert [(panel.label, title) for panel, title in shown] == [
        ("outlines: truth green", "least sure where it is title")
    ]


def test_a_long_table_keeps_its_largest_differences() -> None:
    groups = [
        SubgroupScore("kernel", f"K{k}", replace(DIFFERENCE, value=k / 100)) for k in range(12)
    ]
    (table,) = group_tables(groups)
    kept = [row.head[1] for row in shortened(table).rows]
    assert kept == [f"K{k}" for k in range(11, 3, -1)]
    assert shortened(table).compared == 12


def test_a_slide_keeps_the_official_score_and_the_largest_differences() -> None:
    official = replace(DIFFERENCE, metric="weighted_log_loss", finding="all")
    findings = [replace(DIFFERENCE, finding=f"f{k}", value=k / 100) for k in range(12)]
    (table,) = pair_tables([*findings, official])
    kept = [row.head[0] for row in shortened(table).rows]
    assert kept == ["all", *(f"f{k}" for k in range(11, 4, -1))]


def test_groups_without_a_difference_come_after_those_with_one() -> None:
    none = replace(DIFFERENCE, value=None, low=None, high=None, reason="compared once, as K0")
    few = replace(none, first=None, second=None, reason="2 positive")
    groups = [SubgroupScore("x", "few", few), SubgroupScore("x", "once", none)]
    groups += [SubgroupScore("kernel", f"K{k}", DIFFERENCE) for k in range(7)]
    (table,) = group_tables(groups)
    assert [row.head[1] for row in shortened(table).rows] == [*(f"K{k}" for k in range(7)), "once"]


def test_every_slide_prints_on_a_sheet_of_its_own(browser: Any, tmp_path: Path) -> None:
    write_slides(tmp_path / "slides.html", CONTENT, ["Few patients."])
    page = browser.new_page()
    page.goto((tmp_path / "slides.html").as_uri())
    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))
    overflowing = page.evaluate(
        "[...document.querySelectorAll('.slide')].filter(s => s.scrollHeight > s.clientHeight + 1 "
        "|| s.scrollWidth > s.clientWidth + 1).length"
    )
    page.close()
    assert len(sheets) == slides_html(CONTENT, []).count('<section class="slide')
    assert overflowing == 0
