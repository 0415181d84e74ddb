"""tests/inputs/test_label_file.py: label files in the competition's form, and one's own."""

from pathlib import Path

import pytest

from wetread.inputs.label_file import read_label_file
from wetread.labels.table import LabelError
from wetread.tasks import find_task

TASK = find_task("hemorrhage")


def known(path: str | Path, columns: dict[str, str] | None = None) -> dict[str, float]:
    """The known labels of image a."""
    table = read_label_file(path, TASK, columns)
    (values,) = table.matrix_float64(["a"], TASK.findings)
    names = [finding.name for finding in TASK.findings]
    return {name: value for name, value in zip(names, values, strict=True) if value == value}


def test_a_file_in_the_competition_s_form_needs_no_word_more(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("ID,Label\na_any,1\na_epidural,0\n")
    assert known(tmp_path / "l.csv") == {"any": 1.0, "epidural": 0.0}


def test_a_named_column_is_the_headline_finding(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("image,bleed\na,1\n")
    assert known(f"{tmp_path / 'l.csv'}:bleed") == {"any": 1.0}


def test_columns_of_one_s_own_are_named_by_finding(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("uid,sdh,edh\na,1,0\n")
    columns = {"id": "uid", "subdural": "sdh", "epidural": "edh"}
    assert known(tmp_path / "l.csv", columns) == {"subdural": 1.0, "epidural": 0.0}


def test_columns_that_name_no_finding_or_no_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("uid,sdh\na,1\n")
    with pytest.raises(ValueError, match="stroke is none of these"):
        known(tmp_path / "l.csv", {"id": "uid", "stroke": "sdh"})
    with pytest.raises(ValueError, match="id is missing"):
        known(tmp_path / "l.csv", {"subdural": "sdh"})


def test_a_mask_without_an_archive_is_refused_with_where_it_is_taken(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="train, evaluate and explore take it"):
        read_label_file(tmp_path / "blood.nii.gz", TASK, None)
