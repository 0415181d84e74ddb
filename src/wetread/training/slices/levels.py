"""training/slices/levels.py: what a split says of its scored slices and their studies, and
beside it what
three trivial readers say: the prior, the place in the series, the histogram of the values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wetread.evaluation.aggregate import study_maximum, study_truth
from wetread.evaluation.baselines import constant_prior, histogram_baseline, position_baseline
from wetread.training.data import LabeledSlices, Split
from wetread.training.predictions import LevelPredictions


def slice_predictions(
    data: LabeledSlices, split: Split, probability: NDArray[np.float64]
) -> list[LevelPredictions]:
    """The scored slices and their studies, with what three trivial readers say of them."""
    column = {
        name: np.array(data.column(name))[split.scored]
        for name in ("SOPInstanceUID", "StudyInstanceUID", "patient")
    }
    truth = data.truth[split.scored]
    baselines = image_baselines(data, split)
    images = LevelPredictions(
        level="image",
        split=split.name,
        findings=data.findings,
        ids=tuple(column["SOPInstanceUID"]),
        studies=tuple(column["StudyInstanceUID"]),
        patients=tuple(column["patient"]),
        rows=data.rows[split.scored],
        truth=truth,
        probability=probability,
        baselines=baselines,
    )
    studies = column["StudyInstanceUID"].tolist()
    ids, of_study = study_truth(truth, studies)
    raised = {
        name: study_maximum(data.smooth(values, split.scored), studies)[1]
        for name, values in baselines.items()
    }
    raised["prior"] = np.tile(_study_prior(data, split), (len(ids), 1))
    patient_of = dict(zip(studies, column["patient"].tolist(), strict=True))
    whole = LevelPredictions(
        level="study",
        split=split.name,
        findings=data.findings,
        ids=ids,
        studies=ids,
        patients=tuple(patient_of[study] for study in ids),
        rows=None,
        truth=of_study,
        probability=study_maximum(probability, studies)[1],
        baselines=raised,
    )
    return [images, whole]


def image_baselines(data: LabeledSlices, split: Split) -> dict[str, NDArray[np.float64]]:
    """What the prior, the place in the series and the histogram of HU say, each fitted on train."""
    place = np.array(data.column("z"), np.float64) / np.maximum(
        np.array(data.column("n_slices"), np.float64) - 1, 1
    )
    truth = data.truth[split.train]
    features = [
        np.stack([data.histogram(data.store.read_hu([int(row)])[0]) for row in data.rows[part]])
        for part in (split.train, split.scored)
    ]
    return {
        "prior": np.tile(known_prior(truth), (len(split.scored), 1)),
        "position": position_baseline(place[split.train], truth, place[split.scored]),
        "histogram": histogram_baseline(features[0], truth, features[1]),
    }


def _study_prior(data: LabeledSlices, split: Split) -> NDArray[np.float64]:
    studies = np.array(data.column("StudyInstanceUID"))[split.train]
    return known_prior(study_truth(data.truth[split.train], studies.tolist())[1])


def known_prior(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of positives; a finding that training knows nothing of is even odds."""
    share: NDArray[np.float64] = np.nan_to_num(constant_prior(truth), nan=0.5)
    return share
