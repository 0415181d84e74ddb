"""prediction/read.py: a store and an ensemble in, a Reading for every study out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.archive.rejects import Reject
from wetread.evaluation.aggregate import study_maximum
from wetread.prediction.reading import Reading, SliceReading, unread_reading
from wetread.store.store import Store
from wetread.study.issues import Issue
from wetread.study.series_choice import SeriesScore


@dataclass(frozen=True, eq=False)
class StudyAnswers:
    """What was said of studies as wholes, not raised from their slices.

    probability: study to (S,) of the findings.
    broken:      study to the rules that its answers broke before they were made consistent.
    """

    findings: tuple[str, ...]
    probability: Mapping[str, NDArray[np.float64]]
    broken: Mapping[str, tuple[str, ...]]


KEY_SLICES = 5  # how many slices speak for a study


def read_studies(
    store: Store,
    probability: NDArray[np.float64],
    findings: Sequence[str],
    speaking: int,
    rejects: Mapping[str, Sequence[Reject]],
    issues: Mapping[str, Sequence[Issue]],
    provenance: Mapping[str, Any],
    ranked: Mapping[str, Sequence[SeriesScore]] = MappingProxyType({}),
    masks: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType({}),
    answers: StudyAnswers | None = None,
) -> list[Reading]:
    """Readings in the order of the store's studies; then studies of which nothing could be read.

    A study with several series is judged by its best; the slices of all keep their numbers.

    probability: (N, F) of the findings of slices; speaking: the column whose slices speak.
    rejects: study to its files that could not be read.
    issues:  study to what is unusual in its geometry.
    ranked:  study to its series, best first; a study that is not in it is judged by all it has.
    masks:   study to what was drawn in its images, as plain values.
    answers: of studies read as wholes; None: a study is as suspicious as its worst slice.
    """
    slices = store.slices.with_row_index("at")
    judging = _judging(slices, ranked)
    if answers is None:
        studies, of_study = study_maximum(
            probability[judging["at"].to_numpy()], judging["StudyInstanceUID"].to_list()
        )
        told = dict(zip(studies, of_study, strict=True))
        answers = StudyAnswers(tuple(findings), told, {})
    names, slices_of, best = answers.findings, _by_study(slices), _by_study(judging)
    read = [
        Reading(
            study_uid=study,
            series_uid=best[study]["SeriesInstanceUID"][0],
            slices=tuple(_slice(row, probability, findings) for row in slices_of[study].to_dicts()),
            study=_named(names, told_of),
            key_slices=_key_slices(best[study], probability[:, speaking]),
            provenance=provenance,
            issues=tuple(issues.get(study, ())),
            rejects=tuple(rejects.get(study, ())),
            findings=names,
            series=tuple(ranked.get(study, ())),
            masks=tuple(masks.get(study, ())),
            broken=answers.broken.get(study, ()),
        )
        for study, told_of in answers.probability.items()
    ]
    left = [
        unread_study(study, files, names, provenance)
        for study, files in rejects.items()
        if study not in slices_of
    ]
    return read + left


def unread_study(
    study: str, rejects: Sequence[Reject], findings: Sequence[str], provenance: Mapping[str, Any]
) -> Reading:
    """The reading of a study of which nothing was read, for the reason of most of its files."""
    reason, _ = Counter(one.reason for one in rejects).most_common(1)[0]
    detail = next(one.detail for one in rejects if one.reason == reason)
    return unread_reading(study, reason, detail, findings, provenance, rejects)


def _by_study(slices: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = slices.partition_by("StudyInstanceUID", as_dict=True, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}


def _judging(slices: pl.DataFrame, ranked: Mapping[str, Sequence[SeriesScore]]) -> pl.DataFrame:
    """The slices that speak for their study: of the best series of which any was read."""
    pairs = list(zip(slices["StudyInstanceUID"], slices["SeriesInstanceUID"], strict=True))
    there = set(pairs)
    best: dict[str, str] = {}
    for study, scores in ranked.items():
        read = [one.series_uid for one in scores if (study, one.series_uid) in there]
        if read:
            best[study] = read[0]
    speaks = [best.get(study, series) == series for study, series in pairs]
    return slices.filter(pl.Series(speaks, dtype=pl.Boolean))


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
