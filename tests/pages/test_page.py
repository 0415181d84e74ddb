"""tests/pages/test_page.py: one page that needs nothing else and adds up."""

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from wetread.evaluation.evaluate import LabeledRows, evaluate
from wetread.evaluation.score import Score
from wetread.labels.finding import Finding
from wetread.outputs.pictures import png_bytes
from wetread.pages.charts import History, make_curves, roc_chart, training_chart
from wetread.pages.page import (
    CountSum,
    PageCase,
    PageContent,
    PageFact,
    add_link,
    page_html,
    write_page,
)
from wetread.pages.panel import Panel
from wetread.pages.score_tables import score_tables

FINDINGS = (Finding("rare"), Finding("lens"), Finding("any", weight=2.0))
NAMES = ("rare", "lens", "any")
VOID = {"meta", "img", "br", "link"}


PANEL = Panel(png_bytes(np.zeros((4, 4), np.uint8)), "brain window", "any 0.91; brain", "R", "L")


class Outline(HTMLParser):
    """List the addresses a page asks for, and whether its tags close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [value or "" for key, value in attrs if key == "id"]
        self.addresses += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def content() -> PageContent:
    rng = np.random.default_rng(0)
    truth = (rng.random((200, 3)) < [0.0, 0.2, 0.3]).astype(float)
    said = np.clip(0.5 * truth + 0.5 * rng.random((200, 3)), 0, 1)
    patients = [f"p{i // 10}" for i in range(200)]
    scores = evaluate(
        LabeledRows(truth, FINDINGS, patients, "image", "held_out"),
        said,
        rng,
        prior=truth.mean(0),
        baselines={"position": rng.random((200, 3))},
    )
    share = dict.fromkeys(NAMES, 0.2)
    part = {"patients": 20, "slices": 200, "positive_slice_share": share}
    return PageContent(
        title="Bleeds & <others>",
        summary="Judged on 20 patients.",
        headline="any",
        facts=(PageFact("ROC AUC of any", "0.94", "0.90 – 0.97"),),
        scores=tuple(scores),
        curves=make_curves(truth, said, NAMES),
        curves_subject="Held-out images",
        histories=(
            History(
                "m",
                (
                    {"epoch": 0, "loss": 0.5, "value": 0.4, "kept": True},
                    {"epoch": 1, "loss": 0.3, "value": None, "kept": False},
                ),
            ),
        ),
        fold_proof={"shared_patients": 0, "parts": {"train": part, "held_out": part}},
        counts=(
            CountSum("files", 5, (("images", 4), ("rejects", 1))),
            CountSum("images", 4, (("a", 3),)),
        ),
        cases=(PageCase((PANEL,), "any 0.91", "lens: yes", "Best"),),
        provenance={"seed": 0},
        settings={"seed": 0, "hu_shift": 2.5},
        badge="synthetic phantoms",
        origin="No patient stands behind these numbers.",
    )


@pytest.fixture(scope="module")
def page() -> str:
    return page_html(content())


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    return parsed


def test_the_page_is_well_formed_and_no_id_stands_twice(page: str) -> None:
    parsed = outline(page)
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))


def test_the_page_asks_nothing_of_any_network_and_runs_no_script(page: str) -> None:
    parsed = outline(page)
    assert "script" not in parsed.tags
    assert "link" not in parsed.tags
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in parsed.addresses)
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page


def test_the_page_forbids_itself_scripts_and_requests(page: str) -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "script-src" not in rules
    assert "unsafe-eval" not in policy


def test_a_count_is_shown_as_a_count() -> None:
    counted = Score("inconsistent_exams", "all", "study", "held_out", 3.0, None, None, 40, 0, None)
    (table,) = score_tables([counted], "any")
    assert [cell.value for _, cell in table.every] == ["3"]


def test_a_picture_says_what_it_is_and_can_be_enlarged_without_a_script(page: str) -> None:
    assert 'alt="any 0.91; brain"' in page
    assert '<span class="what">brain window</span>' in page
    (target,) = re.findall(r'popovertarget="([^"]+)"', page)
    assert re.search(rf'<div class="picture" popover id="{target}"', page)


def test_the_sides_of_the_patient_stand_at_the_edges_of_a_picture(page: str) -> None:
    assert re.findall(r'class="side (.)" aria-hidden="true">(.)<', page) == [("l", "R"), ("r", "L")]


def test_settings_are_folded_away(page: str) -> None:
    assert "<details><summary>All 2 settings of the recipe</summary>" in page
    assert "<dt>hu shift</dt><dd>2.5</dd>" in page


def test_phantoms_are_named_beside_the_title(page: str) -> None:
    assert '<span class="badge">synthetic phantoms</span></h1>' in page


def test_ten_curves_have_ten_looks() -> None:
    truth = np.array([[0.0] * 10, [1.0] * 10])
    names = tuple(f"f{i}" for i in range(10))
    drawn = roc_chart(make_curves(truth, truth, names), "f9")
    looks = set(re.findall(r'<path d="[^"]+" clip-path="[^"]+" style="fill: none; ([^"]+)"', drawn))
    assert len({look.replace("stroke-linecap: square", "") for look in looks}) >= 10


def test_every_reference_inside_the_curves_finds_its_target(page: str) -> None:
    wanted = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert wanted
    assert wanted <= set(outline(page).ids)


def test_the_page_says_that_it_is_for_research_only(page: str) -> None:
    assert page.count("Research use only, not for diagnosis") == 2


def test_text_is_escaped(page: str) -> None:
    assert "Bleeds &amp; &lt;others&gt;" in page
    assert "<others>" not in page


def test_scores_stand_with_interval_baseline_and_prevalence(page: str) -> None:
    scores = {(s.metric, s.finding): s for s in content().scores}
    for key in (("weighted_log_loss", "all"), ("weighted_log_loss_prior", "all")):
        score = scores[key]
        assert f"{score.value:.4f}" in page
        assert f"{score.low:.4f} – {score.high:.4f}" in page
    assert f"{scores['roc_auc', 'any'].value:.3f}" in page
    assert f"{scores['roc_auc_position', 'any'].value:.3f}" in page
    assert f"{100 * (scores['average_precision_prior', 'any'].value or 0):.1f} %" in page


def test_a_finding_without_positives_shows_its_reason(page: str) -> None:
    assert "no positive among 200 known labels" in page
    assert "for want of both classes: rare" in page


def test_counts_that_do_not_add_up_are_called_out(page: str) -> None:
    assert page.count("does not add up") == 1
    assert "<b>5 files</b> = 4 images + 1 reject</li>" in page


def test_a_case_is_the_very_picture(page: str) -> None:
    (code,) = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert base64.b64decode(code) == PANEL.image


def test_the_headline_finding_stands_first() -> None:
    (table,) = score_tables(content().scores, "any")
    assert [row.finding for row in table.rows] == ["any", "rare", "lens"]


def test_the_same_content_gives_the_same_page(page: str) -> None:
    assert page_html(content()) == page


def test_a_page_of_almost_nothing_is_still_a_page(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", PageContent("Nothing yet", "No scores.", "any"))
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert outline(text).open == []
    assert "Curves" not in text


def test_a_long_curve_is_thinned_and_a_chart_is_xml() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((50_000, 1)) < 0.2).astype(float)
    said = np.clip(0.2 * truth + rng.random((50_000, 1)), 0, 1.2) / 1.2
    scores = PageContent("t", "s", "any", curves=make_curves(truth, said, ("any",)))
    assert len(page_html(scores)) < 120_000
    ElementTree.fromstring(training_chart(content().histories))


def test_importing_the_page_loads_no_matplotlib() -> None:
    code = "import sys, wetread.pages.page; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_no_header_tells_the_sides_the_page_says_how_films_hang(page: str) -> None:
    assert "letters at the edges are the patient's sides." in page
    assert "which side is which" not in page
    case = PageCase((replace(PANEL, left="", right=""),), "any 0.91", "lens: yes")
    told = page_html(replace(content(), cases=(case,)))
    assert "no header tells which side is which: as films are hung, the patient's right" in told


def test_a_page_leads_to_another_that_lies_beside_it(page: str) -> None:
    led = add_link(page, "readings.html", "readings")
    assert outline(led).open == []
    assert outline(led).addresses[0] == "readings.html"
    assert led.index("readings.html") < led.index("<main>")


def test_scores_of_both_levels_have_a_heading_and_words_that_are_read() -> None:
    both = Score("weighted_log_loss", "all", "all", "held_out", 0.5, None, None, 4, 2, None)
    own = Score("exam_log_loss", "all", "study", "held_out", 0.3, None, None, 4, 2, None)
    told = page_html(replace(content(), scores=(both, own)))
    assert "<h2>Scores of images and studies together, held out</h2>" in told
    assert "<div>exam log loss<b>" in told
