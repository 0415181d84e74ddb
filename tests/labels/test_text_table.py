"""tests/labels/test_text_table.py: label files as people save them, in every form of labels."""

from pathlib import Path

import numpy as np
import pytest

from wetread.labels.columns_csv import read_columns_csv
from wetread.labels.exam_csv import read_exam_csv, read_exam_submission
from wetread.labels.exam_findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING
from wetread.labels.finding import Finding
from wetread.labels.long_csv import read_long_csv
from wetread.labels.named_column import read_named_column
from wetread.labels.patients_csv import read_patients
from wetread.labels.rle_csv import read_rle_csv
from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table

FINDINGS = (Finding("any"), Finding("epidural"))
LONG = "ID,Label\nx_any,0.5\nx_epidural,1\ny_any,0\n"
ENCODINGS = {
    "utf-8 with mark": "utf-8-sig",
    "utf-16 with mark": "utf-16",
    "utf-16 little": "utf-16-le",
    "utf-16 big": "utf-16-be",
    "utf-32": "utf-32",
}
ENDS = {"windows": "\r\n", "old": "\r", "unix": "\n"}


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS.keys())
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_same_labels_come_from_every_encoding_separator_and_line_end(
    tmp_path: Path, encoding: str, end: str, separator: str
) -> None:
    text = f"{LONG}\n\n".replace(",", separator).replace("\n", end)
    if separator != ",":
        text = text.replace("0.5", "0,5")
    frame = read_long_csv(written(tmp_path, text.encode(encoding)), FINDINGS).frame
    assert frame.rows() == [
        ("image", "x", "any", 0.5),
        ("image", "x", "epidural", 1.0),
        ("image", "y", "any", 0.0),
    ]


def test_a_utf16_mark_of_the_other_byte_order_is_followed(tmp_path: Path) -> None:
    content = b"\xfe\xff" + LONG.encode("utf-16-be")
    assert read_long_csv(written(tmp_path, content), FINDINGS).frame.height == 3


def test_a_first_line_that_names_the_separator_is_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "sep=;\r\nID;Label\r\nx_any;0,25\r\n")
    assert read_long_csv(path, FINDINGS).frame["value"].to_list() == [0.25]
    path.write_text("sep=;\nID;Label\nx_any;2\n")
    with pytest.raises(LabelError, match="line 3, column 'Label'"):
        read_long_csv(path, FINDINGS)


def test_quotes_hold_separators_and_decimal_commas(tmp_path: Path) -> None:
    path = written(tmp_path, '"ID","Label","note"\n"x_any","0,5","seen; twice, by me"\n')
    assert read_long_csv(path, FINDINGS).frame.rows() == [("image", "x", "any", 0.5)]


def test_fields_that_are_empty_behind_the_header_do_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Label\nx_any,1,\nx_epidural,0,,\n,,,\n")
    assert read_long_csv(path, FINDINGS).frame["value"].to_list() == [1.0, 0.0]


def test_a_decimal_comma_between_commas_is_refused_with_line_and_separator(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Label\nx_any,0,5\n")
    with pytest.raises(LabelError, match=r"line 2 has 3 fields, parted by commas.*decimal comma"):
        read_long_csv(path, FINDINGS)


def test_two_separators_that_both_fit_are_not_guessed_between(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,a;Label,b\nx_any,1;0,1\n")
    with pytest.raises(LabelError, match="the separator is not sure, comma and semicolon"):
        read_long_csv(path, FINDINGS)


def test_a_missing_column_says_by_what_the_header_was_parted(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"no column 'ID'.*'image', 'Label' \(parted by tabs\)"):
        read_long_csv(written(tmp_path, "image\tLabel\nx\t1\n"), FINDINGS)


def test_latin_1_beside_the_labels_does_not_matter_and_in_an_id_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Label,who\nx_any,1,Jürgen\ny_any,0,\n".encode("latin-1"))
    assert read_long_csv(path, FINDINGS).frame["value"].to_list() == [1.0, 0.0]
    path.write_bytes("ID,Label\nx_any,1\nü_any,0\n".encode("latin-1"))
    with pytest.raises(LabelError, match="line 3, column 'ID': the file is not in UTF-8"):
        read_long_csv(path, FINDINGS)


def test_half_a_letter_of_utf16_is_named_with_the_encoding(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="UTF-16"):
        read_long_csv(written(tmp_path, LONG.encode("utf-16") + b"\x00"), FINDINGS)


def test_blanks_behind_a_finding_and_around_a_number_do_not_matter(tmp_path: Path) -> None:
    frame = read_long_csv(written(tmp_path, "ID,Label\nx_any , 0.5\n"), FINDINGS).frame
    assert frame.rows() == [("image", "x", "any", 0.5)]


@pytest.mark.parametrize(
    ("separator", "encoding"), [(";", "utf-8"), ("\t", "utf-16"), (";", "latin-1")]
)
def test_the_other_forms_are_read_by_the_same_door(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    def file(text: str) -> Path:
        rows = [f"{line},{'ä' if encoding == 'latin-1' else 'n'}" for line in text.splitlines()]
        content = "\r\n".join(rows).replace(",", separator).replace("/", ",")
        return written(tmp_path, content.encode(encoding))

    columns = read_columns_csv(file("id,blood,note\nx,0/5\ny,1\n"), "id", {FINDINGS[0]: "blood"})
    assert columns.frame["value"].to_list() == [0.5, 1.0]
    named = read_named_column(file("ImageId,has\nx,1\ny,0/25\n"), "has", FINDINGS[:1])
    assert named.frame["value"].to_list() == [1.0, 0.25]
    masks = read_rle_csv(file("ImageId,EncodedPixels\nx,1 2\ny,-1\n"), FINDINGS[:1])
    assert masks.frame["value"].to_list() == [1.0, 0.0]
    assert read_patients(file("image,patient\nx,007\ny,7 \n")) == {"x": "007", "y": "7"}
    head = ",".join(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))
    names = ",".join((IMAGE_FINDING.name, *EXAM_NAMES))
    exam = ["1.1", "1.2", "1.3", "1", *("0/0" for _ in EXAM_NAMES)]
    exams = read_exam_csv(file(f"{head},{names}\n{','.join(exam)}\n"), EXAM_FINDINGS)
    assert exams.exams.rows() == [("1.3", "1.2", "1.1")]
    assert np.nanmax(exams.matrix(["1.1"], EXAM_FINDINGS)) == 0
    said = read_exam_submission(
        file(f"id,label\n1.1_{EXAM_NAMES[0]} ,0/75\n1.3,0/5\n"), (*EXAM_FINDINGS, IMAGE_FINDING)
    )
    assert said.frame["value"].to_list() == [0.75, 0.5]
    assert said.frame["id"].to_list() == ["1.1", "1.3"]


def test_a_mask_of_a_million_letters_in_utf16_is_whole(tmp_path: Path) -> None:
    runs = " ".join(["10", *["7 3"] * 250_000, "5"])
    path = written(tmp_path, f"ImageId;EncodedPixels\nx;{runs}\n".encode("utf-16"))
    assert read_rle_csv(path, FINDINGS[:1]).masks["runs"].to_list() == [[runs]]


def test_a_plain_file_is_read_as_it_lies(tmp_path: Path) -> None:
    table = read_text_table(written(tmp_path, LONG))
    assert table.form.plain
    assert table.frame.columns == ["ID", "Label"]
