"""tests/reports/test_judged.py: the headline's column beside its uncertainties."""

from dataclasses import replace

import numpy as np

from wetread.evaluation.abstention import DISAGREEMENT, NEARNESS
from wetread.labels.finding import Finding
from wetread.reports.judged import judged_headline
from wetread.training.predictions import LevelPredictions

LEVEL = LevelPredictions(
    "image", "held_out", (Finding("rare"), Finding("any")), ("a", "b"), ("a", "b"), ("p", "q"),
    np.arange(2), np.array([[0, 1.0], [0, 0]]), np.array([[0.1, 0.8], [0.2, 0.3]]), {},
    np.array([[0.1, 0.2], [0.3, 0.4]]),
)  # fmt: skip


def test_it_is_the_column_of_the_headline() -> None:
    rows = judged_headline(LEVEL, "any")
    assert rows is not None
    np.testing.assert_array_equal(rows.truth, [1, 0])
    np.testing.assert_allclose(rows.uncertainties[NEARNESS], [-0.3, -0.2])
    np.testing.assert_array_equal(rows.uncertainties[DISAGREEMENT], [0.2, 0.4])


def test_without_disagreement_nearness_stands_alone_and_another_level_has_no_headline() -> None:
    rows = judged_headline(replace(LEVEL, disagreement=None), "any")
    assert rows is not None
    assert list(rows.uncertainties) == [NEARNESS]
    assert judged_headline(LEVEL, "elsewhere") is None
