"""tests/tasks/embolism/test_submission.py: the competition's file, row for row."""

from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.labels.exams import ExamIndex, Exams, exam_index
from wetread.labels.table import EXAM_SCHEMA
from wetread.prediction import consistency
from wetread.prediction.consistency import ABOVE
from wetread.tasks.embolism.consistency import COSTS
from wetread.tasks.embolism.exams import exams_of
from wetread.tasks.embolism.findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING
from wetread.tasks.embolism.label_csv import read_exam_submission
from wetread.tasks.embolism.rules import RULES
from wetread.tasks.embolism.submission import write_exam_submission

make_consistent = partial(consistency.make_consistent, costs=COSTS)

PRIOR = (np.arange(9) / 10, 0.28)
BLOCKS = (
    "negative_exam_for_pe", "rv_lv_ratio_gte_1", "rv_lv_ratio_lt_1", "leftsided_pe", "chronic_pe",
    "rightsided_pe", "acute_and_chronic_pe", "central_pe", "indeterminate",
)  # fmt: skip


def index_of(sizes: list[int]) -> ExamIndex:
    rows = [(f"i{k}.{n}", f"r{k}", f"s{k}") for k, size in enumerate(sizes) for n in range(size)]
    return exam_index(pl.DataFrame(rows, schema=EXAM_SCHEMA, orient="row"))


def predict_series_logits(index: ExamIndex, seed: int = 0) -> Exams:
    rng = np.random.default_rng(seed)
    return Exams(rng.random((len(index.studies), 9)), rng.random(index.frame.height), index.starts)


def test_labels_stand_block_by_block_and_images_after_them(tmp_path: Path) -> None:
    index = index_of([2, 1])
    said = predict_series_logits(index)
    assert write_exam_submission(tmp_path / "s.csv", index, said, PRIOR) == ()
    lines = (tmp_path / "s.csv").read_text().splitlines()
    ids = [line.split(",")[0] for line in lines]
    expected = [f"{study}_{name}" for name in BLOCKS for study in ("s0", "s1")]
    assert ids == ["id", *expected, "i0.0", "i0.1", "i1.0"]
    assert lines[0] == "id,label"
    assert lines[2] == f"s1_negative_exam_for_pe,{float(said.study[1, 0])!r}"


def test_what_was_said_is_read_again_to_the_last_bit(tmp_path: Path) -> None:
    index = index_of([40, 3, 17])
    said = make_consistent(predict_series_logits(index, seed=1))
    write_exam_submission(tmp_path / "s.csv", index, said, PRIOR)
    table = read_exam_submission(tmp_path / "s.csv", (*EXAM_FINDINGS, IMAGE_FINDING))
    again = exams_of(table, index)
    assert np.array_equal(again.study, said.study)
    assert np.array_equal(again.image, said.image)
    assert (again.study == ABOVE).any()
    assert not RULES.broken_rules(again).any()


def test_what_was_not_said_gets_the_prior_and_is_told(tmp_path: Path) -> None:
    index = index_of([2])
    said = predict_series_logits(index)
    said.study[0, 4], said.image[1] = np.nan, np.nan
    filled = write_exam_submission(tmp_path / "s.csv", index, said, PRIOR)
    assert filled == ("s0_chronic_pe", "i0.1")
    told = dict(pl.read_csv(tmp_path / "s.csv").iter_rows())
    assert (told["s0_chronic_pe"], told["i0.1"]) == (0.4, 0.28)


def test_a_sample_gives_the_rows_and_their_order(tmp_path: Path) -> None:
    index = index_of([2, 1])
    said = predict_series_logits(index)
    sample = tmp_path / "sample.csv"
    sample.write_text("id,label\ni1.0,0\ns1_acute_and_chronic_pe,0\ns7_central_pe,0\ni7,0\n")
    filled = write_exam_submission(tmp_path / "s.csv", index, said, PRIOR, sample)
    assert filled == ("s7_central_pe", "i7")
    assert pl.read_csv(tmp_path / "s.csv").rows() == [
        ("i1.0", said.image[2]),
        ("s1_acute_and_chronic_pe", said.study[1, 6]),
        ("s7_central_pe", 0.7),
        ("i7", 0.28),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ID,label\na,0\n", "no column 'id'"),
        ("id,label\na,0\na,0\n", "line 2: 'a' stands there more than once"),
    ],
)
def test_a_sample_of_another_form_is_refused(tmp_path: Path, text: str, told: str) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text(text)
    index = index_of([1])
    with pytest.raises(ValueError, match=told):
        write_exam_submission(
            tmp_path / "s.csv", index, predict_series_logits(index), PRIOR, sample
        )
    assert not (tmp_path / "s.csv").exists()


def test_what_is_no_probability_is_not_written(tmp_path: Path) -> None:
    index = index_of([1])
    logits = Exams(np.full((1, 9), -2.0), np.zeros(1), index.starts)
    with pytest.raises(ValueError, match=r"-2\.0 is no probability"):
        write_exam_submission(tmp_path / "s.csv", index, logits, PRIOR)
    with pytest.raises(ValueError, match="give both of the same exams"):
        write_exam_submission(
            tmp_path / "s.csv", index_of([2]), predict_series_logits(index), PRIOR
        )


def test_the_competitions_own_submission_has_152_703_rows(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "embolism" / "test_exams.csv"
    if not path.is_file():
        pytest.skip(f"no file {path}")
    listed = pl.read_csv(path)
    images = listed.select(
        pl.int_ranges("n_slices").alias("place"),
        pl.col("SeriesInstanceUID").alias("series"),
        pl.col("StudyInstanceUID").alias("study"),
    ).explode("place")
    index = exam_index(
        images.select(
            pl.concat_str("study", "place", separator=".").alias("image"), "series", "study"
        )
    )
    write_exam_submission(tmp_path / "s.csv", index, predict_series_logits(index), PRIOR)
    ids = pl.read_csv(tmp_path / "s.csv")["id"]
    assert len(ids) == ids.n_unique() == 650 * 9 + 146_853 == 152_703
    studies = listed["StudyInstanceUID"].to_list()
    for block, name in enumerate(BLOCKS):
        assert ids[650 * block : 650 * (block + 1)].to_list() == [f"{s}_{name}" for s in studies]
    assert ids[650 * 9 :].to_list() == index.frame["image"].to_list()
    assert EXAM_NAMES == BLOCKS
