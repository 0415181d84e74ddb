"""tests/cli/test_progress.py: a bar a stage on a terminal, and nothing where there is none."""

import io
import sys

import pytest

from wetread.cli.progress import bars
from wetread.inputs.progress import silent


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_where_stderr_is_no_terminal_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with bars() as report:
        assert report is silent
        report("index", 1, 2)
    assert stream.getvalue() == ""


def test_on_a_terminal_every_stage_has_one_bar_with_its_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with bars() as report:
        report("index", 1, 4)
        report("index", 4, 4)
        report("pack", 2, 8)
    last = stream.getvalue()
    assert "index" in last
    assert "4/4" in last
    assert "2/8" in last
