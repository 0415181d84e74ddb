"""bench/rule_rivals.py: two known ways to make an exam obey the rules, for comparison."""

from dataclasses import replace

import numpy as np

from wetread.evaluation.metrics import log_losses
from wetread.labels.exams import Exams
from wetread.prediction.consistency import ABOVE
from wetread.tasks.embolism.findings import (
    CHRONIC,
    IMAGE_FINDING,
    NOT_POSITIVE,
    RATIOS,
    SIDES,
)
from wetread.tasks.embolism.metric import WEIGHTS
from wetread.tasks.embolism.rules import RULES

NO = 0.5
IMAGE_SHARE = 0.005  # that the winner takes for q in every exam
Row = np.ndarray  # (9,) of one exam


def clip_by_images(raw: Exams) -> Exams:
    """Simple clipping: the images decide and stay as they are; the labels are clipped to fit.

    With an image above 0.5: the larger ratio at least ABOVE, the smaller at most 0.5; the largest
    side at least ABOVE; the smaller of the chronic labels at most 0.5 where both are above;
    negative and indeterminate at most 0.5. Without: the larger of those two at least ABOVE, the
    smaller and all others at most 0.5. Of equal ones the first counts as the larger.
    """
    study = raw.study.copy()
    for exam, row in enumerate(study):
        image = raw.select(exam).image
        if (image > NO).any():
            _first_yes(row, RATIOS, others_no=True)
            _first_yes(row, SIDES, others_no=False)
            if (row[list(CHRONIC)] > NO).all():
                _first_yes(row, CHRONIC, others_no=True)
            _no(row, NOT_POSITIVE)
        else:
            _no(row, [column for column in range(9) if column not in NOT_POSITIVE])
            _first_yes(row, NOT_POSITIVE, others_no=True)
    return replace(raw, study=study)


def two_candidates(raw: Exams) -> Exams:
    """The 2020 winner's repair: a consistent exam is left; else a negative and a positive target
    are built, and the one taken against which, as soft truth, the original probabilities have the
    smaller weighted log loss, every image weighing 0.07361963 x 0.005. Sides are raised only where
    one is larger than both others: ties leave none raised."""
    study, image = raw.study.copy(), raw.image.copy()
    for exam in np.flatnonzero(RULES.broken_rules(raw).any(axis=1)):
        one = raw.select(int(exam))
        where = slice(raw.starts[exam], raw.starts[exam + 1])
        candidates = [_negative(one)]
        if len(one.image):
            candidates.append(_positive(one))
        losses = [
            (log_losses(answer.study, one.study) @ WEIGHTS).item()
            + IMAGE_FINDING.weight * IMAGE_SHARE * log_losses(answer.image, one.image).sum()
            for answer in candidates
        ]
        best = candidates[int(np.argmin(losses))]
        study[exam], image[where] = best.study[0], best.image
    return replace(raw, study=study, image=image)


def _negative(one: Exams) -> Exams:
    row = one.study[0].copy()
    _no(row, [column for column in range(9) if column not in NOT_POSITIVE])
    _first_yes(row, NOT_POSITIVE, others_no=True)
    return replace(one, study=row[None], image=np.minimum(one.image, NO))


def _positive(one: Exams) -> Exams:
    row, image = one.study[0].copy(), one.image.copy()
    largest = int(np.argmax(image))
    image[largest] = max(image[largest], ABOVE)
    _no(row, NOT_POSITIVE)
    _no(row, [min(CHRONIC, key=lambda column: row[column])])
    sides = row[list(SIDES)]
    if not (sides > NO).any() and (sides == sides.max()).sum() == 1:
        row[SIDES[int(np.argmax(sides))]] = ABOVE
    _first_yes(row, RATIOS, others_no=True)
    return replace(one, study=row[None], image=image)


def _first_yes(row: Row, columns: tuple[int, ...], others_no: bool) -> None:
    largest = columns[int(np.argmax(row[list(columns)]))]
    row[largest] = max(row[largest], ABOVE)
    if others_no:
        _no(row, [column for column in columns if column != largest])


def _no(row: Row, columns: list[int] | tuple[int, ...]) -> None:
    row[list(columns)] = np.minimum(row[list(columns)], NO)
