"""tasks/embolism/rules.py: the competition's six rules over the labels of an exam."""

from __future__ import annotations

from wetread.evaluation.group_rules import GroupRule, RuleSet
from wetread.tasks.embolism.findings import CHRONIC, EXAM_NAMES, NOT_POSITIVE, RATIOS, SIDES


def _names(columns: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(EXAM_NAMES[column] for column in columns)


OF_POSITIVE_EXAMS = tuple(name for name in EXAM_NAMES if name not in _names(NOT_POSITIVE))
RULES = RuleSet(
    EXAM_NAMES,
    (
        GroupRule(
            "1a", "an image is positive, but not exactly one of the two RV/LV ratios",
            _names(RATIOS), with_image=True, least=1, most=1,
        ),
        GroupRule(
            "1b", "an image is positive, but none of central, left and right",
            _names(SIDES), with_image=True, least=1,
        ),
        GroupRule(
            "1c", "an image is positive, and both chronic, and acute and chronic",
            _names(CHRONIC), with_image=True, most=1,
        ),
        GroupRule(
            "1d", "an image is positive, and the exam negative or indeterminate",
            _names(NOT_POSITIVE), with_image=True, most=0,
        ),
        GroupRule(
            "2a", "no image is positive, and not exactly one of negative and indeterminate",
            _names(NOT_POSITIVE), with_image=False, least=1, most=1,
        ),
        GroupRule(
            "2b", "no image is positive, but a label of positive exams",
            OF_POSITIVE_EXAMS, with_image=False, most=0,
        ),
    ),
)  # fmt: skip
