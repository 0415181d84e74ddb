"""tests/tasks/embolism/test_slice_targets.py: what a slice is to learn of its exam."""

import numpy as np

from wetread.tasks.embolism.findings import EXAM_NAMES, RATIOS
from wetread.tasks.embolism.slice_targets import (
    HEART_FINDINGS,
    LUNG_FINDINGS,
    heart_targets,
    lung_targets,
)


def study(**labels: float) -> np.ndarray:
    """(1, 10) labels of a study by name, else 0."""
    return np.array([[labels.get(name, 0.0) for name in (*EXAM_NAMES, "positive_exam")]])


def test_a_slice_without_an_embolus_shows_no_side_and_one_with_it_the_exam_s() -> None:
    exam = np.repeat(study(leftsided_pe=1, chronic_pe=1, positive_exam=1), 3, axis=0)
    taught = lung_targets(np.array([[0.0], [1.0], [np.nan]]), exam)
    names = [finding.name for finding in LUNG_FINDINGS]
    of = {name: taught[:, column] for column, name in enumerate(names)}
    np.testing.assert_array_equal(of["leftsided_pe"], [0, 1, np.nan])
    np.testing.assert_array_equal(of["rightsided_pe"], [0, 0, np.nan])
    np.testing.assert_array_equal(of["chronic_pe"], [0, 1, np.nan])
    np.testing.assert_array_equal(of["indeterminate"], [0, 0, 0])


def test_the_heart_is_taught_the_ratio_where_the_exam_has_one() -> None:
    known, unknown = study(rv_lv_ratio_gte_1=1), study()
    unknown[0, list(RATIOS)] = np.nan
    image = np.zeros((2, 1))
    taught = heart_targets(image, np.vstack([known, unknown]))
    np.testing.assert_array_equal(taught[:, -1], [1.0, np.nan])
    assert (taught[:, :-1] == 0).all()


def test_targets_have_a_column_for_each_finding_and_the_embolus_weighs_most() -> None:
    image, exam = np.zeros((3, 1)), np.zeros((3, 10))
    for findings, targets in ((LUNG_FINDINGS, lung_targets), (HEART_FINDINGS, heart_targets)):
        assert targets(image, exam).shape == (3, len(findings))
        assert [finding.weight for finding in findings] == [1.0, *[0.3] * (len(findings) - 1)]
        assert {finding.level for finding in findings} == {"image"}
