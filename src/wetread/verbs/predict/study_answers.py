"""verbs/predict/study_answers.py: series read as wholes in, one consistent answer a study out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wetread.labels.finding import finding_names
from wetread.prediction.ensemble import Ensemble
from wetread.prediction.read import StudyAnswers
from wetread.prediction.series import read_series
from wetread.store.store import Store
from wetread.study.series_choice import SeriesScore
from wetread.training.data import Rows, mirror_columns
from wetread.training.series.series import Series, longest_series, study_starts
from wetread.training.series.spec import SeriesSpec


def answer_studies(
    of: SeriesSpec,
    stores: Sequence[Store],
    ensemble: Ensemble,
    ranked: Mapping[str, Sequence[SeriesScore]],
    features: Path,
    progress: Callable[[int, int], None],
) -> tuple[NDArray[np.float64], StudyAnswers]:
    """Probabilities of the slices (N, I), by row of the stores, and of their studies.

    ranked: studies of several series: these, best first; the best that was read speaks, and where
    none is named the longest. All slices of a study and its own answers are settled together.
    """
    readers = [member.series for member in ensemble.members if member.series is not None]
    series, image, study = read_series(
        stores, readers, mirror_columns(of.study_findings), features, progress
    )
    speaks = _speaking(series, stores[0], ranked)
    starts = study_starts(series)
    broken = of.broken_rules(image, study[speaks], starts)
    image, study = of.make_consistent(image, study[speaks], starts)
    ids = [series.studies[e] for e in speaks]
    told = StudyAnswers(
        findings=finding_names(of.study_findings),
        probability=dict(zip(ids, study, strict=True)),
        broken=dict(zip(ids, broken, strict=True)),
    )
    return image, told


def _speaking(series: Series, store: Store, ranked: Mapping[str, Sequence[SeriesScore]]) -> Rows:
    """The series that speaks for each study, in the studies' order."""
    names = store.slices["SeriesInstanceUID"].gather(series.starts[:-1]).to_list()
    pairs = list(zip(series.studies, names, strict=True))
    lengths = np.diff(series.starts)  # of the acquisitions of one series the longest speaks
    place = {pairs[e]: e for e in np.argsort(lengths, kind="stable").tolist()}
    speaks = longest_series(series)
    for number, e in enumerate(speaks):
        study = series.studies[e]
        there = [(study, one.series_uid) for one in ranked.get(study, ())]
        best = [place[pair] for pair in there if pair in place]
        if best:
            speaks[number] = best[0]
    return speaks
