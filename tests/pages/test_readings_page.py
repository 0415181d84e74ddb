"""tests/pages/test_readings_page.py: the page of readings: its worklist, its pictures, its text."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from wetread.outputs.pictures import png_bytes
from wetread.pages.panel import Panel
from wetread.pages.readings_page import (
    KeySlice,
    ReadingsContent,
    Refusals,
    StudyEntry,
    WorklistRow,
    write_readings_page,
)

PANEL = Panel(png_bytes(np.zeros((4, 4), np.uint8)), "brain window", "any 0.91", "R", "L")
URGENT = WorklistRow(1, "1.2.4", "read", "", (0.7, 0.91), 30, 1, 0, anchor="study-1")
UNREAD = WorklistRow(2, "1.2.5", "unread", "no image can be read", (None, None), 0, 1, 0)


def content() -> ReadingsContent:
    key = KeySlice("1.2.4.9", "slice 3 of 30", 0.91, "any", (PANEL,))
    return ReadingsContent(
        title="Readings of <two>",
        summary="1 of 2 studies read.",
        badge="",
        cautions=("trained on phantoms",),
        findings=("lens", "any"),
        worklist=(URGENT, UNREAD),
        left_out=0,
        studies=(StudyEntry(URGENT, "1.2.4.1", (key,), ("a note",)),),
        refused=(Refusals("empty", "no bytes", 1, (("y.dcm", "no bytes"),)),),
        links={"worklist": "worklist.csv"},
        provenance={"runs": ["run"]},
    )


def written(folder: Path, page: ReadingsContent) -> str:
    write_readings_page(folder / "page.html", page)
    return (folder / "page.html").read_text("utf-8")


def test_studies_stand_in_the_order_of_the_worklist_with_reasons(tmp_path: Path) -> None:
    page = written(tmp_path, content())
    assert page.index("1.2.4") < page.index("1.2.5")
    for text in ("0.910", "no image can be read", "a note", "y.dcm", "trained on phantoms"):
        assert text in page
    assert 'href="worklist.csv"' in page


def test_text_is_escaped_and_nothing_is_fetched_or_run(tmp_path: Path) -> None:
    page = written(tmp_path, content())
    assert "Readings of &lt;two&gt;" in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_page_says_that_pictures_have_sides_only_where_one_has(tmp_path: Path) -> None:
    assert content().sides
    bare = replace(content(), studies=())
    assert not bare.sides
    assert written(tmp_path, bare).startswith("<!doctype html>")


def test_a_page_with_a_glow_says_what_it_is_not(tmp_path: Path) -> None:
    sentence = "where it is brightest need not be where the lesion is"
    assert sentence not in written(tmp_path, content())
    glowing = replace(PANEL, label="the glow: what speaks for any")
    key = KeySlice("1.2.4.9", "slice 3 of 30", 0.91, "any", (glowing,))
    study = replace(content().studies[0], key_slices=(key,))
    assert sentence in written(tmp_path, replace(content(), studies=(study,)))


def test_why_a_study_is_outside_stands_before_its_numbers(tmp_path: Path) -> None:
    far = replace(
        content().studies[0],
        row=replace(URGENT, placement="outside"),
        outside=("slices 1; learned from 20 to 30",),
        short_cautions="learned from phantoms alone",
    )
    page = written(tmp_path, replace(content(), studies=(far,)))
    part = page[page.index('class="study-part"') :]
    assert part.index("outside what was learned") < part.index("slices 1; learned from 20 to 30")
    assert part.index("slices 1; learned from 20 to 30") < part.index('class="said"')
    assert '<span class="short">learned from phantoms alone:</span><span>' in part
