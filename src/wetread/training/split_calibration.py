"""training/split_calibration.py: predictions of splits are calibrated, each by other patients.

Of one split the validation patients choose, for new studies too; of folds each fold's scaling is
chosen by the others, and that for new studies by all. Where nothing but phantoms was learned, that
for new studies is chosen by phantoms that are changed as if other scanners had made them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from wetread.evaluation.platt import FittedScaling
from wetread.labels.finding import finding_names
from wetread.training.calibration import (
    ALTERED,
    OTHER_FOLDS,
    UNCALIBRATED,
    VALIDATION,
    CalibratedOn,
    Calibration,
    LabeledProbabilities,
    fit_calibration,
)
from wetread.training.predictions import UNCALIBRATED as BEFORE
from wetread.training.predictions import LevelPredictions
from wetread.training.slices.fit import SplitResult
from wetread.training.slices.prepare import MakeConsistent


def calibrate_splits(
    results: Sequence[SplitResult], left: Collection[str] = ()
) -> tuple[tuple[Calibration, ...], Calibration]:
    """Fit the calibration of each split's scored patients, who have no part in it, and that of
    studies to come.

    left: findings that are calibrated otherwise, by what is drawn of them.
    """
    if len(results) == 1:
        only = _fit([results[0].validation], VALIDATION, left)
        return (only,), only
    read = [tuple(map(_labeled, result.levels)) for result in results]
    each = [
        _fit([*read[:number], *read[number + 1 :]], OTHER_FOLDS, left)
        for number in range(len(read))
    ]
    return tuple(each), _fit(read, OTHER_FOLDS, left)


def calibrate_altered(
    parts: Sequence[Sequence[LabeledProbabilities]], left: Collection[str] = ()
) -> Calibration:
    """Fit the calibration of patients to come, of models that learned phantoms alone.

    parts: of each split what its model says of its scored phantoms, changed; left: as above.
    """
    return _fit(parts, ALTERED, left)


def calibrated_levels(
    levels: Sequence[LevelPredictions], calibration: Calibration, make_consistent: MakeConsistent
) -> list[LevelPredictions]:
    """Scale the probabilities of levels and make them consistent; beside them stand as a baseline
    those that were consistent without scaling."""
    before = make_consistent(list(levels))
    scaled = make_consistent(
        [
            replace(
                one,
                probability=calibration.apply(
                    one.level, finding_names(one.findings), one.probability
                ),
            )
            for one in levels
        ]
    )
    return [
        replace(one, baselines={**one.baselines, BEFORE: raw.probability})
        for one, raw in zip(scaled, before, strict=True)
    ]


def _labeled(level: LevelPredictions) -> LabeledProbabilities:
    names = finding_names(level.findings)
    return LabeledProbabilities(level.level, names, level.truth, level.probability, level.patients)


def _fit(
    parts: Sequence[Sequence[LabeledProbabilities]], source: str, left: Collection[str]
) -> Calibration:
    """Fit a calibration on several parts of the patients; UNCALIBRATED where they are nobody."""
    levels = [_join([part[place] for part in parts]) for place in range(len(parts[0]))]
    if not levels:
        return UNCALIBRATED
    images = levels[0]
    on = CalibratedOn(source, len(images.patients), len(set(images.patients)))
    fitted = fit_calibration(levels, on).fitted
    return Calibration({level: _without(one, left) for level, one in fitted.items()}, (on,))


def _without(
    values: Mapping[str, FittedScaling], left: Collection[str]
) -> dict[str, FittedScaling]:
    return {name: value for name, value in values.items() if name not in left}


def _join(parts: Sequence[LabeledProbabilities]) -> LabeledProbabilities:
    return replace(
        parts[0],
        truth=np.concatenate([one.truth for one in parts]),
        probability=np.concatenate([one.probability for one in parts]),
        patients=tuple(name for one in parts for name in one.patients),
    )
