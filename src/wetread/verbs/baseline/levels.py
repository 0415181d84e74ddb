"""verbs/baseline/levels.py: baselines fitted on labeled slices, and what they say of others, by
image and by study. The one place here that chooses between slices and whole series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.aggregate import study_truth
from wetread.evaluation.baselines import known_prior
from wetread.evaluation.fit_baselines import predict_baselines
from wetread.labels.finding import Finding
from wetread.labels.table import LabelTable
from wetread.training.predictions import LevelPredictions
from wetread.training.series.levels import SeriesFeatures, series_baselines, series_features
from wetread.training.series.parts import truth_of
from wetread.training.series.prepare import known_series, label_series
from wetread.training.series.series import Series, longest_series
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.levels import study_baselines
from wetread.training.slices.prepare import labeled_rows
from wetread.training.slices.spec import SliceSpec
from wetread.verbs.baseline.slices import BaselineSlices

Spec = SliceSpec | SeriesSpec


@dataclass(frozen=True, eq=False)
class LabeledBaselineSlices:
    """Slices with what is known of them and their studies.

    truth: (N, F) in the columns of the spec's findings, NaN unknown; by it patients are dealt.
    """

    slices: BaselineSlices
    labels: LabelTable
    truth: Float64Array

    def of(self, numbers: Int64Array) -> LabeledBaselineSlices:
        """Select slices by number (n,): all of their series, where series are read whole."""
        return replace(self, slices=self.slices.of(numbers), truth=self.truth[numbers])


def select_labeled(spec: Spec, slices: BaselineSlices, labels: LabelTable) -> LabeledBaselineSlices:
    """Keep the slices that have a label, or whose series has one where series are read whole.
    ValueError where none has."""
    match spec:
        case SliceSpec():
            truth = _image_truth(spec, slices, labels)
            rows = labeled_rows(np.asarray(~np.isnan(truth).all(axis=1)))
            return LabeledBaselineSlices(slices.of(rows), labels, truth[rows])
        case SeriesSpec():
            labeled_rows(np.ones(len(slices), bool))  # an archive without any is refused
            series = known_series(spec, label_series(spec, slices.slices, labels))
            return LabeledBaselineSlices(slices.of(series.rows), labels, truth_of(spec, series))


def known_shares(spec: Spec, labeled: LabeledBaselineSlices) -> tuple[Float64Array, Float64Array]:
    """Compute the shares of positives of images (I,) and of studies (S,), 0.5 where nothing is
    known."""
    match spec:
        case SliceSpec():
            studies = labeled.slices.slices["StudyInstanceUID"].to_list()
            image, study = labeled.truth, study_truth(labeled.truth, studies)[1]
        case SeriesSpec():
            series = label_series(spec, labeled.slices.slices, labeled.labels)
            image, study = series.image, series.study
    return known_prior(image), known_prior(study)


def predict_levels(
    spec: Spec,
    learned: LabeledBaselineSlices,
    asked: BaselineSlices,
    labels: LabelTable,
    split: str,
    *,
    as_counted: bool = False,
) -> list[LevelPredictions]:
    """Fit the baselines on the learned slices and predict those asked for, and their studies; both
    are whole series in the order of a store.

    labels: of the slices asked for, as far as they are known. as_counted: learn the truth, and
    weigh slices, as the spec's metric counts them, where it counts otherwise than all alike. The
    probability of a level is its prior.
    """
    match spec:
        case SliceSpec():
            return _of_slices(spec, learned, asked, labels, split)
        case SeriesSpec():
            return _of_series(spec, learned, asked, labels, split, as_counted=as_counted)


def _of_slices(
    spec: SliceSpec,
    learned: LabeledBaselineSlices,
    asked: BaselineSlices,
    labels: LabelTable,
    split: str,
) -> list[LevelPredictions]:
    images = predict_baselines(learned.slices.features, learned.truth, asked.features)
    _, prior = known_shares(spec, learned)
    truth, studies = _image_truth(spec, asked, labels), asked.slices["StudyInstanceUID"].to_list()
    ids, of_studies = study_truth(truth, studies)
    return _levels(
        spec, asked, split, ids, (truth, of_studies),
        (images, study_baselines(images, asked.slices, prior)),
    )  # fmt: skip


def _of_series(
    spec: SeriesSpec,
    learned: LabeledBaselineSlices,
    asked: BaselineSlices,
    labels: LabelTable,
    split: str,
    *,
    as_counted: bool,
) -> list[LevelPredictions]:
    fitted = label_series(spec, learned.slices.slices, learned.labels)
    whole, weights = label_series(spec, asked.slices, labels), None
    if as_counted and spec.counted_truth is not None:
        study, weights = spec.counted_truth(fitted.image, fitted.study, fitted.starts)
        fitted = fitted.with_study(study)
    images, series = series_baselines(
        fitted, _series_features(fitted, learned.slices), _series_features(whole, asked), weights
    )
    longest = longest_series(whole)
    ids = tuple(whole.studies[e] for e in longest)
    studies = {name: values[longest] for name, values in series.items()}
    return _levels(spec, asked, split, ids, (whole.image, whole.study[longest]), (images, studies))


def _series_features(series: Series, slices: BaselineSlices) -> SeriesFeatures:
    return series_features(series, slices.histogram, slices.header)


def _image_truth(spec: Spec, slices: BaselineSlices, labels: LabelTable) -> Float64Array:
    ids = slices.slices["SOPInstanceUID"].to_list()
    return labels.matrix_float64(ids, spec.image_findings)


def _levels(
    spec: Spec,
    asked: BaselineSlices,
    split: str,
    study_ids: Sequence[str],
    truth: tuple[Float64Array, Float64Array],
    baselines: tuple[Mapping[str, Float64Array], Mapping[str, Float64Array]],
) -> list[LevelPredictions]:
    """Put truth and baselines of images and of studies into the form of predictions."""
    studies = tuple(asked.slices["StudyInstanceUID"])
    patients = tuple(asked.slices["patient"])
    patient_of = dict(zip(studies, patients, strict=True))
    images = LevelPredictions(
        level="image",
        split=split,
        findings=_at(spec.image_findings, "image"),
        ids=tuple(asked.slices["SOPInstanceUID"]),
        studies=studies,
        patients=patients,
        rows=None,
        truth=truth[0],
        probability=baselines[0]["prior"],
        baselines=baselines[0],
    )
    return [
        images,
        LevelPredictions(
            level="study",
            split=split,
            findings=_at(spec.study_findings, "study"),
            ids=tuple(study_ids),
            studies=tuple(study_ids),
            patients=tuple(patient_of[study] for study in study_ids),
            rows=None,
            truth=truth[1],
            probability=baselines[1]["prior"],
            baselines=baselines[1],
        ),
    ]


def _at(findings: Sequence[Finding], level: Literal["image", "study"]) -> tuple[Finding, ...]:
    return tuple(replace(finding, level=level) for finding in findings)


def join_levels(folds: Sequence[Sequence[LevelPredictions]]) -> list[LevelPredictions]:
    """Join the levels of all folds, one fold after the other."""
    joined = []
    for parts in zip(*folds, strict=True):
        first = parts[0]
        joined.append(
            replace(
                first,
                ids=tuple(one for part in parts for one in part.ids),
                studies=tuple(one for part in parts for one in part.studies),
                patients=tuple(one for part in parts for one in part.patients),
                truth=np.concatenate([part.truth for part in parts]),
                probability=np.concatenate([part.probability for part in parts]),
                baselines={
                    name: np.concatenate([part.baselines[name] for part in parts])
                    for name in first.baselines
                },
            )
        )
    return joined
