"""tests/labels/test_long_csv.py: the long form `ID,Label`, and what is refused in it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.labels.finding import Finding
from wetread.labels.long_csv import read_long_csv
from wetread.labels.table import LabelError, match, merge_labels

NAMES = ("epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any")
FINDINGS = tuple(Finding(name) for name in NAMES)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_the_id_is_split_at_its_last_underscore_and_never_stripped(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Label\nID_00a_b_any,1\n 1.2.3 _any,0\n007_any,0.5\n")
    frame = read_long_csv(path, FINDINGS).frame
    assert frame["id"].to_list() == ["ID_00a_b", " 1.2.3 ", "007"]
    assert frame["value"].to_list() == [1.0, 0.0, 0.5]


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfID,Label\r\nx_any,1\r\n")
    assert read_long_csv(path, FINDINGS).frame.rows() == [("image", "x", "any", 1.0)]


def test_other_columns_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    path = written(tmp_path, "note,Label,ID\n,1,x_any\n,,\nseen,0,y_any\n")
    assert read_long_csv(path, FINDINGS).frame["value"].to_list() == [1.0, 0.0]


def test_an_empty_label_is_unknown(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Label\nx_any,\n")
    assert read_long_csv(path, FINDINGS).frame["value"].to_list() == [None]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ID,Label\nx_any,1\nx_stroke,1\n", ["line 3", "'ID'", "'x_stroke'", "subdural"]),
        ("ID,Label\nxany,1\n", ["line 2", "'xany'"]),
        ("ID,Label\n_any,1\n", ["line 2", "'_any'"]),
        ("ID,Label\nx_any,yes\n", ["line 2", "'Label'", "'yes'", "0 to 1"]),
        ("ID,Label\nx_any,1.5\ny_any,-1\n", ["line 2", "'1.5'", "1 more"]),
        ("ID,Label\nx_any,nan\n", ["line 2", "'nan'"]),
        ("ID,Label\n,1\n", ["line 2", "'ID'", "empty"]),
        ("image,Label\nx_any,1\n", ["no column 'ID'", "'image'"]),
        ("", ["empty"]),
        ("ID,Label\nx_any,1,2\n", ["cannot be read"]),
        (b"ID,Label\n\xff\xfe_any,1\n", ["UTF-8"]),
    ],
)
def test_what_cannot_be_a_label_is_refused_with_its_place(
    tmp_path: Path, text: str | bytes, parts: list[str]
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(LabelError) as refused:
        read_long_csv(path, FINDINGS)
    for part in (str(path), *parts):
        assert part in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"gone\.csv.*check the path"):
        read_long_csv(tmp_path / "gone.csv", FINDINGS)


def test_a_finding_with_an_underscore_cannot_be_in_this_form(tmp_path: Path) -> None:
    path = written(tmp_path, "ID,Label\nx_pe_present,1\n")
    with pytest.raises(LabelError, match="pe_present"):
        read_long_csv(path, (Finding("pe_present"),))


@settings(max_examples=30, deadline=None)
@given(
    ids=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=8),
        unique=True, min_size=1, max_size=6,
    ),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_any_ids_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], seed: int
) -> None:
    values = np.random.default_rng(seed).random((len(ids), len(NAMES))).round(3)
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    rows = [f"{i}_{name}" for i in ids for name in NAMES]
    pl.DataFrame({"ID": rows, "Label": values.ravel()}).write_csv(path)
    matrix = read_long_csv(path, FINDINGS).matrix_float64(ids, FINDINGS)
    np.testing.assert_array_equal(matrix, values)


def test_the_real_label_files_hold_what_their_readme_says(real_data: Path) -> None:
    folder = real_data / "hemorrhage"
    labels = read_long_csv(folder / "stage_2_train.csv", FINDINGS)
    images = [path.stem for path in (folder / "stage_2_train").glob("*.dcm")]
    met = match(labels, images)
    assert (met.labeled, met.images_without_label, met.labels_without_image) == (40, 21, 0)
    positive = np.nansum(labels.matrix(images, FINDINGS), axis=0)
    assert positive.tolist() == [1, 11, 11, 3, 3, 18]
    others = read_long_csv(folder / "complement_negatives.csv", FINDINGS)
    assert match(merge_labels([labels, others]), images).labeled == 61
