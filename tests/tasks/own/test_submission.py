"""tests/tasks/own/test_submission.py: submissions of a task's file, long and wide."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.task_metric import WEIGHTED_LOG_LOSS
from wetread.labels.finding import Finding
from wetread.labels.table import EXAM_SCHEMA, LabelError, label_table
from wetread.outputs.submission import SubmissionContent
from wetread.tasks.own.submission import OwnSubmission

FINDINGS = (Finding("a_b"), Finding("b"))
WORDS = {"a_b": "A", "b": "B part"}
EXAMS = pl.DataFrame(
    [("1.1", "1.s", "1"), ("1.2", "1.s", "1"), ("2.1", "2.s", "2")],
    schema=EXAM_SCHEMA, orient="row",
)  # fmt: skip


def content(sample: Path | None = None) -> SubmissionContent:
    """Two images that were read and one that was not, of a study that was read and one not."""
    return SubmissionContent(
        ids=["1.2", "1.1"],
        probability=np.array([[0.25, 0.5], [0.125, 0.75]]),
        findings=["a_b", "b"],
        prior=np.array([0.1, 0.2]),
        masks={},
        sample=sample,
        expected=["2.1"],
        exams=EXAMS,
        studies={"1": np.array([0.3, 0.6])},
        study_prior=np.array([0.15, 0.25]),
    )


def form(**words: Any) -> OwnSubmission:
    """Make a form of the words A and B part."""
    known = {"metric": WEIGHTED_LOG_LOSS, "findings": FINDINGS, "layout": "wide", "by": "image"}
    return OwnSubmission(**{**known, "words": WORDS, **words})


def test_a_wide_file_has_a_row_an_image_and_the_share_where_it_was_not_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.csv"
    assert form(id="image").write(path, content()) == ["2.1"]
    assert path.read_text().splitlines() == [
        "image,A,B part", "1.1,0.125,0.75", "1.2,0.25,0.5", "2.1,0.1,0.2",
    ]  # fmt: skip


def test_answers_are_those_of_least_cost_where_positives_weigh_more(tmp_path: Path) -> None:
    path, twice = tmp_path / "s.csv", (Finding("a_b", positive_weight=2.0), Finding("b"))
    form(findings=twice, id="image").write(path, content())
    table = pl.read_csv(path)
    expected = [2 * p / (1 + p) for p in (0.125, 0.25, 0.1)]
    np.testing.assert_allclose(table["A"], expected)
    np.testing.assert_allclose(table["B part"], [0.75, 0.5, 0.2])


@pytest.mark.parametrize(("by", "first"), [("study", "1"), ("series", "1.s")])
def test_a_long_file_has_a_row_a_study_and_finding(by: Any, first: str, tmp_path: Path) -> None:
    path, long = tmp_path / "s.csv", form(layout="long", by=by, id="row_id", value="p")
    second = first.replace("1", "2")
    assert long.write(path, content()) == [second]
    assert path.read_text().splitlines() == [
        "row_id,p", f"{first}_A,0.3", f"{first}_B part,0.6", f"{second}_A,0.15",
        f"{second}_B part,0.25",
    ]  # fmt: skip
    table = long.read(path, FINDINGS)
    assert set(table.frame.iter_rows()) >= {(by, first, "a_b", 0.3), (by, second, "b", 0.25)}


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_a_sample_gives_rows_and_order(layout: Any, tmp_path: Path) -> None:
    path, sample, own = tmp_path / "s.csv", tmp_path / "sample.csv", form(layout=layout)
    wide = "ID,A,B part\n9,0,0\n1.2,0,0\n"
    sample.write_text(wide if layout == "wide" else "ID,Label\n9_B part,0\n1.2_A,0\n")
    own.check_sample(sample, FINDINGS)
    lost = own.write(path, content(sample))
    if layout == "wide":
        assert path.read_text().splitlines()[1:] == ["9,0.1,0.2", "1.2,0.25,0.5"]
        assert "9" in lost
    else:
        assert path.read_text().splitlines()[1:] == ["9_B part,0.2", "1.2_A,0.25"]
        assert "9_B part" in lost
    sample.write_text("image,A\n1,0\n")
    with pytest.raises(LabelError, match=r"no column 'ID'.*Correct \[submission\]"):
        own.check_sample(sample, FINDINGS)


def test_a_submission_is_scored_by_hand(tmp_path: Path) -> None:
    rows = [("file", "x", "b", 1.0), ("file", "y", "b", 0.0)]
    truth = label_table(
        pl.DataFrame(rows, schema=["level", "id", "finding", "value"], orient="row")
    )
    path, own = tmp_path / "s.csv", form()
    path.write_text("ID,A,B part\nx,0.5,0.8\ny,0.5,0.1\n")
    given = own.read(path, FINDINGS)
    scored = own.score(truth, given, FINDINGS[1:], "given", np.random.default_rng(0))
    (loss,) = scored.scores.find("weighted_log_loss")
    assert loss.value == pytest.approx(-(np.log(0.8) + np.log(0.9)) / 2)
