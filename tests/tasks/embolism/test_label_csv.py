"""tests/tasks/embolism/test_label_csv.py: exams and their images from wide files, tables and
submissions."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.labels.exams import exam_index
from wetread.labels.finding import finding_weights
from wetread.labels.table import LabelError, LabelTable, merge_labels
from wetread.tasks.embolism.exams import exams_of
from wetread.tasks.embolism.findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING, POSITIVE_EXAM
from wetread.tasks.embolism.label_csv import read_exam_csv, read_exam_submission

FINDINGS = (IMAGE_FINDING, *EXAM_FINDINGS, POSITIVE_EXAM)
HEADER = (
    "StudyInstanceUID,SeriesInstanceUID,SOPInstanceUID,pe_present_on_image,negative_exam_for_pe,"
    "qa_motion,qa_contrast,flow_artifact,rv_lv_ratio_gte_1,rv_lv_ratio_lt_1,leftsided_pe,"
    "chronic_pe,true_filling_defect_not_pe,rightsided_pe,acute_and_chronic_pe,central_pe,"
    "indeterminate"
)
#            negative  qa and flow  gte  lt  left  chronic  defect  right  both  central  indet.
NEGATIVE = "1,0,0,0,0,0,0,0,0,0,0,0,0"
POSITIVE = "0,0,0,1,1,0,1,0,0,0,0,1,0"
UNCLEAR = "0,1,0,0,0,0,0,0,0,0,0,0,1"


def wide(folder: Path, *rows: str) -> Path:
    path = folder / "train.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    return path


def values(table: LabelTable, study: str) -> dict[str, float | None]:
    of_study = table.frame.filter((pl.col("level") == "study") & (pl.col("id") == study))
    return dict(of_study.select("finding", "value").iter_rows())


def three_exams(folder: Path) -> LabelTable:
    rows = (
        f"s1,r1,i1,0,{NEGATIVE}",
        f"s2,r2,i2,1,{POSITIVE}",
        f"s2,r2,i3,0,{POSITIVE}",
        f"s1,r1,i4,0,{NEGATIVE}",
        f"s3,r3,i5,0,{UNCLEAR}",
    )
    return read_exam_csv(wide(folder, *rows), FINDINGS)


def test_an_image_has_its_label_and_a_study_its_nine_and_whether_it_is_positive(
    tmp_path: Path,
) -> None:
    table = three_exams(tmp_path)
    images = table.frame.filter(pl.col("level") == "image")
    assert images.select("id", "finding", "value").rows() == [
        (image, "pe_present_on_image", value)
        for image, value in (("i1", 0), ("i2", 1), ("i3", 0), ("i4", 0), ("i5", 0))
    ]
    assert values(table, "s2") == {
        "negative_exam_for_pe": 0, "rv_lv_ratio_gte_1": 1, "rv_lv_ratio_lt_1": 0,
        "leftsided_pe": 1, "chronic_pe": 0, "rightsided_pe": 0, "acute_and_chronic_pe": 0,
        "central_pe": 1, "indeterminate": 0, "positive_exam": 1,
    }  # fmt: skip
    assert table.duplicates == 0
    assert table.conflicts.is_empty()


@pytest.mark.parametrize("study", ["s1", "s3"])
def test_the_ratio_of_an_exam_that_is_not_positive_is_unknown(tmp_path: Path, study: str) -> None:
    told = values(three_exams(tmp_path), study)
    assert told["rv_lv_ratio_gte_1"] is None
    assert told["rv_lv_ratio_lt_1"] is None
    assert told["positive_exam"] == 0
    assert told["central_pe"] == 0


def test_only_the_findings_asked_for_are_told(tmp_path: Path) -> None:
    path = wide(tmp_path, f"s1,r1,i1,0,{POSITIVE}")
    some = read_exam_csv(path, EXAM_FINDINGS[3:5])
    assert set(some.frame["finding"]) == {"leftsided_pe", "chronic_pe"}
    assert some.exams.height == 1


def test_labels_of_a_study_that_its_rows_contradict_are_unknown_and_listed(tmp_path: Path) -> None:
    path = wide(
        tmp_path, f"s1,r1,i1,0,{NEGATIVE}", f"s1,r1,i2,0,{UNCLEAR}", f"s2,r2,i3,1,{POSITIVE}"
    )
    table = read_exam_csv(path, FINDINGS)
    told = values(table, "s1")
    assert told["negative_exam_for_pe"] is told["indeterminate"] is told["positive_exam"] is None
    assert told["central_pe"] == 0
    listed = table.conflicts.select("level", "id", "finding").rows()
    assert listed == [
        ("study", "s1", "negative_exam_for_pe"),
        ("study", "s1", "indeterminate"),
    ]
    assert values(table, "s2")["positive_exam"] == 1


def test_an_image_that_stands_twice_with_two_labels_is_unknown_and_listed(tmp_path: Path) -> None:
    path = wide(tmp_path, f"s1,r1,i1,0,{POSITIVE}", f"s1,r1,i1,1,{POSITIVE}")
    table = read_exam_csv(path, FINDINGS)
    assert table.conflicts.select("id", "finding").rows() == [("i1", "pe_present_on_image")]
    assert table.exams.rows() == [("i1", "r1", "s1")]


def test_several_series_of_a_study_keep_their_names_and_are_one_exam(tmp_path: Path) -> None:
    path = wide(
        tmp_path,
        f"s1,r1,i1,1,{POSITIVE}",
        f"s2,r9,i9,0,{NEGATIVE}",
        f"s1,r2,i2,0,{POSITIVE}",
        f"s1,r1,i3,0,{POSITIVE}",
    )
    table = read_exam_csv(path, FINDINGS)
    index = exam_index(table.exams)
    assert index.studies == ("s1", "s2")
    assert index.frame.rows() == [
        ("i1", "r1", "s1"),
        ("i3", "r1", "s1"),
        ("i2", "r2", "s1"),
        ("i9", "r9", "s2"),
    ]
    exams = exams_of(table, index)
    assert exams.starts.tolist() == [0, 3, 4]
    assert exams.image.tolist() == [1, 0, 0, 0]
    assert exams.study[:, EXAM_NAMES.index("central_pe")].tolist() == [1, 0]


def test_an_exam_without_a_name_is_refused_and_named(tmp_path: Path) -> None:
    path = wide(tmp_path, f"s1,r1,i1,0,{NEGATIVE}", f"0,0,i2,0,{NEGATIVE}", f"0,0,i3,1,{POSITIVE}")
    with pytest.raises(LabelError, match=r"line 3, column 'StudyInstanceUID': '0' .*\(2 such"):
        read_exam_csv(path, FINDINGS)
    table = tmp_path / "exams.csv"
    table.write_text("StudyInstanceUID," + ",".join(EXAM_NAMES) + "\n0.0" + ",0" * 9 + "\n")
    with pytest.raises(LabelError, match=r"line 2, column 'StudyInstanceUID': '0\.0' names"):
        read_exam_csv(table, FINDINGS)


def test_an_image_of_two_exams_is_refused(tmp_path: Path) -> None:
    path = wide(tmp_path, f"s1,r1,i1,0,{NEGATIVE}", f"s2,r2,i1,0,{NEGATIVE}")
    with pytest.raises(
        LabelError, match=r"train.csv: image 'i1' is given to two series or studies"
    ):
        read_exam_csv(path, FINDINGS)
    first = read_exam_csv(wide(tmp_path, f"s1,r1,i1,0,{NEGATIVE}"), FINDINGS)
    second = read_exam_csv(wide(tmp_path, f"s2,r2,i1,0,{NEGATIVE}"), FINDINGS)
    with pytest.raises(LabelError, match="image 'i1'"):
        merge_labels([first, second])


def test_two_files_keep_the_exams_of_both(tmp_path: Path) -> None:
    first = read_exam_csv(wide(tmp_path, f"s1,r1,i1,0,{NEGATIVE}"), FINDINGS)
    second = read_exam_csv(wide(tmp_path, f"s2,r2,i2,1,{POSITIVE}"), FINDINGS)
    assert merge_labels([first, second]).exams.rows() == [("i1", "r1", "s1"), ("i2", "r2", "s2")]


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ([f"s1,r1,,0,{NEGATIVE}"], ["line 2", "'SOPInstanceUID' is empty"]),
        ([f",r1,i1,0,{NEGATIVE}"], ["line 2", "'StudyInstanceUID' is empty"]),
        ([f"s1,r1,i1,2,{NEGATIVE}"], ["line 2", "'pe_present_on_image'", "'2'", "0 to 1"]),
        ([f"s1,r1,i1,0,{NEGATIVE}", f"s1,r1,i2,0,x{NEGATIVE[1:]}"], ["line 3", "'x'"]),
        ([f"s1,r1,i1,0,{NEGATIVE},1"], ["cannot be read"]),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(
    tmp_path: Path, rows: list[str], parts: list[str]
) -> None:
    with pytest.raises(LabelError) as problem:
        read_exam_csv(wide(tmp_path, *rows), FINDINGS)
    for part in ["train.csv", *parts]:
        assert part in str(problem.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "exams.csv"
    path.write_text("StudyInstanceUID,central_pe\ns1,1\n")
    with pytest.raises(LabelError, match="no column 'negative_exam_for_pe'"):
        read_exam_csv(path, FINDINGS)
    with pytest.raises(LabelError, match="no such label file"):
        read_exam_csv(tmp_path / "none.csv", FINDINGS)


def test_an_empty_cell_is_unknown_and_an_empty_line_nothing(tmp_path: Path) -> None:
    path = wide(tmp_path, f"s1,r1,i1,,{POSITIVE}", ",,,,,,,,,,,,,,,,", f"s1,r1,i2,1,{POSITIVE}")
    table = read_exam_csv(path, FINDINGS)
    assert table.frame.filter(pl.col("level") == "image")["value"].to_list() == [None, 1.0]


def test_a_file_without_a_row_has_no_label(tmp_path: Path) -> None:
    table = read_exam_csv(wide(tmp_path), FINDINGS)
    assert table.frame.is_empty()
    assert table.exams.is_empty()


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(f"\ufeff{HEADER}\r\ns1,r1,i1,1,{POSITIVE}\r\n".encode())
    table = read_exam_csv(path, FINDINGS)
    assert table.exams.rows() == [("i1", "r1", "s1")]
    assert values(table, "s1")["central_pe"] == 1


def test_the_weights_of_the_nine_labels_sum_to_one() -> None:
    assert finding_weights(EXAM_FINDINGS).sum() == pytest.approx(1, abs=1e-9)
    mirror = {finding.name: finding.mirror for finding in EXAM_FINDINGS if finding.mirror}
    assert mirror == {"leftsided_pe": "rightsided_pe", "rightsided_pe": "leftsided_pe"}


def test_the_real_table_of_exams_has_the_counts_that_were_published(real_data: Path) -> None:
    path = real_data / "embolism" / "exam_labels.csv"
    if not path.is_file():
        pytest.skip(f"no file {path}")
    table = read_exam_csv(path, FINDINGS)
    ones = dict(
        table.frame.group_by("finding").agg(pl.col("value").sum().cast(pl.Int64)).iter_rows()
    )
    known = dict(table.frame.group_by("finding").agg(pl.col("value").count()).iter_rows())
    assert ones == {
        "negative_exam_for_pe": 4911, "indeterminate": 157, "positive_exam": 2211,
        "rightsided_pe": 1875, "leftsided_pe": 1544, "central_pe": 401,
        "rv_lv_ratio_gte_1": 940, "rv_lv_ratio_lt_1": 1271,
        "chronic_pe": 292, "acute_and_chronic_pe": 145,
    }  # fmt: skip
    assert known["rv_lv_ratio_gte_1"] == known["rv_lv_ratio_lt_1"] == 2211
    assert known["central_pe"] == 7279
    assert table.conflicts.is_empty()
    assert table.exams.is_empty()


def test_a_submission_is_read_by_the_longest_label_that_an_id_ends_in(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    path.write_text(
        "id,label\ns1_negative_exam_for_pe,0.25\ns1_acute_and_chronic_pe,0.5\n"
        "s1_chronic_pe,0.125\ni1,0.75\ns1_chronic,1\n"
    )
    table = read_exam_submission(path, FINDINGS)
    assert table.frame.rows() == [
        ("study", "s1", "negative_exam_for_pe", 0.25),
        ("study", "s1", "acute_and_chronic_pe", 0.5),
        ("study", "s1", "chronic_pe", 0.125),
        ("image", "i1", "pe_present_on_image", 0.75),
        ("image", "s1_chronic", "pe_present_on_image", 1.0),
    ]


def test_a_value_that_is_no_probability_is_refused_in_a_submission(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    path.write_text("id,label\ni1,0.5\ni2,1.5\n")
    with pytest.raises(LabelError, match=r"line 3, column 'label': '1.5'"):
        read_exam_submission(path, FINDINGS)


def test_a_hundred_thousand_images_keep_their_exams(tmp_path: Path) -> None:
    exams, each = 400, 250
    labels = [NEGATIVE, POSITIVE, UNCLEAR]
    path = wide(
        tmp_path,
        *(
            f"s{exam},r{exam},i{exam:05d}{image:05d},{int(exam % 3 == 1 and image < 20)},"
            + labels[exam % 3]
            for exam in range(exams)
            for image in range(each)
        ),
    )
    table = read_exam_csv(path, FINDINGS)
    index = exam_index(table.exams)
    told = exams_of(table, index)
    assert np.array_equal(told.sizes, np.full(exams, each))
    positive = told.study[:, EXAM_NAMES.index("central_pe")]
    assert np.array_equal(told.sum_images(told.image), 20 * positive)
