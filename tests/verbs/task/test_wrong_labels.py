"""tests/verbs/task/test_wrong_labels.py: each mistake in a label file is one line, exit code 2."""

from pathlib import Path

import pytest

from wetread.cli.errors import exit_code_and_message
from wetread.verbs.task.check import check_task

COLUMNS = """
modalities = ["CT"]
[[findings]]
name = "a"
[[findings]]
name = "b"
[[labels]]
id = "study"
id_of = "study"
"""
NAMES = COLUMNS.replace('id = "study"', 'layout = "names"\nid = "study"\nfinding = "found"')
ROWS = COLUMNS.replace('id = "study"', 'layout = "rows"\nid = "study"\nfinding = "found"')
VALUES = ROWS.replace('id = "study"', 'id = "study"\nvalue = "v"')
LONG = COLUMNS.replace('id = "study"', 'layout = "long"\nid = "study"\nvalue = "v"')
WRONG: dict[str, tuple[str, str | bytes, str]] = {
    "no_id_column": (COLUMNS, "scan,a,b\n1,1,0\n", r"want the columns 'study'; the header has"),
    "no_finding": (COLUMNS, "study,c\n1,1\n", r"none of the columns 'a', 'b'"),
    "empty_id": (COLUMNS, "study,a\n1,1\n,0\n", r"line 3, column 'study' is empty"),
    "two": (COLUMNS, "study,a\n1,2\n", r"line 2, column 'a': '2' is no number"),
    "negative": (COLUMNS, "study,a\n1,-0.2\n", r"line 2, column 'a': '-0.2' is no number"),
    "word": (COLUMNS, "study,a\n1,0\n2,perhaps\n", r"line 3, column 'a': 'perhaps' is no number"),
    "uncertain": (COLUMNS, "study,a\n1,-1\n", r"line 2, column 'a': '-1' is uncertain"),
    "percent": (COLUMNS, "study,a\n1,50%\n", r"line 2, column 'a': '50%' is no number"),
    "too_many": (COLUMNS, "study,a\n1,0,1,2\n", r"line 2"),
    "empty": (COLUMNS, "", "the file is empty"),
    "web_page": (COLUMNS, "<!doctype html><p>Sign in</p>", "this is a web page"),
    "workbook": (COLUMNS, b"PK\x03\x04[Content_Types].xml", "a zip or a workbook"),
    "old_workbook": (COLUMNS, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"a workbook \(.xls\)"),
    "zero_bytes": (COLUMNS, b"study,a\n1,0\n" + bytes(9), "zero bytes"),
    "gzip": (COLUMNS, b"\x1f\x8b\x08\x00junk", "the gzip is damaged"),
    "separators": (COLUMNS, "study;a,b\n1;0,1\n2;1,0\n", "the separator is not sure"),
    "name": (NAMES, "study,found\n1,a|c\n", r"line 2, column 'found': 'c' is the name of no"),
    "row": (ROWS, "study,found\n1,a\n2,c\n", r"line 3, column 'found': 'c' is the name of no"),
    "row_value": (VALUES, "study,found,v\n1,a,7\n", r"line 2, column 'v': '7' is no number"),
    "ending": (LONG, "study,v\n1_a,1\n1_c,0\n", r"line 3, column 'study': '1_c' does not end in"),
    "long_value": (LONG, "study,v\n1_a,x\n", r"line 2, column 'v': 'x' is no number"),
    "no_names": (NAMES, "study,finding\n1,a\n", "want the columns 'study', 'found'"),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_one_line_that_names_file_and_place(mistake: str, tmp_path: Path) -> None:
    text, content, said = WRONG[mistake]
    task, labels = tmp_path / "mine.toml", tmp_path / "labels.csv"
    task.write_text(text)
    labels.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Exception, match=said) as refused:
        check_task(task, labels)
    outcome = exit_code_and_message(refused.value)
    assert outcome is not None
    code, message = outcome
    assert code == 2
    assert "labels.csv" in message
    assert len(message.splitlines()) == 1
