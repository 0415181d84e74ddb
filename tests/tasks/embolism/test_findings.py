"""tests/tasks/embolism/test_findings.py: the competition's labels, their weights and groups."""

import pytest

from wetread.labels.finding import finding_weights
from wetread.tasks.embolism.findings import (
    CHRONIC,
    EXAM_FINDINGS,
    EXAM_NAMES,
    NOT_POSITIVE,
    POSITIVE_EXAM,
    RATIOS,
    SIDES,
)


def test_the_weights_of_an_exam_sum_to_one() -> None:
    assert finding_weights(EXAM_FINDINGS).sum() == pytest.approx(1.0, abs=1e-6)
    assert POSITIVE_EXAM.weight == 0.0  # no label of the metric


def test_groups_are_of_the_labels_that_their_names_say() -> None:
    names = {
        group: {EXAM_NAMES[column] for column in group}
        for group in (NOT_POSITIVE, RATIOS, CHRONIC, SIDES)
    }
    assert names[NOT_POSITIVE] == {"negative_exam_for_pe", "indeterminate"}
    assert names[RATIOS] == {"rv_lv_ratio_gte_1", "rv_lv_ratio_lt_1"}
    assert names[CHRONIC] == {"chronic_pe", "acute_and_chronic_pe"}
    assert names[SIDES] == {"central_pe", "leftsided_pe", "rightsided_pe"}
    assert sum(map(len, names.values())) == len(EXAM_FINDINGS)  # each in one group


def test_left_and_right_are_each_other_s_mirror() -> None:
    mirror = {finding.name: finding.mirror for finding in EXAM_FINDINGS if finding.mirror}
    assert mirror == {"leftsided_pe": "rightsided_pe", "rightsided_pe": "leftsided_pe"}
