"""tests/labels/test_named_column.py: `FILE.csv:COLUMN` as the image labels of one finding."""

from pathlib import Path

import pytest

from wetread.labels.csv_file import split_spec
from wetread.labels.finding import Finding
from wetread.labels.named_column import ID_COLUMNS, read_named_column
from wetread.labels.table import LabelError

AIR = Finding("air")


def written(folder: Path, text: str) -> Path:
    path = folder / "own.csv"
    path.write_text(text)
    return path


def test_the_column_is_the_image_label_and_an_empty_cell_unknown(tmp_path: Path) -> None:
    path = written(tmp_path, "ImageId,age,seen\n007,12,1\nb,,0\nc,3,\n")
    labels = read_named_column(path, "seen", (Finding("air", level="pixel"),))
    assert labels.frame.rows() == [
        ("image", "007", "air", 1.0), ("image", "b", "air", 0.0), ("image", "c", "air", None),
    ]  # fmt: skip
    assert labels.masks.is_empty()


def test_the_first_known_name_of_an_id_column_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, ",".join([*reversed(ID_COLUMNS), " seen"]) + "\n5,4,3,2,1,1\n")
    assert read_named_column(path, "seen", (AIR,)).frame["id"].to_list() == ["1"]
    path = written(tmp_path, " ID,SOPInstanceUID ,seen\n1,2,0\n")
    assert read_named_column(path, "seen", (AIR,)).frame["id"].to_list() == ["2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,seen\na,1\n", "no column for the image .*SOPInstanceUID.*'name'"),
        ("image,saw\na,1\n", "no column 'seen'"),
        ("image,seen\na,2\n", "line 2, column 'seen': '2'"),
        ("image,seen\n,1\n", "line 2, column 'image' is empty"),
    ],
)
def test_what_is_missing_or_no_label_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read_named_column(written(tmp_path, text), "seen", (AIR,))


def test_several_findings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="air, blood"):
        read_named_column(written(tmp_path, "image,seen\n"), "seen", (AIR, Finding("blood")))


@pytest.mark.parametrize(
    ("spec", "file", "column"),
    [
        ("a.csv", "a.csv", None),
        ("d/a.csv:seen", "d/a.csv", "seen"),
        ("d:e/a.csv", "d:e/a.csv", None),
        ("d:e/a.csv:has it", "d:e/a.csv", "has it"),
        ("C:\\d\\a.csv", "C:\\d\\a.csv", None),
        ("C:\\d\\a.csv:seen", "C:\\d\\a.csv", "seen"),
        ("a.csv:", "a.csv:", None),
    ],
)
def test_the_column_stands_after_the_last_colon(spec: str, file: str, column: str | None) -> None:
    assert split_spec(spec) == (Path(file), column)
    assert split_spec(Path(spec)) == (Path(file), column)


def test_a_file_whose_name_has_a_colon_is_taken_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.csv:b"
    path.write_text("image,seen\n")
    assert split_spec(path) == (path, None)
