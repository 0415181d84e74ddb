"""tests/archive/test_plural.py: one is one, and the English of the rest."""

import pytest

from wetread.archive.plural import plural, singular


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (1, "file", "1 file"),
        (0, "file", "0 files"),
        (2, "file", "2 files"),
        (1, "study", "1 study"),
        (3, "study", "3 studies"),
        (1, "series", "1 series"),
        (2, "series", "2 series"),
        (2, "duplicate label", "2 duplicate labels"),
        (2, "image of other modalities", "2 images of other modalities"),
    ],
)
def test_a_number_agrees_with_its_noun(count: int, noun: str, said: str) -> None:
    assert plural(count, noun) == said


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("studies", "study"),
        ("series", "series"),
        ("rejects", "reject"),
        ("refused", "refused"),
        ("images of other modalities", "image of other modalities"),
    ],
)
def test_the_word_of_many_becomes_the_word_of_one(many: str, one: str) -> None:
    assert singular(many) == one
