"""tests/archive/test_notes.py: a note's name and figures come apart as they were joined."""

import pytest

from wetread.archive.notes import NAMED, name_and_detail, note, note_names


@pytest.mark.parametrize("name", NAMED)
def test_a_named_note_comes_apart_as_it_was_made(name: str) -> None:
    assert name_and_detail(note(name, "8 bits: not 12")) == (name, "8 bits: not 12")


def test_a_text_that_has_no_name_is_itself() -> None:
    text = "multi-frame: position, spacing and rescale are those of frame 1"
    assert name_and_detail(text) == (text, "")
    assert name_and_detail("phantom") == ("phantom", "")


def test_the_unit_of_a_slice_has_a_name_although_no_header_notes_it() -> None:
    assert name_and_detail(note("not_hu", "(0028,1054) RescaleType is US")) == (
        "not_hu",
        "(0028,1054) RescaleType is US",
    )


def test_no_notes_have_no_names() -> None:
    assert note_names(None) == note_names([]) == []
    assert note_names([note("clipped", "3 of 4"), "phantom"]) == ["clipped", "phantom"]
