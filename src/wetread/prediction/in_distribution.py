"""prediction/in_distribution.py: whether a study is inside of that which its readers learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.prediction.placement import Placement
from wetread.store.store import Store
from wetread.study.traits import Traits
from wetread.training.bounds import Bounds, Reason
from wetread.training.networks import PooledNetwork
from wetread.training.study_features import pooled_features, sample_studies, study_scores


@dataclass(frozen=True, eq=False)
class RunBounds:
    """The bounds of a run, and the network whose features they compare."""

    bounds: Bounds
    network: PooledNetwork


def place_studies(
    runs: Sequence[RunBounds | None],
    store: Store,
    judging: pl.DataFrame,
    traits: Mapping[str, Sequence[Traits]],
) -> dict[str, Placement]:
    """Place the studies of a store: inside is what is inside for every run; where one run has no
    bounds, a study that no other finds outside is not known.

    judging: the slices that judge each study, with their row of the store as `row`. traits: of the
    series that do, by study.
    """
    sampled = sample_studies(judging)
    reasons: dict[str, list[Reason]] = {study: [] for study in sampled}
    rows = np.concatenate(list(sampled.values())) if sampled else np.empty(0, np.int64)
    known = [run for run in runs if run is not None]
    for run in known if sampled else ():
        features = pooled_features(run.network, store, rows)
        scores = study_scores(features, sampled, run.bounds.references)
        for study, found in reasons.items():
            for one in traits.get(study, ()):
                found += run.bounds.outside(one, {})
            found += run.bounds.outside(Traits(), scores[study])
    undecided = None if len(known) < len(runs) or not runs else True
    return {
        study: Placement(False, tuple(dict.fromkeys(found))) if found else Placement(undecided)
        for study, found in reasons.items()
    }
