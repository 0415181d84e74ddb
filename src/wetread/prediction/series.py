"""prediction/series.py: the reader of tasks whose studies are judged from whole series."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from wetread.archive.types import Float64Array, Int64Array, JsonObject, Progress
from wetread.labels.finding import finding_names
from wetread.prediction.answers import Answers
from wetread.prediction.members import Ensemble
from wetread.prediction.volumes import CropMaps, draw_volumes, mean_volume_thresholds
from wetread.store.store import Store
from wetread.study.series_choice import SeriesScore
from wetread.training.data import mirror_columns
from wetread.training.networks import SeriesNetworks, SliceNetwork
from wetread.training.series.embed_series import embed_series, slice_probabilities
from wetread.training.series.heads import SeriesLogits
from wetread.training.series.inputs import mean_logits
from wetread.training.series.pooling import pool_series
from wetread.training.series.series import Series, longest_series, study_starts, unlabeled_series
from wetread.training.series.slice_features import cache_features, cache_features_and_maps
from wetread.training.series.spec import SeriesSpec

DECIDED = "decided by thresholds chosen on phantoms that no network learned from"
UNDECIDED = (
    "none: no thresholds are known for what the networks draw, as a run has no drawings.json; "
    "train it again, with 20 phantoms or more to learn first"
)


@dataclass(frozen=True, eq=False)
class SeriesReader:
    """Networks of whole series over the features of their encoders.

    spec:  has the findings, and makes the answers of a study agree.
    cache: the folder that keeps the encoders' features by content: a slice is read once for all
           networks that look at the same crop.
    """

    ensemble: Ensemble
    spec: SeriesSpec
    cache: Path

    @property
    def averaging(self) -> JsonObject:
        """How probabilities were averaged, for a reading's provenance."""
        models = self.ensemble.series_models
        averaging: JsonObject = {"flip_averaged": all(one.recipe.series.mirror for one in models)}
        if any(encoder.mask_findings for one in models for encoder in one.encoders):
            averaging["masks"] = DECIDED if self.ensemble.drawings else UNDECIDED
        return averaging

    def read(
        self,
        stores: Sequence[Store],
        *,
        ranked: Mapping[str, Sequence[SeriesScore]],
        progress: Progress,
    ) -> Answers:
        """Answer with the networks' mean logits as probabilities, scaled as they were calibrated
        and made consistent study by study: of all its slices, and of itself those of the series
        that judges it, or what the spec's pool makes of all its series.

        stores: the same series in each encoder's crop, in the spec's order.
        ranked: studies of several series, best first.
        """
        series = unlabeled_series(
            stores[0].slices, len(self.spec.image_findings), len(self.spec.study_findings)
        )
        crops = self.draw(stores, series.rows, progress) if self.ensemble.drawings else ()
        image, study = self._predict(series, stores, progress)
        scalings = self.ensemble.scalings
        image = scalings.apply("image", finding_names(self.spec.image_findings), image)
        study = scalings.apply("study", finding_names(self.spec.study_findings), study)
        judging = _judging_series(series, stores[0], ranked)
        starts = study_starts(series)
        study = pool_series(series, study, judging, self.spec.pool)
        free_image, free_study = image, study
        broken = self.spec.broken_rules(image, study, starts)
        image, study = self.spec.make_consistent(image, study, starts)
        ids = [series.studies[number] for number in judging]
        thresholds = mean_volume_thresholds(self.ensemble.drawings)
        judges = [series.slices_of(np.array([number])) for number in judging]
        return Answers(
            image,
            dict(zip(ids, study, strict=True)),
            dict(zip(ids, broken, strict=True)),
            free=(free_image, dict(zip(ids, free_study, strict=True))),
            volumes={
                name: draw_volumes(crops, series.rows[places], thresholds)
                for name, places in zip(ids, judges, strict=True)
            }
            if crops
            else {},
        )

    def draw(
        self, stores: Sequence[Store], rows: Int64Array, progress: Progress
    ) -> tuple[CropMaps, ...]:
        """Draw, with all encoders of each crop, in rows (N,) of its store; the encoders' features
        are computed on the way and kept. () where an encoder draws nothing."""
        models = self.ensemble.series_models
        if len(rows) == 0 or any(one.recipe.series.features != "drawn" for one in models):
            return ()
        found = []
        for number, store in enumerate(stores):
            progress(number, len(stores))
            groups: dict[tuple[Hashable, bool], list[SliceNetwork]] = {}
            for model in models:
                encoder = model.encoders[number]
                key = (encoder.batch_key, model.recipe.series.mirror)
                groups.setdefault(key, []).append(encoder)
            each = [
                cache_features_and_maps(group, store, rows, self.cache, mirror=key[-1])
                for key, group in groups.items()
            ]
            of_rows = dict(zip(rows.tolist(), zip(*each, strict=True), strict=True))
            maps = [of_rows.get(row, ()) for row in range(len(store))]
            found.append(CropMaps(store, models[0].encoders[number].mask_findings, maps))
        return tuple(found)

    def _predict(
        self, series: Series, stores: Sequence[Store], progress: Progress
    ) -> tuple[Float64Array, Float64Array]:
        """Predict probabilities of N slices (N, I) and of E series (E, S), not yet consistent."""
        if len(series) == 0:
            return np.empty(series.image.shape), np.empty(series.study.shape)
        self._cache_features(stores, series.rows, progress)
        flip_index, logits = mirror_columns(self.spec.study_findings), []
        for model in self.ensemble.series_models:
            inputs = embed_series(series, model.encoders, stores, model.recipe, self.cache)
            network = mean_logits(model.sequence_logits, inputs, flip_index)
            logits.append(self._blended(model, network, series, stores))
        weights = self.ensemble.member_weights
        image, study = (
            expit(np.average(level, axis=0, weights=weights)) for level in zip(*logits, strict=True)
        )
        return image, study

    def _blended(
        self, model: SeriesNetworks, network: SeriesLogits, series: Series, stores: Sequence[Store]
    ) -> SeriesLogits:
        """Blend the network's logits with those of the model's other heads, where it has any."""
        if model.blend is None:
            return network
        flip_index = mirror_columns(self.spec.encoders[0].findings)
        encoder = model.encoders[0]
        slices = slice_probabilities(
            series,
            encoder,
            stores[0],
            flip_index=flip_index,
            recipe=model.recipe,
            folder=self.cache,
        )
        return model.blend.blend(network, slices, series)

    def _cache_features(
        self, stores: Sequence[Store], rows: Int64Array, progress: Progress
    ) -> None:
        """Write the features of all encoders into the cache, crop by crop, so that each slice is
        read once a crop; the models of several runs may want features of several kinds."""
        kinds: dict[tuple[str, bool], list[SeriesNetworks]] = {}
        for model in self.ensemble.series_models:
            features = model.recipe.series.features, model.recipe.series.mirror
            kinds.setdefault(features, []).append(model)
        steps = [(kind, crop) for kind in kinds for crop in range(len(stores))]
        for done, (kind, crop) in enumerate(steps):
            progress(done, len(steps))
            encoders = [model.encoders[crop] for model in kinds[kind]]
            name, mirror = kind
            cache_features(encoders, stores[crop], rows, self.cache, name, mirror=mirror)
        progress(len(steps), len(steps))


def _judging_series(
    series: Series, store: Store, ranked: Mapping[str, Sequence[SeriesScore]]
) -> Int64Array:
    """Choose the series that judges each study, as its number among the E, in the studies' order:
    the best ranked that was read, else the longest; of a series with several acquisitions the
    longest of these."""
    uids = store.slices["SeriesInstanceUID"].gather(series.starts[:-1]).to_list()
    pairs = list(zip(series.studies, uids, strict=True))
    lengths = np.diff(series.starts)
    number = {pairs[e]: e for e in np.argsort(lengths, kind="stable").tolist()}
    judging = longest_series(series)
    for place, longest in enumerate(judging):
        study = series.studies[longest]
        candidates = [(study, one.series_uid) for one in ranked.get(study, ())]
        read = [number[pair] for pair in candidates if pair in number]
        if read:
            judging[place] = read[0]
    return judging
