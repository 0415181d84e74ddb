"""training/slices/levels.py: predictions of scored slices and their studies, with baselines: the
prior, the place in the series, the histogram of the values, the header."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.aggregate import at_study_maximum, study_maximum, study_truth
from wetread.evaluation.baselines import known_prior
from wetread.evaluation.fit_baselines import BaselineFeatures, predict_baselines
from wetread.labels.finding import finding_names
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import LabeledSlices, Split, smooth_slices
from wetread.training.predictions import LevelPredictions


def slice_predictions(
    data: LabeledSlices,
    split: Split,
    probability: Float64Array,
    disagreement: Float64Array | None = None,
) -> list[LevelPredictions]:
    """Put probabilities (n, F) of the split's scored slices into the form of predictions.py, and
    those of their studies, (E, F) the largest of their slices', with baselines.

    disagreement: (n, F) of the networks; a study has that of its most suspicious slice.
    """
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
        disagreement=disagreement,
    )
    studies = column["StudyInstanceUID"].tolist()
    ids, study_labels = study_truth(truth, studies)
    slices = data.store.slices[data.rows[split.scored]]
    raised = study_baselines(baselines, slices, _study_prior(data, split))
    patient_of = dict(zip(studies, column["patient"].tolist(), strict=True))
    whole = LevelPredictions(
        level="study",
        split=split.name,
        findings=data.findings,
        ids=ids,
        studies=ids,
        patients=tuple(patient_of[study] for study in ids),
        rows=None,
        truth=study_labels,
        probability=study_maximum(probability, studies)[1],
        baselines=raised,
        disagreement=None
        if disagreement is None
        else at_study_maximum(disagreement, probability, studies),
    )
    return [images, whole]


def labeled_probabilities(
    data: LabeledSlices, places: Int64Array, probability: Float64Array
) -> tuple[LabeledProbabilities, ...]:
    """Put probabilities (n, F) of the slices at places (n,) beside their truth, by image and by
    study; none where there are no such slices."""
    if len(places) == 0:
        return ()
    truth, names = data.truth[places], finding_names(data.findings)
    studies = np.array(data.column("StudyInstanceUID"))[places].tolist()
    patients = np.array(data.column("patient"))[places].tolist()
    patient_of = dict(zip(studies, patients, strict=True))
    ids, study_labels = study_truth(truth, studies)
    return (
        LabeledProbabilities("image", names, truth, probability, tuple(patients)),
        LabeledProbabilities(
            "study",
            names,
            study_labels,
            study_maximum(probability, studies)[1],
            tuple(patient_of[study] for study in ids),
        ),
    )


def image_baselines(data: LabeledSlices, split: Split) -> dict[str, Float64Array]:
    """Compute probabilities (n, F) of the scored slices by the prior, the place in the series, the
    histogram of HU and, where it is at hand, the header, each fitted on train."""
    train, scored = (_features(data, part) for part in (split.train, split.scored))
    return predict_baselines(train, data.truth[split.train], scored)


def _features(data: LabeledSlices, places: Int64Array) -> BaselineFeatures:
    rows = data.rows[places]
    return BaselineFeatures(
        place=share_below(data.store.slices[rows]),
        histogram=np.stack([data.histogram(data.store.read_hu([int(row)])[0]) for row in rows]),
        header=None if data.header is None else data.header.of(places),
    )


def share_below(slices: pl.DataFrame) -> Float64Array:
    """Compute the place (n,) of slices, rows of a store's table, in their series: 0 lowest to 1
    highest."""
    z, count = (slices[name].to_numpy().astype(np.float64) for name in ("z", "n_slices"))
    place: Float64Array = z / np.maximum(count - 1, 1)
    return place


def study_baselines(
    images: Mapping[str, Float64Array], slices: pl.DataFrame, prior: Float64Array
) -> dict[str, Float64Array]:
    """Raise baselines (n, F) of slices, rows of a store's table, to their studies, (E, F): smoothed
    along the series, the largest; the prior, (F,), is that of studies."""
    studies = slices["StudyInstanceUID"].to_list()
    raised = {
        name: study_maximum(smooth_slices(values, slices), studies)[1]
        for name, values in images.items()
    }
    return raised | {"prior": np.tile(prior, (len(set(studies)), 1))}


def _study_prior(data: LabeledSlices, split: Split) -> Float64Array:
    studies = np.array(data.column("StudyInstanceUID"))[split.train]
    return known_prior(study_truth(data.truth[split.train], studies.tolist())[1])


def obeying_levels(
    levels: Sequence[LevelPredictions],
    obey: Callable[[str, Float64Array], Float64Array] | None,
) -> list[LevelPredictions]:
    """Make predictions of images and of studies obey the task's rules, where it has any."""
    if obey is None:
        return list(levels)
    return [replace(one, probability=obey(one.level, one.probability)) for one in levels]
