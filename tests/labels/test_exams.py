"""tests/labels/test_exams.py: which images make an exam, and when that cannot be known."""

import numpy as np
import polars as pl
import pytest

from wetread.labels.exams import Exams, exam_index, with_studies
from wetread.labels.table import EXAM_SCHEMA, LabelError


def images(*rows: tuple[str, str, str], source: list[str | None] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=EXAM_SCHEMA, orient="row")
    return frame if source is None else frame.with_columns(pl.Series("source", source))


def test_images_of_an_exam_lie_together_in_the_order_in_which_they_came() -> None:
    index = exam_index(images(("b", "r2", "s2"), ("z", "r1", "s1"), ("a", "r2", "s2")))
    assert index.frame["image"].to_list() == ["b", "a", "z"]
    assert index.studies == ("s2", "s1")
    assert index.starts.tolist() == [0, 2, 3]


def test_an_image_told_twice_is_one_image() -> None:
    assert exam_index(images(("a", "r", "s"), ("a", "r", "s"))).frame.height == 1


def test_no_image_is_no_exam() -> None:
    index = exam_index(images())
    assert index.studies == ()
    assert index.starts.tolist() == [0]


@pytest.mark.parametrize("uid", ["0", "", "0.0.0", " "])
def test_an_exam_whose_uid_names_none_is_refused_where_nobody_says_where_it_lies(uid: str) -> None:
    with pytest.raises(
        LabelError, match=rf"study of image 'b' is called '{uid}', which names none"
    ):
        exam_index(images(("a", "r", "s"), ("b", uid, uid)))


def test_two_exams_whose_uids_are_all_0_are_not_merged() -> None:
    rows = images(("a", "0", "0"), ("b", "0", "0"), source=["first.zip", "second.zip"])
    with pytest.raises(LabelError, match=r"'0', which names none.*'first.zip'.*'second.zip'"):
        exam_index(rows)
    unsaid = images(("a", "0", "0"), ("b", "0", "0"), source=["first.zip", None])
    with pytest.raises(LabelError, match="may be as many exams"):
        exam_index(unsaid)


def test_two_series_of_a_study_without_a_name_are_not_merged() -> None:
    rows = images(("a", "r1", "0"), ("b", "r2", "0"), source=["here", "here"])
    with pytest.raises(LabelError, match="stands in 2 places"):
        exam_index(rows)


def test_one_exam_without_a_name_is_taken_where_all_of_it_lies_in_one_place() -> None:
    index = exam_index(images(("a", "0", "0"), ("b", "0", "0"), source=["here", "here"]))
    assert index.studies == ("0",)


def test_an_exam_of_which_there_is_no_image_is_an_exam() -> None:
    index = with_studies(exam_index(images(("a", "r", "s"))), ["t", "s", "t"])
    assert index.studies == ("s", "t")
    assert index.starts.tolist() == [0, 1, 1]


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"study is \(2, 8\)"):
        Exams(np.zeros((2, 8)), np.zeros(2), np.array([0, 2]))
    with pytest.raises(ValueError, match=r"study is \(9,\)"):
        Exams(np.zeros(9), np.zeros(2), np.array([0, 2]))
    with pytest.raises(ValueError, match="starts runs from 0 to 1 over 2 images"):
        Exams(np.zeros((1, 9)), np.zeros(2), np.array([0, 1]))
    with pytest.raises(ValueError, match="it rises"):
        Exams(np.zeros((2, 9)), np.zeros(2), np.array([0, 3, 2]))
