"""tests/cli/test_options.py: exit codes, and a result as lines or as JSON."""

import json

import pytest

from wetread.cli.options import DONE, FAILED, REFUSED, done_code, print_result


def test_the_exit_code_says_whether_something_was_made_and_something_refused() -> None:
    assert done_code(3, 0) == DONE
    assert done_code(3, 1) == REFUSED
    assert done_code(0, 0) == done_code(0, 5) == FAILED


def test_a_result_is_json_alone_or_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_result({"files": 2}, ["2 files"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"files": 2}
    print_result({"files": 2}, ["2 files", "unread: where these are, say so: `as_hu`"], False)
    assert capsys.readouterr().out == "2 files\nunread: where these are, say so: --as-hu\n"
