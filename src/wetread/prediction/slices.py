"""prediction/slices.py: the reader of tasks whose findings are of slices; a study has its worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from wetread.archive.types import Float64Array, JsonObject, Progress
from wetread.evaluation.aggregate import at_study_maximum, smooth_along_z, study_maximum
from wetread.evaluation.calibrator import mask_evidence
from wetread.evaluation.metrics import CLIP
from wetread.labels.finding import finding_names
from wetread.prediction.answers import Answers
from wetread.prediction.masks import DrawnMasks, mean_thresholds
from wetread.prediction.members import Ensemble
from wetread.prediction.studies import judging_slices
from wetread.store.store import Store, acquisition_keys
from wetread.study.series_choice import SeriesScore
from wetread.training.data import mirror_columns
from wetread.training.mask_table import PackedMaps, mean_map
from wetread.training.slices.ensemble_mean import read_mean
from wetread.training.slices.region import Regions
from wetread.training.slices.spec import SliceSpec


@dataclass(frozen=True, eq=False)
class SliceReader:
    """Networks of slices, each given a slice and its mirror image.

    spec: has the findings of slices, in the columns of the networks' logits.
    """

    ensemble: Ensemble
    spec: SliceSpec

    @property
    def averaging(self) -> JsonObject:
        """How probabilities were averaged, for a reading's provenance."""
        return {"flip_averaged": True, "slices_smoothed": "1-2-1 along the series"}

    def read(
        self,
        stores: Sequence[Store],
        *,
        ranked: Mapping[str, Sequence[SeriesScore]],
        progress: Progress,
    ) -> Answers:
        """Answer with the mean of the networks, smoothed along each series; a study is as
        suspicious as the most suspicious slice of its best series. Both are then scaled, each as
        its level was calibrated.

        stores: one, of the task's crop. ranked: studies of several series, best first.
        """
        (store,) = stores
        read = read_mean(
            [member.model for member in self.ensemble.members],
            store,
            np.arange(len(store)),
            mirror_columns(self.spec.image_findings).tolist(),
            regions=None if self.spec.inside is None else Regions(store, self.spec.inside),
            weights=self.ensemble.member_weights,
            progress=progress,
        )
        probability = read.probability
        if read.maps:
            probability = _calibrated(probability, read.maps, self.ensemble)
        series = acquisition_keys(store.slices).to_list()
        position = np.array(store.slices["position_mm"].to_list(), dtype=np.float64)
        image = smooth_along_z(probability, series, position)
        judging = judging_slices(store, ranked)
        ids, study = study_maximum(
            image[judging["row"].to_numpy()], judging["StudyInstanceUID"].to_list()
        )
        judging_rows = judging["row"].to_numpy()
        study_apart = at_study_maximum(
            read.disagreement[judging_rows],
            image[judging_rows],
            judging["StudyInstanceUID"].to_list(),
        )
        names, scalings = finding_names(self.spec.image_findings), self.ensemble.scalings
        image = scalings.apply("image", names, image)
        study = scalings.apply("study", names, study)
        drawn = self.ensemble.drawn
        thresholds = tuple(mean_thresholds(self.ensemble.decisions[name]) for name in drawn)
        free = None
        if self.spec.obey is not None:
            free = (image, dict(zip(ids, study, strict=True)))
            image, study = self.spec.obey("image", image), self.spec.obey("study", study)
        return Answers(
            image,
            dict(zip(ids, study, strict=True)),
            {},
            DrawnMasks(drawn, thresholds, read.maps),
            free=free,
            study_disagreement=dict(zip(ids, study_apart, strict=True)),
        )


def _calibrated(
    probability: Float64Array, maps: Sequence[PackedMaps], ensemble: Ensemble
) -> Float64Array:
    """Calibrate the probabilities (N, F) of drawn findings by the weighted mean of the runs'
    calibrators, which weigh the image's logit and the evidence of its map."""
    calibrated = probability.copy()
    for column, finding in enumerate(ensemble.drawn):
        if finding not in ensemble.findings:
            continue
        at = ensemble.findings.index(finding)
        head = logit(np.clip(probability[:, at], CLIP, 1 - CLIP))
        evidence = np.array([mask_evidence(mean_map(drawn, column)) for drawn in maps])
        each = [one.calibrator.apply(head, evidence) for one in ensemble.decisions[finding]]
        calibrated[:, at] = np.average(each, axis=0, weights=ensemble.weights_of_runs)
    return calibrated
