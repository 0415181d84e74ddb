"""prediction/studies.py: a store and a reader's answers in, a Reading for every study out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from wetread.archive.rejects import Reject
from wetread.archive.types import Float64Array, JsonObject, Row
from wetread.prediction.answers import Answers
from wetread.prediction.reading import Reading, SliceReading, unread_reading
from wetread.store.store import Store
from wetread.study.issue import Issue
from wetread.study.series_choice import SeriesScore

KEY_SLICES = 5  # how many slices speak for a study


@dataclass(frozen=True)
class FindingNames:
    """The columns of answers, by name.

    image: of slices; study: of studies.
    key:   the column of image that orders a study's key slices.
    """

    image: tuple[str, ...]
    study: tuple[str, ...]
    key: int


@dataclass(frozen=True, eq=False)
class StudyContext:
    """Facts of studies besides the answers, by StudyInstanceUID.

    rejects: files that could not be read.
    issues:  what is unusual in headers and pixels.
    ranked:  of studies with several series these, best first; a study that is not in it is judged
             by all that it has.
    masks:   what was drawn in its images, as plain values.
    """

    rejects: Mapping[str, Sequence[Reject]] = field(default_factory=dict)
    issues: Mapping[str, Sequence[Issue]] = field(default_factory=dict)
    ranked: Mapping[str, Sequence[SeriesScore]] = field(default_factory=dict)
    masks: Mapping[str, Sequence[JsonObject]] = field(default_factory=dict)


def make_readings(
    store: Store,
    answers: Answers,
    names: FindingNames,
    context: StudyContext,
    provenance: JsonObject,
) -> list[Reading]:
    """Make a reading of each study in the answers' order; then of each study of which no file could
    be read. Key slices are of the best series of which any slice was read; the slices of all series
    keep their probabilities.
    """
    slices = _by_study(store.slices.with_row_index("row"))
    judging = _by_study(judging_slices(store, context.ranked))
    headline = answers.image[:, names.key]
    read = [
        Reading(
            study_uid=study,
            series_uid=judging[study]["SeriesInstanceUID"][0],
            slices=tuple(
                _slice_reading(row, answers.image[row["row"]], names.image)
                for row in slices[study].to_dicts()
            ),
            study=_named(names.study, probability),
            key_slices=_key_slices(judging[study], headline),
            provenance=provenance,
            issues=tuple(context.issues.get(study, ())),
            rejects=tuple(context.rejects.get(study, ())),
            findings=names.study,
            series=tuple(context.ranked.get(study, ())),
            masks=tuple(context.masks.get(study, ())),
            broken=answers.broken.get(study, ()),
            disagreement={}
            if answers.study_disagreement is None
            else _named(names.study, answers.study_disagreement[study]),
        )
        for study, probability in answers.study.items()
    ]
    unread = [
        _unread_study(study, files, names.study, provenance)
        for study, files in context.rejects.items()
        if study not in slices
    ]
    return read + unread


def judging_slices(store: Store, ranked: Mapping[str, Sequence[SeriesScore]]) -> pl.DataFrame:
    """Select the rows of a store's table, with their number as `row`, of the series that judges
    each study: the best ranked of which any slice was read, or all where none is ranked."""
    slices = store.slices.with_row_index("row")
    pairs = list(zip(slices["StudyInstanceUID"], slices["SeriesInstanceUID"], strict=True))
    known = set(pairs)
    best: dict[str, str] = {}
    for study, scores in ranked.items():
        read = [one.series_uid for one in scores if (study, one.series_uid) in known]
        if read:
            best[study] = read[0]
    judges = [best.get(study, series) == series for study, series in pairs]
    return slices.filter(pl.Series(judges, dtype=pl.Boolean))


def _unread_study(
    study: str, rejects: Sequence[Reject], findings: Sequence[str], provenance: JsonObject
) -> Reading:
    """Make the reading of a study of which nothing was read, with the reason that most of its files
    have."""
    reason, _ = Counter(one.reason for one in rejects).most_common(1)[0]
    detail = next(one.detail for one in rejects if one.reason == reason)
    return unread_reading(study, reason, detail, findings, provenance, rejects)


def _by_study(slices: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = slices.partition_by("StudyInstanceUID", as_dict=True, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}


def _slice_reading(row: Row, probability: Float64Array, names: Sequence[str]) -> SliceReading:
    return SliceReading(
        sop_instance_uid=row["SOPInstanceUID"],
        z=row["z"],
        position_mm=row["position_mm"],
        probabilities=_named(names, probability),
    )


def _key_slices(judging: pl.DataFrame, headline: Float64Array) -> tuple[str, ...]:
    """The slices with the highest probability of the headline, best first."""
    best = np.argsort(-headline[judging["row"].to_numpy()], kind="stable")[:KEY_SLICES]
    uids: list[str] = judging["SOPInstanceUID"].gather(best).to_list()
    return tuple(uids)


def _named(names: Sequence[str], values: Float64Array) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}
