"""tests/study/test_issue.py: every name has a rule, and long lists are cut with a count."""

import ast
from pathlib import Path

import polars as pl
import pytest

import wetread.study
from wetread.archive.notes import NAMED
from wetread.study.issue import RULES, shortened, slice_names


def test_every_issue_that_the_room_names_has_a_rule() -> None:
    names = set()
    for path in Path(wetread.study.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Issue":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant):
                    names.add(first.value)
    assert len(names) > 10
    assert names <= RULES.keys()
    assert NAMED.keys() <= RULES.keys()


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, ""), (2, "0, 1"), (5, "0, 1, 2, 3, 4"), (8, "0, 1, 2, 3, 4 and 3 more")],
)
def test_a_long_list_is_cut_with_the_number_of_the_rest(count: int, expected: str) -> None:
    assert shortened(range(count)) == expected


def test_a_slice_without_a_uid_is_named_so() -> None:
    assert slice_names(pl.DataFrame({"SOPInstanceUID": ["1.2", None]})) == "1.2, no UID"
