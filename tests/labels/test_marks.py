"""tests/labels/test_marks.py: boxes and masks of a label file, in columns of their own."""

from pathlib import Path
from typing import Any

import pytest

from wetread.labels.finding import Finding
from wetread.labels.label_form import LabelForm, read_labels
from wetread.labels.marks import Marks
from wetread.labels.table import LabelError, LabelTable

BOXES = Marks("box", ("x", "y", "width", "height"))
ROWS = "id,x,y,width,height,Target\n"


def read(tmp_path: Path, text: str, **form: Any) -> LabelTable:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    known = {"layout": "columns", "id": "id", "id_of": "image", "words": {"a": ("Target",)}}
    chosen: Any = {**known, "marks": BOXES, "drawn": ("a",), **form}
    findings = [Finding(name) for name in chosen["words"]]
    return read_labels(path, LabelForm(**chosen), findings)


def test_boxes_of_an_image_are_united_and_images_without_have_none(tmp_path: Path) -> None:
    table = read(tmp_path, ROWS + "p,1.0,2,3,4,1\np,5,6,7,8.5,1\nn,,,,,0\nq,,,,,1\np,1,2,3,4,1\n")
    assert table.masks.rows() == [("p", "a", "box", ["1.0 2.0 3.0 4.0", "5.0 6.0 7.0 8.5"])]
    assert dict(table.frame.select("id", "value").rows()) == {"p": 1.0, "n": 0.0, "q": 1.0}


def test_corners_are_edges_and_rows_name_the_finding(tmp_path: Path) -> None:
    text = "id,class,x1,y1,x2,y2\np,Mass,10,20,15,40\np,Node,1,1,3,2\np,Mass,0,0,1,1\n"
    text += "n,No finding,,,,\n"
    table = read(
        tmp_path,
        text,
        layout="rows",
        finding="class",
        none=("No finding",),
        words={"mass": ("Mass",), "node": ("Node",), "rest": ("Rest",)},
        marks=Marks("corners", ("x1", "y1", "x2", "y2"), in_mm=True),
        drawn=("mass", "node"),
    )
    assert sorted(table.masks.rows()) == [
        ("p", "mass", "box_mm", ["10.0 20.0 5.0 20.0", "0.0 0.0 1.0 1.0"]),
        ("p", "node", "box_mm", ["1.0 1.0 2.0 1.0"]),
    ]
    values = {(one, name): value for _, one, name, value in table.frame.rows()}
    assert (values["p", "mass"], values["p", "rest"], values["n", "mass"]) == (1.0, 0.0, 0.0)


def test_run_lengths_are_kept_in_their_form(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "id,EncodedPixels\np,3 2 9 1\nn,-1\nq,\n",
        layout="marks",
        value="EncodedPixels",
        marks=Marks("rows_1", ("EncodedPixels",)),
    )
    assert table.masks.rows() == [("p", "a", "rows_1", ["3 2 9 1"])]


def test_a_mask_of_what_is_not_there_is_none(tmp_path: Path) -> None:
    table = read(tmp_path, ROWS + "p,1,2,3,4,1\np,1,2,3,4,0\nn,1,2,3,4,0\n")
    assert table.conflicts.height == 1
    assert table.masks.is_empty()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("p,1,2,3,,1", r"line 2: '1', '2', '3', None in the columns 'x', 'y', 'width', 'height'"),
        ("p,1,2,-3,4,1", "is no box"),
        ("p,1,2,three,4,1", "'three'"),
        ("p,1,2,inf,4,1", "Write four numbers, of a width and height above 0"),
    ],
)
def test_what_is_no_box_is_refused_with_its_line(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(LabelError, match=words):
        read(tmp_path, f"{ROWS}{row}\n")


def test_what_is_no_run_length_is_refused(tmp_path: Path) -> None:
    marks = Marks("relative", ("runs",))
    with pytest.raises(LabelError, match=r"line 3, column 'runs': 'a b' is no run-length text"):
        read(tmp_path, "id,Target,runs\np,1,1 2\nq,1,a b\n", marks=marks)
