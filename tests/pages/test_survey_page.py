"""tests/pages/test_survey_page.py: tables, charts and warnings on one page."""

import numpy as np
import polars as pl

from wetread.outputs.pictures import png_bytes
from wetread.pages.chart import Chart
from wetread.pages.page import PageCase, PageFact
from wetread.pages.panel import Panel
from wetread.pages.survey_page import (
    FOLDED_ROWS,
    SHOWN_ROWS,
    PageTable,
    PageWarning,
    SurveyContent,
    SurveySection,
    survey_html,
)

CHART = Chart("Views", '<svg role="img" aria-label="PA 3"></svg>', "PA 3")
LONG = PageTable("rows", "Rows", pl.DataFrame({"n": range(300), "share": [0.5] * 300}))
PANEL = Panel(png_bytes(np.zeros((4, 4), np.uint8)), "brain", "image 1: brain")


def content(**changed: object) -> SurveyContent:
    values: dict[str, object] = {
        "title": "What is <here>",
        "summary": "3 images",
        "facts": (PageFact("images", "3"),),
        "warnings": (PageWarning("Twice", "2 <b> of 3", "a score", "leave one", ("1.2.3",)),),
        "sections": (
            SurveySection("The archive", charts=(CHART,), tables=(LONG,)),
            SurveySection("Pictures", cases=(PageCase((PANEL,), "any", ""),)),
            SurveySection("Empty", tables=(PageTable("none", "None", LONG.frame.clear()),)),
        ),
    }  # fmt: skip
    return SurveyContent(**(values | changed))  # type: ignore[arg-type]


def test_text_is_escaped_and_charts_are_not() -> None:
    page = survey_html(content())
    assert "2 &lt;b&gt; of 3." in page
    assert "What is &lt;here&gt;" in page
    assert CHART.svg in page
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_a_part_without_content_is_left_out_and_the_others_are_linked() -> None:
    page = survey_html(content())
    assert 'href="#the-archive"' in page
    assert 'id="the-archive"' in page
    assert "Empty" not in page


def test_of_a_long_table_some_rows_are_shown_some_folded_and_the_rest_is_counted() -> None:
    page = survey_html(content())
    assert page.count("<tr>") == 2 + SHOWN_ROWS + FOLDED_ROWS
    assert f"{300 - FOLDED_ROWS} more rows" in page
    assert "50.0 %" in page


def test_the_page_lists_warnings_without_a_hit_and_checks_that_were_not_made() -> None:
    page = survey_html(
        content(warnings=(), looked_for=("copies",), not_looked={"splits": "none was given"})
    )
    assert "None of what was looked for was found." in page
    assert "Looked for and not found: copies." in page
    assert "splits (none was given)." in page


def test_cells_are_written_for_people() -> None:
    frame = pl.DataFrame(
        {"a": [1234567], "b": [0.123456], "c": [None], "d": [True], "e": [["x", "y"]],
         "f": [12345.6]}
    )  # fmt: skip
    (row,) = PageTable("t", "T", frame).rows
    assert row == ["1\u2009234\u2009567", "0.1235", "–", "yes", "x, y", "12\u2009346"]
