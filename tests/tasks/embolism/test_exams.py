"""tests/tasks/embolism/test_exams.py: exams with nine labels, from tables and for the metric."""

import numpy as np

from wetread.labels.exams import Exams
from wetread.tasks.embolism.exams import as_scored
from wetread.tasks.embolism.findings import EXAM_NAMES


def test_the_competition_counts_an_undefined_ratio_as_no_and_an_unknown_one_not_at_all() -> None:
    study = np.full((3, 9), np.nan)
    ratios = [EXAM_NAMES.index("rv_lv_ratio_gte_1"), EXAM_NAMES.index("rv_lv_ratio_lt_1")]
    study[0, EXAM_NAMES.index("negative_exam_for_pe")] = 1
    study[1, EXAM_NAMES.index("indeterminate")] = 1
    study[2, [EXAM_NAMES.index("negative_exam_for_pe"), EXAM_NAMES.index("indeterminate")]] = 0
    counted = as_scored(Exams(study, np.zeros(0), np.zeros(4, dtype=np.int64)))
    assert (counted.study[:2][:, ratios] == 0).all()
    assert np.isnan(counted.study[2, ratios]).all()
    assert np.isnan(counted.study[:, EXAM_NAMES.index("central_pe")]).all()
