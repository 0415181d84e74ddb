"""tests/verbs/bundle/test_card.py: every item of both lists is on the card, filled or named."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import wetread
from wetread.verbs.bundle.card import CLAIM, TRIPOD_AI


@pytest.fixture(scope="module")
def text(slices_run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("card") / "bundle"
    wetread.bundle(slices_run("hemorrhage", "compact", members=3).folder, out)
    return (out / "card.md").read_text()


@pytest.mark.parametrize(("heading", "items"), [("CLAIM", CLAIM), ("TRIPOD+AI", TRIPOD_AI)])
def test_every_item_is_filled_or_named_as_empty(text: str, heading: str, items: Any) -> None:
    section = re.split(r"^## ", text.split(f"## {heading}", 1)[1], flags=re.MULTILINE)[0]
    table, empty = section.rsplit("Empty: ", 1)
    filled = {
        tuple(row.split(" | ")[:2]) for row in re.findall(r"^\| (\d.*)$", table, re.MULTILINE)
    }
    named = {tuple(one.split(" ", 1)) for one in empty.strip().rstrip(".").split("; ")}
    assert not filled & named
    assert filled | named == {(number, name) for number, name, _ in items}
    assert len(filled) > 10
    assert len(named) > 5


def test_lists_are_whole() -> None:
    assert [number for number, _, _ in CLAIM] == [str(one) for one in range(1, 45)]
    assert [number for number, _, _ in TRIPOD_AI] == [str(one) for one in range(1, 28)]


def test_numbers_on_the_card_are_those_of_the_run(text: str) -> None:
    assert "learned: 12 images of 2 studies of 2 patients" in text
    assert "The mean of 3 networks, each reading image and mirror image." in text
    assert "40/80 linear_exact, 80/200 linear_exact, 600/2000 linear_exact" in text
    assert "files that are no image of DICOM or could not be read 3" in text
    assert "learned from synthetic phantoms alone" in text
