"""tests/labels/test_repair.py: ids with a blank, a path or an ending, where it is sure."""

import polars as pl
import pytest

from wetread.labels.repair import bare_id, repair_keys, repair_labels, repairs
from wetread.labels.table import LABEL_SCHEMA, label_table


@pytest.mark.parametrize(
    "written",
    [
        *("1.2.3 ", " 1.2.3", "1.2.3.dcm", "1.2.3.PNG", "train/1.2.3.dcm", "C:\\data\\1.2.3.dcm"),
        *("1.2.3\u00a0", "'1.2.3'", "1.2.3.nii.gz", "./1.2.3", "1.2.3\t"),
    ],
)
def test_an_id_is_found_behind_what_was_put_around_it(written: str) -> None:
    assert bare_id(written) == "1.2.3"
    labels = label_table(
        pl.DataFrame([("image", written, "any", 1.0)], schema=LABEL_SCHEMA, orient="row")
    )
    repaired, count = repair_labels(labels, {"image": ["1.2.3"]})
    assert (repaired.frame["id"].to_list(), count) == (["1.2.3"], 1)


def test_an_id_that_is_there_or_is_nobodys_stays_as_it_is_written() -> None:
    rows = [("image", name, "any", 1.0) for name in ("a.dcm", " b", "c.dcm")]
    labels = label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))
    repaired, count = repair_labels(labels, {"image": ["a.dcm", "a", " b", "d"]})
    assert repaired.frame["id"].to_list() == ["a.dcm", " b", "c.dcm"]
    assert count == 0


def test_ids_that_become_one_are_a_duplicate_where_equal_and_unknown_where_not() -> None:
    rows = [("image", name, "any", value) for name, value in
            (("x", 1.0), ("x.dcm", 1.0), ("y ", 0.0), ("y.png", 1.0))]  # fmt: skip
    labels = label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))
    repaired, count = repair_labels(labels, {"image": ["x", "y"]})
    assert repaired.frame.rows() == [("image", "x", "any", 1.0), ("image", "y", "any", None)]
    assert (repaired.duplicates, repaired.conflicts["id"].to_list(), count) == (1, ["y"], 3)


def test_images_of_a_file_of_patients_are_found_unless_two_would_be_one() -> None:
    patients = {"x.dcm": "p", "y": "q", "y ": "q", "z.png": "r", "z.dcm": "s"}
    found, count = repair_keys(patients, ["x", "y", "z"])
    assert (found["x"], found["y"], count) == ("p", "q", 2)
    assert "z" not in found


def test_paths_are_the_same_where_one_ends_as_the_other_and_only_one_does() -> None:
    existing = {"p1/s1/view", "p2/s1/view", "p1/film", "sheet.png", "1.2.3"}
    expected = {
        "p1/s1/view.jpg": "p1/s1/view",
        "root/p2/s1/view.png": "p2/s1/view",
        "film.PNG": "p1/film",
        "sheet": "sheet.png",
        "other/1.2.3.dcm": "1.2.3",
    }
    strange = ["view.png", "s1/view", "p3/film", "none"]
    assert repairs([*expected, *strange], existing) == expected
