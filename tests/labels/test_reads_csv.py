"""tests/labels/test_reads_csv.py: readers' calls as a table has them."""

from pathlib import Path

import numpy as np
import pytest

from wetread.labels.reads_csv import Reads, read_reads
from wetread.labels.table import LabelError
from wetread.tasks import find_task

TASK = find_task("hemorrhage")


def read(path: Path, text: str) -> Reads:
    path.write_text(text)
    return read_reads(path, TASK.findings, TASK.abbreviations)


def test_columns_name_a_reader_and_a_finding_or_its_abbreviation(tmp_path: Path) -> None:
    found = read(
        tmp_path / "r.csv", "name,B,R1:ICH,R1:sdh,R2:ICH,R2:Fracture\na,x,1,0,0,1\nb,y,0,,1,0\n"
    )
    assert (found.ids, found.readers) == (("a", "b"), ("R1", "R2"))
    np.testing.assert_array_equal(found.calls["any"], [[1, 0], [0, 1]])
    np.testing.assert_array_equal(found.calls["subdural"], [[0, np.nan], [np.nan, np.nan]])
    assert set(found.calls) == {"any", "subdural"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,ICH\na,1\n", "no column READER:FINDING, as R1:ICH"),
        ("name,R1:ICH\na,1\na,0\n", "'a' stands twice"),
        ("name,R1:ICH\na,0.5\n", "is 0, 1 or empty"),
        ("case,R1:ICH\na,1\n", "no column for the study"),
    ],
)
def test_a_table_that_is_none_of_reads_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read(tmp_path / "r.csv", text)


def test_real_reads_have_the_published_majorities(real_data: Path) -> None:
    from wetread.evaluation.reader_study import majority

    path = real_data / "head_readers" / "reads.csv"
    if not path.is_file():
        pytest.skip("no table of readers among the real files")
    found = read_reads(path, TASK.findings, TASK.abbreviations)
    counts = {name: int(np.nansum(majority(calls))) for name, calls in found.calls.items()}
    assert counts == {
        "any": 205, "intraparenchymal": 134, "intraventricular": 28, "subdural": 53,
        "epidural": 13, "subarachnoid": 60,
    }  # fmt: skip
