"""tests/prediction/test_answers.py: answers of tasks that draw nothing hold no masks."""

import numpy as np

from wetread.prediction.answers import Answers
from wetread.prediction.masks import NO_MASKS


def test_answers_without_masks_name_no_finding_that_is_drawn() -> None:
    answers = Answers(np.zeros((2, 1)), {"s": np.zeros(1)}, {})
    assert answers.masks is NO_MASKS
    assert (answers.masks.findings, answers.masks.maps) == ((), ())
