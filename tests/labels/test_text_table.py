"""tests/labels/test_text_table.py: label files as people save them, in every form of labels."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from wetread.labels import table_bytes
from wetread.labels.columns_csv import read_columns_csv
from wetread.labels.finding import Finding
from wetread.labels.long_csv import read_long_csv
from wetread.labels.named_column import read_named_column
from wetread.labels.patients_csv import read_patients
from wetread.labels.rle_csv import read_rle_csv
from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table
from wetread.tasks.embolism.findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING
from wetread.tasks.embolism.label_csv import read_exam_csv, read_exam_submission

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


def test_a_header_in_letters_of_another_case_is_read_where_one_column_is_meant(
    tmp_path: Path,
) -> None:
    assert read_long_csv(written(tmp_path, "id, LABEL\nx_any,1\n"), FINDINGS).frame.rows() == [
        ("image", "x", "any", 1.0)
    ]
    assert read_patients(written(tmp_path, "IMAGE;PatientId\nx;7\n")) == {"x": "7"}
    masks = read_rle_csv(written(tmp_path, "imageid\tencodedpixels\nx\t-1\n"), FINDINGS[:1])
    assert masks.frame["value"].to_list() == [0.0]
    with pytest.raises(LabelError, match="no column 'ID'"):  # two of them: which is not sure
        read_long_csv(written(tmp_path, "id,Id,Label\nx_any,y_any,1\n"), FINDINGS)
    exact = read_long_csv(written(tmp_path, "id,ID,Label\ny_any,x_any,1\n"), FINDINGS)
    assert exact.frame["id"].to_list() == ["x"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0,|[Content_Types].xml", r"a workbook \(.xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"a workbook \(.xls\)"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html><title>Sign in, please</title>", "a web page"),
        (b"{\\rtf1 ID,Label}", "rich text"),
        (b"PAR1\x15\x04\x15,PAR1", r"a table of labels \(Parquet\)"),
        (b"%PDF-1.7\n1,2", "a PDF"),
        (b"ID,Label\nx_any,1\n" + bytes(64), "zero bytes"),
    ],
)
def test_a_file_that_is_no_table_of_text_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    with pytest.raises(LabelError, match=kind) as refused:
        read_long_csv(written(tmp_path, content), FINDINGS)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 300


def test_a_gzip_of_a_table_is_read_whatever_its_bytes_look_like_and_a_cut_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress("ID;Label\nx_any;0,5\n".encode("utf-16"))
    path = written(tmp_path, packed)
    assert read_long_csv(path, FINDINGS).frame["value"].to_list() == [0.5]
    path.write_bytes(packed[:-12])
    with pytest.raises(LabelError, match="the gzip is damaged"):
        read_long_csv(path, FINDINGS)
    monkeypatch.setattr(table_bytes, "UNPACKED", 1 << 20)
    path.write_bytes(gzip.compress(b"ID,Label\n" + b" " * (1 << 21)))
    with pytest.raises(LabelError, match="unpacks to more than 1 MiB"):
        read_long_csv(path, FINDINGS)


def test_a_quoted_line_that_names_the_separator_is_taken_as_one(tmp_path: Path) -> None:
    path = written(tmp_path, '"sep=;"\r\nID;Label\r\nx_any;0,25\r\n')
    assert read_long_csv(path, FINDINGS).frame["value"].to_list() == [0.25]
