"""tasks/embolism/rules.py: which of the competition's six rules an exam's probabilities break.

A label is said where its probability is above 0.5; exactly 0.5 is a "no".
"""

import numpy as np

from wetread.tasks.embolism.exams import Exams, require_probabilities
from wetread.tasks.embolism.findings import CHRONIC, NOT_POSITIVE, RATIOS, SIDES

THRESHOLD = 0.5
RULES = {
    "1a": "an image is positive, but not exactly one of the two RV/LV ratios",
    "1b": "an image is positive, but none of central, left and right",
    "1c": "an image is positive, and both chronic, and acute and chronic",
    "1d": "an image is positive, and the exam negative or indeterminate",
    "2a": "no image is positive, and not exactly one of negative and indeterminate",
    "2b": "no image is positive, but a label of positive exams",
}


def rules_broken(said: np.ndarray, some_image: np.ndarray) -> np.ndarray:
    """The rules over "yes" and "no". said: (N, 9) bool, columns as EXAM_FINDINGS; some_image: (N,)
    bool, whether any image is positive. (N, 6) bool, columns as RULES: True where broken."""
    none = ~some_image
    others = [column for column in range(said.shape[1]) if column not in NOT_POSITIVE]
    broken = [
        some_image & (said[:, RATIOS].sum(axis=1) != 1),
        some_image & ~said[:, SIDES].any(axis=1),
        some_image & said[:, CHRONIC].all(axis=1),
        some_image & said[:, NOT_POSITIVE].any(axis=1),
        none & (said[:, NOT_POSITIVE].sum(axis=1) != 1),
        none & said[:, others].any(axis=1),
    ]
    return np.stack(broken, axis=1)


def broken_rules(exams: Exams) -> np.ndarray:
    """(N, 6) bool, columns as RULES. Raises ValueError for a probability that is NaN."""
    require_probabilities(exams)
    return rules_broken(exams.study > THRESHOLD, exams.sum_images(exams.image > THRESHOLD) > 0)


def check(study: np.ndarray, image: np.ndarray) -> tuple[str, ...]:
    """The names of the rules that one exam breaks. study (9,), image (n,) probabilities."""
    exam = Exams(np.asarray(study)[None], np.asarray(image), np.array([0, len(image)]))
    return rule_names(broken_rules(exam)[0])


def rule_names(broken: np.ndarray) -> tuple[str, ...]:
    """(6,) bool to names."""
    return tuple(name for name, is_broken in zip(RULES, broken, strict=True) if is_broken)
