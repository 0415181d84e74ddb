"""tests/archive/files/test_paths.py: one path or several, of any kind, become a tuple of Path."""

from pathlib import Path

import pytest

from wetread.archive.files.paths import as_path_or_none, as_paths
from wetread.archive.types import StrPaths


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", (Path("a"),)),
        (Path("a"), (Path("a"),)),
        (["a", Path("b")], (Path("a"), Path("b"))),
        ((Path("a"),), (Path("a"),)),
        (iter(["b", "a"]), (Path("b"), Path("a"))),
        ([], ()),
    ],
)
def test_paths_keep_their_order(given: StrPaths, expected: tuple[Path, ...]) -> None:
    assert as_paths(given) == expected


def test_a_text_is_one_path_and_not_its_letters() -> None:
    assert as_paths("abc") == (Path("abc"),)


def test_none_stays_none() -> None:
    assert as_path_or_none(None) is None
    assert as_path_or_none("a") == Path("a")
