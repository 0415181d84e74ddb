"""tests/outputs/test_submission.py: the submission is complete and in its exact form."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wetread.labels.finding import Finding
from wetread.labels.long_csv import read_long_csv
from wetread.outputs.submission import write_submission

NAMES = ("lens", "any")
PRIOR = np.array([0.01, 0.1])


def rows(path: Path) -> list[tuple[str, float]]:
    return pl.read_csv(path).rows()


def test_without_a_sample_images_are_sorted_and_findings_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    filled = write_submission(path, ["b", "a"], np.array([[0.1, 0.2], [0.3, 0.4]]), NAMES, PRIOR)
    assert filled == ()
    assert path.read_text() == "ID,Label\na_lens,0.3\na_any,0.4\nb_lens,0.1\nb_any,0.2\n"


def test_an_image_that_was_not_read_gets_the_prior_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    said = np.array([[0.3, np.nan]])
    filled = write_submission(path, ["a"], said, NAMES, PRIOR, expected=["a", "cut"])
    assert filled == ("a_any", "cut_lens", "cut_any")
    assert rows(path) == [("a_lens", 0.3), ("a_any", 0.1), ("cut_lens", 0.01), ("cut_any", 0.1)]


def test_a_sample_file_gives_rows_and_order(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("ID,Label\nz_any,0.5\na_lens,0.5\nnew_any,0.5\nz_lens,0.5\n")
    path = tmp_path / "s.csv"
    said = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    filled = write_submission(path, ["a", "z", "extra"], said, NAMES, PRIOR, sample)
    assert rows(path) == [("z_any", 0.4), ("a_lens", 0.1), ("new_any", 0.1), ("z_lens", 0.3)]
    assert filled == ("new_any",)


def test_a_sample_in_utf16_with_semicolons_gives_the_rows_of_the_plain_one(tmp_path: Path) -> None:
    sample, path = tmp_path / "sample.csv", tmp_path / "s.csv"
    sample.write_text("ID;Label\nz_any;0,5\na_lens;0,5\n", encoding="utf-16")
    write_submission(path, ["a", "z"], np.array([[0.1, 0.2], [0.3, 0.4]]), NAMES, PRIOR, sample)
    assert rows(path) == [("z_any", 0.4), ("a_lens", 0.1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,Label\na_any,0\n", "no column 'ID'"),
        ("ID,Label\na_any,0\na_stroke,0\n", "line 3: 'a_stroke'"),
        ("ID,Label\na_any,0\na_any,0\n", "more than once"),
    ],
)
def test_a_sample_of_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text(text)
    with pytest.raises(ValueError, match=said):
        write_submission(tmp_path / "s.csv", ["a"], np.zeros((1, 2)), NAMES, PRIOR, sample)


@pytest.mark.parametrize(
    ("ids", "said", "prior", "message"),
    [
        (["a"], np.array([[0.1, 3.2]]), PRIOR, "'a', any: .*no probability"),
        (["a", "a"], np.zeros((2, 2)), PRIOR, "'a' is given twice"),
        (["a"], np.zeros((1, 3)), PRIOR, r"ask for \(1, 2\)"),
        (["a"], np.zeros((1, 2)), np.array([0.1, np.nan]), "prior has a finding without"),
    ],
)
def test_what_would_make_a_false_file_is_refused(
    tmp_path: Path, ids: list[str], said: np.ndarray, prior: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_submission(tmp_path / "s.csv", ids, said, NAMES, prior)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text('ab_1. é,"', min_size=1, max_size=6),
        st.tuples(st.floats(0, 1), st.floats(0, 1)),
        max_size=8,
    )
)
def test_every_probability_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, told: dict[str, tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("s") / "s.csv"
    values = np.array(list(told.values())).reshape(len(told), 2)
    write_submission(path, list(told), values, NAMES, PRIOR)
    findings = tuple(Finding(name) for name in NAMES)
    back = read_long_csv(path, findings).matrix_float64(list(told), findings)
    np.testing.assert_array_equal(back, values)
