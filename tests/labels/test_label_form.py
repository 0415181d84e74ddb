"""tests/labels/test_label_form.py: label files of every layout become the same labels."""

from pathlib import Path

import pytest

from wetread.labels.cell_values import CellValues
from wetread.labels.finding import Finding
from wetread.labels.label_form import LabelForm, Several, read_labels
from wetread.labels.table import LabelError

FINDINGS = (Finding("a"), Finding("b"))
WORDS = {"a": ("A",), "b": ("B",)}
TRUE = {("1", "a"): 1.0, ("1", "b"): 0.0, ("2", "a"): 0.0, ("2", "b"): 0.0, ("3", "a"): 1.0,
        ("3", "b"): 1.0}  # fmt: skip


def read(tmp_path: Path, text: str, form: LabelForm) -> dict[tuple[str, str], float | None]:
    """Write and read a file: (id, finding) to its value."""
    path = tmp_path / "labels.csv"
    path.write_text(text)
    frame = read_labels(path, form, FINDINGS).frame
    assert set(frame["level"]) == {form.id_of}
    return {(id_, name): value for id_, name, value in frame.drop("level").iter_rows()}


def form(layout: str, **others: object) -> LabelForm:
    """Make a form of ids in the column `id`."""
    return LabelForm(layout, "id", "study", WORDS, **others)  # type: ignore[arg-type]


def test_every_layout_of_the_same_labels_reads_alike(tmp_path: Path) -> None:
    columns = "id,B,A\n1,no,yes\n2,0,0\n3,1,1\n"
    names = "id,finding\n1,A\n2,Nothing\n3,B|A\n"
    rows = "id,finding\n1,A\n2,Nothing\n3,B\n3,A\n"
    valued = "id,finding,v\n1,A,1\n1,B,0\n2,A,0\n2,B,0\n3,A,1\n3,B,1\n"
    long = "id,Label\n1_A,1\n1_B,0\n2_A,0\n2_B,0\n3_A,1\n3_B,1\n"
    assert read(tmp_path, columns, form("columns")) == TRUE
    assert read(tmp_path, names, form("names", none=("Nothing",))) == TRUE
    assert read(tmp_path, rows, form("rows", none=("Nothing",))) == TRUE
    assert read(tmp_path, valued, form("rows", value="v")) == TRUE
    assert read(tmp_path, long, form("long", value="Label", separator="_")) == TRUE


def test_a_row_of_a_mask_or_box_says_that_the_one_finding_is_there(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,x,w\n1,10,5\n1,40,5\n2,-1,\n3,,\n")
    box = form("marks", value="x")
    found = {row[1]: row[3] for row in read_labels(path, box, FINDINGS[:1]).frame.iter_rows()}
    assert found == {"1": 1.0, "2": 0.0, "3": None}
    absent = form("marks", value="x", cells=CellValues(blank=0.0))
    assert read_labels(path, absent, FINDINGS[:1]).frame["value"].to_list() == [1.0, 0.0, 0.0]
    with pytest.raises(LabelError, match=r"of one finding, .* 2 findings are asked for"):
        read_labels(path, box, FINDINGS)


def test_a_cell_of_one_name_is_one_of_several_classes(tmp_path: Path) -> None:
    found = read(tmp_path, "id,finding\n1,A\n2,B\n3,\n", form("names", separator=""))
    assert [found["1", "a"], found["2", "a"]] == [1.0, 0.0]
    assert found["3", "a"] is None


@pytest.mark.parametrize(
    ("several", "expected"),
    [("equal", [1.0, None, None]), ("majority", [1.0, 1.0, None]), ("mean", [1.0, 2 / 3, 0.5]),
     ("any", [1.0, 1.0, 1.0])],
)  # fmt: skip
def test_readers_as_columns_or_as_rows_agree_by_the_rule(
    tmp_path: Path, several: Several, expected: list[float | None]
) -> None:
    words = {"a": ("R1", "R2", "R3"), "b": ("R9",)}
    columns = "id,R1,R2,R3,R9\n1,1,1,1,0\n2,1,0,1,0\n3,1,0,,0\n"
    by_columns = LabelForm("columns", "id", "study", words, several=several)
    found = read(tmp_path, columns, by_columns)
    assert [found[id_, "a"] for id_ in "123"] == pytest.approx(expected)
    rows = "id,A,B\n1,1,0\n1,1,0\n1,1,0\n2,1,0\n2,0,0\n2,1,0\n3,1,0\n3,0,0\n3,,0\n"
    found = read(tmp_path, rows, form("columns", several=several))
    assert [found[id_, "a"] for id_ in "123"] == pytest.approx(expected)


def test_readers_in_rows_of_a_finding_each_agree_by_the_rule(tmp_path: Path) -> None:
    text = "id,finding,who\n1,A,r\n1,A,r\n1,No,s\n1,A,t\n2,B,r\n2,No,s\n3,No,r\n"
    rows = form("rows", reader="who", none=("No",), several="majority")
    found = read(tmp_path, text, rows)
    assert found == {
        ("1", "a"): 1.0, ("1", "b"): 0.0, ("2", "a"): 0.0, ("2", "b"): None, ("3", "a"): 0.0,
        ("3", "b"): 0.0,
    }  # fmt: skip
    mean = read(tmp_path, text, form("rows", reader="who", none=("No",), several="mean"))
    assert [mean["1", "a"], mean["2", "b"]] == pytest.approx([2 / 3, 0.5])


def test_names_in_a_printed_list_are_split_at_its_commas(tmp_path: Path) -> None:
    text = "id,finding\n1,\"['A', 'B']\"\n2,['B']\n3,[]\n"
    found = read(tmp_path, text, form("names", none=("",)))
    assert [found["1", "a"], found["2", "a"], found["2", "b"], found["3", "b"]] == [1, 0, 1, 0]


def test_an_id_that_a_spreadsheet_rounded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"line 3, column 'id': a spreadsheet took the id"):
        read(tmp_path, "id,A\n1.2.8,1\n1.2E+15,0\n", form("columns"))


def test_a_name_that_is_no_finding_is_refused_unless_it_is_listed(tmp_path: Path) -> None:
    text = "id,finding\n1,A\n2,A|Typo\n"
    with pytest.raises(LabelError, match=r"line 3, column 'finding': 'Typo' is the name of no"):
        read(tmp_path, text, form("names"))
    assert read(tmp_path, text, form("names", other=("Typo",)))["2", "a"] == 1.0
    with pytest.raises(LabelError, match="does not end in '_' and one of A, B"):
        read(tmp_path, "id,Label\n1_C,1\n", form("long", value="Label", separator="_"))


def test_missing_columns_and_ids_are_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="none of the columns 'A', 'B'; the header has 'id', 'C'"):
        read(tmp_path, "id,C\n1,1\n", form("columns"))
    with pytest.raises(LabelError, match="line 2, column 'id' is empty"):
        read(tmp_path, "id,A\n,1\n", form("columns"))
    only_one = read(tmp_path, "id,A\n1,1\n", form("columns"))  # another file may have the other
    assert only_one == {("1", "a"): 1.0}


def test_semicolons_decimal_commas_quotes_and_a_mark_are_no_matter(tmp_path: Path) -> None:
    text = '\ufeffid;A;B\n"1";0,5;"1"\n2; 0 ;\n'
    found = read(tmp_path, text, form("columns", cells=CellValues(blank=0.0)))
    assert found == {("1", "a"): 0.5, ("1", "b"): 1.0, ("2", "a"): 0.0, ("2", "b"): 0.0}
