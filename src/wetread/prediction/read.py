"""prediction/read.py: a store and an ensemble in, a Reading for every study out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.archive.rejects import Reject
from wetread.evaluation.aggregate import smooth_along_z, study_maximum
from wetread.prediction.ensemble import Ensemble
from wetread.prediction.reading import Reading, SliceReading
from wetread.store.store import Store
from wetread.study.issues import Issue
from wetread.training.predict import predict_probabilities

KEY_SLICES = 5  # how many slices speak for a study
Progress = Callable[[int, int], None]


def read_probabilities(
    store: Store, ensemble: Ensemble, mirror: Sequence[int], progress: Progress
) -> NDArray[np.float64]:
    """(N, F) for every row of the store: the mean of the members' probabilities, in which
    neighbours in a series speak for each other."""
    rows = np.arange(len(store))
    total = np.zeros((len(store), len(ensemble.findings)))
    for done, member in enumerate(ensemble.members):
        progress(done, len(ensemble.members))
        trained = member.trained
        total += predict_probabilities(
            trained.model, store, rows, trained.view, trained.recipe, trained.negative_rate, mirror
        )
    progress(len(ensemble.members), len(ensemble.members))
    return smooth_along_z(
        total / len(ensemble.members),
        store.slices["SeriesInstanceUID"].to_list(),
        np.array(store.slices["position_mm"].to_list(), dtype=np.float64),
    )


def read_studies(
    store: Store,
    probability: NDArray[np.float64],
    findings: Sequence[str],
    headline: str,
    rejects: Mapping[str, Sequence[Reject]],
    issues: Mapping[str, Sequence[Issue]],
    provenance: Mapping[str, Any],
) -> list[Reading]:
    """Readings in the order of the store's studies; then studies of which nothing could be read.

    rejects: study to its files that could not be read.
    issues:  study to what is unusual in its geometry.
    """
    slices = store.slices.with_row_index("at")
    studies, of_study = study_maximum(probability, slices["StudyInstanceUID"].to_list())
    column = list(findings).index(headline)
    slices_of = {
        str(key[0]): part
        for key, part in slices.partition_by(
            "StudyInstanceUID", as_dict=True, maintain_order=True
        ).items()
    }
    read = [
        Reading(
            study_uid=study,
            series_uid=slices_of[study]["SeriesInstanceUID"][0],
            slices=tuple(_slice(row, probability, findings) for row in slices_of[study].to_dicts()),
            study=_named(findings, of_study[place]),
            key_slices=_key_slices(slices_of[study], probability[:, column]),
            provenance=provenance,
            issues=tuple(issues.get(study, ())),
            rejects=tuple(rejects.get(study, ())),
            findings=tuple(findings),
        )
        for place, study in enumerate(studies)
    ]
    unread = [
        Reading(study, "", (), {}, (), provenance, (), tuple(files), None, tuple(findings))
        for study, files in rejects.items()
        if study not in slices_of
    ]
    return read + unread


def _slice(
    row: Mapping[str, Any], probability: NDArray[np.float64], findings: Sequence[str]
) -> SliceReading:
    return SliceReading(
        sop_instance_uid=row["SOPInstanceUID"],
        z=row["z"],
        position_mm=row["position_mm"],
        probabilities=_named(findings, probability[row["at"]]),
    )


def _key_slices(own: pl.DataFrame, headline: NDArray[np.float64]) -> tuple[str, ...]:
    """The slices with the highest probability of the headline, best first."""
    best = np.argsort(-headline[own["at"].to_numpy()], kind="stable")[:KEY_SLICES]
    uids: list[str] = own["SOPInstanceUID"].gather(best).to_list()
    return tuple(uids)


def _named(findings: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(findings, values, strict=True)}
