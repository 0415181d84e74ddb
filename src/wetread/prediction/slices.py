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
from wetread.prediction.ensemble import Ensemble
from wetread.prediction.masks import DrawnMasks, PackedMaps, mean_map, mean_thresholds
from wetread.prediction.studies import judging_slices
from wetread.store.store import Store, acquisition_keys
from wetread.study.series_choice import SeriesScore
from wetread.training.data import mirror_columns
from wetread.training.mask_table import pack_map
from wetread.training.slices.predict import predict_with_masks, to_probabilities
from wetread.training.slices.region import Regions, limit_masks
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
        probability, maps, apart = self._predict(store, progress)
        if maps:
            probability = _calibrated(probability, maps, self.ensemble)
        series = acquisition_keys(store.slices).to_list()
        position = np.array(store.slices["position_mm"].to_list(), dtype=np.float64)
        image = smooth_along_z(probability, series, position)
        judging = judging_slices(store, ranked)
        ids, study = study_maximum(
            image[judging["row"].to_numpy()], judging["StudyInstanceUID"].to_list()
        )
        judging_rows = judging["row"].to_numpy()
        study_apart = at_study_maximum(
            apart[judging_rows], image[judging_rows], judging["StudyInstanceUID"].to_list()
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
            DrawnMasks(drawn, thresholds, maps),
            free=free,
            study_disagreement=dict(zip(ids, study_apart, strict=True)),
        )

    def _predict(
        self, store: Store, progress: Progress
    ) -> tuple[Float64Array, tuple[PackedMaps, ...], Float64Array]:
        """Predict the networks' mean probabilities (N, F), the maps of each of the N slices, and
        the standard deviation (N, F) of the logits of networks and views."""
        members, flip_index = (
            self.ensemble.members,
            mirror_columns(self.spec.image_findings).tolist(),
        )
        total = np.zeros((len(store), len(self.spec.image_findings)))
        every = np.arange(len(store))
        each, within = [], np.zeros_like(total)  # logits of each network; variances of its views
        maps: list[list[tuple[bytes, ...]]] = [[] for _ in range(len(store))]
        weights = self.ensemble.member_weights
        regions = None if self.spec.inside is None else Regions(store, self.spec.inside)
        for done, member in enumerate(members):
            progress(done, len(members))
            model, logits, rows = member.model, [], iter(maps)
            apart = [np.empty((0, total.shape[1]))]
            batches = predict_with_masks(
                model.model, store, every, model.view, model.recipe, flip_index
            )
            for batch, drawn, spread in limit_masks(batches, every, regions):
                logits.append(batch)
                apart.append(spread)
                for masks in () if drawn is None else drawn:
                    next(rows).append(tuple(map(pack_map, masks)))
            probability = to_probabilities(model.model, logits, model.negative_rate)
            total += weights[done] * probability
            each.append(logit(np.clip(probability, CLIP, 1 - CLIP)))
            within += weights[done] * np.concatenate(apart) ** 2
        progress(len(members), len(members))
        mean = np.average(each, axis=0, weights=weights)
        between = np.average((np.stack(each) - mean) ** 2, axis=0, weights=weights)
        spread = np.sqrt(within / len(members) + between)
        drawn_maps = tuple(map(tuple, maps)) if self.ensemble.drawn else ()
        return total / len(members), drawn_maps, spread


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
