"""tests/archive/files/test_foreign_text.py: no sign of a file moves a terminal or computes in a
table."""

import csv
import io
import os
from pathlib import Path

import polars as pl
import pytest

from wetread.archive.containers.contents import name_to_text
from wetread.archive.files.atomic import write_csv
from wetread.archive.files.foreign_text import escape_formulas, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CT Kopf, ä ß 頭部 \u00a0x", "CT Kopf, ä ß 頭部 \u00a0x"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"),
        ("\x9b2J", "\\x9b2J"),  # the one-byte form of the same
        ("a\rb\nc\td\x08\x7f\0", "a\\x0db\\x0ac\\x09d\\x08\\x7f\\x00"),
        ("\u202egnp.exe\u2066\u200f", "\\u202egnp.exe\\u2066\\u200f"),
        ("a\u2028b\ufeff\U000e0041", "a\\u2028b\\ufeff\\U000e0041"),
        (os.fsdecode(b"\xff\xfe.dcm"), "\\xff\\xfe.dcm"),
        (name_to_text(os.fsdecode(b"\xff\xfe.dcm")), "\\xff\\xfe.dcm"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_moves_hides_or_turns_a_terminal_stands_as_its_number(text: str, shown: str) -> None:
    assert visible(text) == shown
    shown.encode()  # and it can be printed


def test_of_a_cell_of_50_mb_the_ends_and_its_size_are_shown() -> None:
    text = "labels.csv: line 2: '" + "a" * 50_000_000 + "' is no number"
    shown = visible(text)
    assert len(shown) < 1000
    assert shown.startswith("labels.csv: line 2: 'aaa")
    assert "... 50 MB ..." in shown
    assert shown.endswith("a' is no number")


FORMULAS = [
    "=HYPERLINK(\"http://x\")", "=1+1", "+1+1", "-1+1", "@SUM(A1)", "-2+3+cmd|' /C calc'!A0",
    "\t=1", "\r=1", "＝1+1", "-", "=", "+49 170 call me", "--1", "-1e", "=cmd.dcm", "-A1",
]  # fmt: skip
PLAIN = [
    "-1", "-1024.5", "+3", "1.2.3", "-1.2.840", "1e-5", "-1e-5", "-.5", "", None, "ID_1 = 2",
    "'=1", " head", "a-b", "-1 20 3 4", "-158.1\\-179.0\\7e-1", "MÜLLER",
]  # fmt: skip


@pytest.mark.parametrize("name", ["detail", "SeriesDescription", "reason"])
def test_free_text_that_a_spreadsheet_would_compute_is_defused_and_numbers_are_not(
    name: str,
) -> None:
    texts = [*FORMULAS, *PLAIN]
    frame = pl.DataFrame({name: texts, "v": range(len(texts))})
    escaped = escape_formulas(frame)[name].to_list()
    assert escaped == [*(f"'{text}" for text in FORMULAS), *PLAIN]


@pytest.mark.parametrize("name", ["SOPInstanceUID", "study_uid", "id", "ID", "PatientID", "member"])
def test_an_id_stays_as_it_is_unless_it_is_a_formula(name: str) -> None:
    ids = ["-1", "+aB3/x9==", "-A1.dcm", "1.2.840.1", "ID_1_any"]
    hostile = ["=1+1", "@x", "=cmd|' /C calc'!A0", '-HYPERLINK("x")']
    made = escape_formulas(pl.DataFrame({name: ids + hostile}))[name].to_list()
    assert made == ids + [f"'{text}" for text in hostile]


def test_every_table_is_written_without_formulas_and_reads_back(tmp_path: Path) -> None:
    frame = pl.DataFrame({"detail": ["=1+1", 'a "b", c\nd', None], "value": [-1.5, 1e-300, None]})
    write_csv(tmp_path / "t.csv", frame)
    rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_text(), newline="")))
    assert rows == [
        ["detail", "value"], ["'=1+1", "-1.5"], ['a "b", c\nd', "1e-300"], ["", ""],
    ]  # fmt: skip
