"""tests/archive/files/test_json_file.py: JSON of our own that is damaged or foreign is refused in
one line."""

from pathlib import Path

import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.json_file import parse_json, read_json


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty, 0 bytes"),
        (b'{"a": 1', "no JSON"),
        (b"[1]", "a list, not an object"),
        (b'{"b": 1}', "it lacks 'a'"),
        (b'{"a": "1"}', "its 'a' is text, not a number"),
        (b'{"a": true}', "its 'a' is bool, not a number"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "Infinity is no number"),
        (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b"PK\x03\x04", "no JSON"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_json_that_is_damaged_or_foreign_is_one_line_with_the_file(
    tmp_path: Path, content: bytes, fault: str
) -> None:
    path = tmp_path / "about.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError) as found:
        read_json(path, "the description of a test", {"a": float})
    assert fault in str(found.value)
    assert str(found.value).startswith(f"{path}: ")
    assert "\n" not in str(found.value)


def test_json_of_gigabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "about.json"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(DamagedFileError, match="far too many"):
        read_json(path, "the description of a test")


def test_numbers_text_and_lists_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "about.json"
    path.write_text('{"a": 1, "b": 0.5, "c": ["x"], "d": null, "e": "\\u00e9"}')
    needs = {"a": float, "b": float, "c": list, "e": str}
    assert read_json(path, "the description of a test", needs) == {
        **{"a": 1, "b": 0.5, "c": ["x"], "d": None, "e": "é"}
    }
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json", "the description of a test")


def test_one_of_several_types_will_do(tmp_path: Path) -> None:
    path, needs = tmp_path / "about.json", {"a": (str, list)}
    assert parse_json('{"a": []}', path, "a test", needs) == {"a": []}
    with pytest.raises(DamagedFileError, match="its 'a' is a whole number, not text"):
        parse_json('{"a": 1}', path, "a test", needs)
