"""tests/labels/test_columns_csv.py: one's own labels, a column a finding."""

from pathlib import Path

import numpy as np
import pytest

from wetread.labels.columns_csv import read_columns_csv
from wetread.labels.finding import Finding
from wetread.labels.table import LabelError

BLEED, OLD = Finding("any"), Finding("pe_present", level="study")


def test_named_columns_become_findings_and_empty_cells_unknown(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("uid,bleed,age,old\n001,1,50,\n1.2,0,60,0.5\n")
    labels = read_columns_csv(path, "uid", {BLEED: "bleed", OLD: "old"})
    np.testing.assert_array_equal(
        labels.matrix(["001", "1.2"], (BLEED, OLD)), [[1.0, np.nan], [0.0, 0.5]]
    )
    assert set(labels.frame["level"]) == {"image", "study"}


def test_rows_that_disagree_about_an_image_are_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("uid,bleed\nx,1\nx,0\ny,0\ny,0\n")
    labels = read_columns_csv(path, "uid", {BLEED: "bleed"})
    assert labels.frame["value"].to_list() == [None, 0.0]
    assert (labels.conflicts.height, labels.duplicates) == (1, 1)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({BLEED: "blood"}, "no column 'blood'"),
        ({}, "name at least one"),
        ({OLD: "old"}, "line 3, column 'old': 'maybe'"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, columns: dict[Finding, str], said: str
) -> None:
    path = tmp_path / "own.csv"
    path.write_text("uid,bleed,old\nx,1,0\ny,0,maybe\n")
    with pytest.raises(LabelError, match=said):
        read_columns_csv(path, "uid", columns)
