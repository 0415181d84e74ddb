"""tests/cli/test_progress.py: a bar a stage on a terminal, and a line a minute where there is
none."""

import io
import sys
import threading
import time

import pytest

from wetread.cli import progress
from wetread.cli.progress import bars, lines


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(stream: io.StringIO, count: int) -> list[str]:
    """Wait until so many lines are written, ten seconds at most."""
    end = time.monotonic() + 10
    while len(found := stream.getvalue().splitlines()) < count and time.monotonic() < end:
        time.sleep(0.005)
    return found


def test_where_stderr_is_no_terminal_what_takes_less_than_a_minute_writes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    assert progress.EVERY_S == 60
    with bars() as report:
        report("index", 1, 2)
    assert stream.getvalue() == ""


def test_a_line_after_each_span_names_the_stage_and_how_far_it_is() -> None:
    stream = io.StringIO()
    with lines(stream, every_s=0.01) as report:
        report("index", 2, 4)
        assert written(stream, 1)[0] == "index: 2 of 4"
        report("train 1", 7, 400)
        before = len(written(stream, 1))
        assert written(stream, before + 2)[-1] == "train 1: 7 of 400"  # no call since: again


def test_nothing_is_written_before_anything_is_known_or_after_the_end() -> None:
    stream = io.StringIO()
    with lines(stream, every_s=0.01) as report:
        time.sleep(0.05)
        assert stream.getvalue() == ""
        report("pack", 1, 2)
        written(stream, 1)
    after = stream.getvalue()
    time.sleep(0.05)
    assert stream.getvalue() == after
    assert all(thread.name != "progress" for thread in threading.enumerate())


def test_an_error_ends_the_lines_too() -> None:
    with pytest.raises(ValueError, match="no"), lines(io.StringIO(), every_s=0.01):
        raise ValueError("no")
    assert all(thread.name != "progress" for thread in threading.enumerate())


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
