"""tests/archive/files/test_damaged.py: what a file holds and should not is named in one line."""

import pytest

from wetread.archive.files.damaged import DamagedFileError, expect_form


@pytest.mark.parametrize("error", [KeyError("rows"), TypeError("x"), ValueError("y"), IndexError()])
def test_an_error_while_a_file_is_parsed_names_the_file_and_its_kind(error: Exception) -> None:
    with (
        pytest.raises(DamagedFileError) as found,
        expect_form("run/best.pt", "the checkpoint of a test"),
    ):
        raise error
    text = str(found.value)
    assert text.startswith("run/best.pt: of another form (" + type(error).__name__)
    assert text.endswith("it should be the checkpoint of a test")
    assert found.value.__cause__ is error


def test_only_the_first_line_of_an_error_is_quoted_and_not_all_of_it() -> None:
    with pytest.raises(DamagedFileError) as found, expect_form("x", "a test"):
        raise ValueError("first" + "!" * 500 + "\nsecond")
    assert len(found.value.found) < 250
    assert "second" not in str(found.value)


def test_a_damaged_file_inside_keeps_its_own_path() -> None:
    with pytest.raises(DamagedFileError, match=r"^inner: cut"), expect_form("outer", "a test"):
        raise DamagedFileError("inner", "a test", "cut")


def test_other_errors_pass_unless_they_are_named() -> None:
    with pytest.raises(RuntimeError, match=r"^other$"), expect_form("x", "a test"):
        raise RuntimeError("other")
    with pytest.raises(DamagedFileError), expect_form("x", "a test", RuntimeError):
        raise RuntimeError("other")
