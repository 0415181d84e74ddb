"""tests/phantoms/angiogram/test_exam.py: exams are drawn as often as they are in the
competition."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from scipy.stats import chisquare

from wetread.phantoms.angiogram.exam import (
    AGES,
    INDETERMINATE_QUALITY,
    INDETERMINATES,
    NEGATIVE_QUALITY,
    NEGATIVES,
    POSITIVE_COUNTS,
    POSITIVE_QUALITY,
    POSITIVES,
    Exam,
    draw_exam,
    draw_ratio,
)

DRAWN = 30_000


@pytest.fixture(scope="module")
def exams() -> list[Exam]:
    rng = np.random.default_rng(5)
    return [draw_exam(rng) for _ in range(DRAWN)]


def kind(exam: Exam) -> tuple[int, int, int, int, str]:
    return int(exam.left), int(exam.right), int(exam.central), int(exam.strained), exam.age


def test_the_counts_are_those_of_the_real_table(real_data):
    path = real_data / "embolism" / "exam_labels.csv"
    if not path.exists():
        pytest.skip(f"no exam table at {path}")
    table = pl.read_csv(path)
    none = (pl.col("negative_exam_for_pe") == 0) & (pl.col("indeterminate") == 0)
    found: Counter[tuple[int, ...]] = Counter()
    for row in table.filter(none).iter_rows(named=True):
        age = 1 if row["chronic_pe"] else 2 if row["acute_and_chronic_pe"] else 0
        place = (row["leftsided_pe"], row["rightsided_pe"], row["central_pe"])
        found[(*place, row["rv_lv_ratio_gte_1"], age)] += 1
    ours = {(*row[:4], age): n for row in POSITIVE_COUNTS for age, n in enumerate(row[4]) if n}
    assert found == ours
    for rows, columns, counts in (
        (none, ("flow_artifact", "true_filling_defect_not_pe"), POSITIVE_QUALITY),
        (
            pl.col("negative_exam_for_pe") == 1,
            ("flow_artifact", "true_filling_defect_not_pe"),
            NEGATIVE_QUALITY,
        ),
        (
            pl.col("indeterminate") == 1,
            ("qa_motion", "qa_contrast", "flow_artifact"),
            INDETERMINATE_QUALITY,
        ),
    ):
        assert Counter(table.filter(rows).select(columns).rows()) == counts


def test_sums_are_the_published_ones():
    assert sum(sum(row[4]) for row in POSITIVE_COUNTS) == POSITIVES == 2211
    assert sum(NEGATIVE_QUALITY.values()) == NEGATIVES == 4911
    assert sum(INDETERMINATE_QUALITY.values()) == INDETERMINATES == 157
    marginals = [sum(sum(row[4]) for row in POSITIVE_COUNTS if row[i]) for i in range(4)]
    assert marginals == [1544, 1875, 401, 940]
    assert [sum(row[4][age] for row in POSITIVE_COUNTS) for age in (1, 2)] == [292, 145]


def test_drawn_exams_occur_as_often_as_real_ones(exams):
    """Chi-square over the three kinds, and over the joint table of the positive ones."""
    kinds = Counter((exam.positive, exam.indeterminate) for exam in exams)
    counts = np.array([kinds[False, False], kinds[False, True], kinds[True, False]])
    real = np.array([NEGATIVES, INDETERMINATES, POSITIVES])
    assert counts.sum() == DRAWN
    assert chisquare(counts, real / real.sum() * DRAWN).pvalue > 1e-3
    found = Counter(kind(exam) for exam in exams if exam.positive)
    table = {
        (*row[:4], age): count
        for row in POSITIVE_COUNTS
        for age, count in zip(AGES, row[4], strict=True)
        if count
    }
    assert set(found) <= set(table)
    expected = np.array([n for n in table.values() if n >= 8], float)
    drawn = np.array([found[key] for key, n in table.items() if n >= 8], float)
    assert chisquare(drawn, expected / expected.sum() * drawn.sum()).pvalue > 1e-3


def test_only_positive_exams_have_clots_and_only_indeterminate_ones_are_degraded(exams):
    for exam in exams[:5000]:
        assert exam.positive == (exam.left or exam.right or exam.central)
        assert exam.indeterminate == (exam.motion or exam.contrast)
        assert not (exam.positive and exam.indeterminate)


def test_positives_may_be_enriched():
    rng = np.random.default_rng(1)
    drawn = [draw_exam(rng, 0.7) for _ in range(4000)]
    assert np.mean([exam.positive for exam in drawn]) == pytest.approx(0.7, abs=0.03)
    assert all(draw_exam(rng, 1.0).positive for _ in range(50))
    assert not any(draw_exam(rng, 0.0).positive for _ in range(50))
    with pytest.raises(ValueError, match=r"positives=1\.2"):
        draw_exam(rng, 1.2)


def test_ratios_lie_on_their_side_of_one_and_come_close_to_it():
    rng = np.random.default_rng(2)
    wide = np.array([draw_ratio(rng, True) for _ in range(2000)])
    usual = np.array([draw_ratio(rng, False) for _ in range(2000)])
    assert wide.min() > 1 > usual.max()
    assert (wide < 1.1).mean() > 0.1
    assert (usual > 0.9).mean() > 0.1
