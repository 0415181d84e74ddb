"""tests/tasks/own/test_labels.py: the first form whose columns a file has reads it."""

from pathlib import Path

import polars as pl
import pytest

from wetread.labels.table import LABEL_SCHEMA, LabelError
from wetread.tasks.own.build import build_task
from wetread.tasks.own.labels import with_unions

TWO_FORMS = """
modalities = ["CT"]
[[findings]]
name = "any"
any_of = ["a", "b"]
[[findings]]
name = "a"
label = ["A", "left"]
[[findings]]
name = "b"
label = "B"
[[labels]]
id = "study"
id_of = "study"
[[labels]]
id = "slice"
id_of = "image"
"""


def written(folder: Path, text: str) -> Path:
    """Write a label file."""
    path = folder / "labels.csv"
    path.write_text(text)
    return path


def test_files_of_two_levels_are_read_by_their_own_forms(tmp_path: Path) -> None:
    task = build_task(TWO_FORMS, "mine.toml", "mine")
    of_studies = task.read_labels(written(tmp_path, "study,A,B\n1,1,0\n"), task.findings)
    assert set(of_studies.frame.iter_rows()) == {
        ("study", "1", "a", 1.0), ("study", "1", "b", 0.0), ("study", "1", "any", 1.0),
    }  # fmt: skip
    of_slices = task.read_labels(written(tmp_path, "slice,left,B\n1.1,,0\n"), task.findings)
    assert set(of_slices.frame.iter_rows()) == {
        ("image", "1.1", "a", None), ("image", "1.1", "b", 0.0), ("image", "1.1", "any", None),
    }  # fmt: skip
    with pytest.raises(LabelError, match="want the columns 'study'; or 'slice'; the header has"):
        task.read_labels(written(tmp_path, "image,A\n1,1\n"), task.findings)


def test_a_union_is_known_where_all_are_or_one_is_positive() -> None:
    def union(a: float | None, b: float | None) -> float | None:
        rows = [("study", "1", "a", a), ("study", "1", "b", b)]
        frame = pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row")
        found = with_unions(frame, {"any": ("a", "b")})
        value: float | None = found.filter(pl.col("finding") == "any")["value"][0]
        return value

    assert [union(0, 0), union(0, 1), union(1, None), union(0, None)] == [0, 1, 1, None]
    assert union(0.25, 0.5) == 0.5
