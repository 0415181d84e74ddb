"""verbs/predict/study_answers.py: series read as wholes in, one consistent answer a study out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.archive.containers.sources import TAR_SUFFIXES, ZIP_SUFFIXES
from wetread.labels.finding import finding_names
from wetread.prediction.ensemble import Ensemble
from wetread.prediction.read import StudyAnswers
from wetread.prediction.series import read_series
from wetread.store.store import Store
from wetread.study.series_choice import SeriesScore
from wetread.tasks.embolism.exams import refuse_placeholders
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
        stores, readers, mirror_columns(of.study), features, progress
    )
    speaks = _speaking(series, stores[0], ranked)
    starts = study_starts(series)
    broken = of.check(image, study[speaks], starts)
    image, study = of.settle(image, study[speaks], starts)
    ids = [series.studies[e] for e in speaks]
    told = StudyAnswers(
        findings=finding_names(of.study),
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


def refuse_nameless(images: pl.DataFrame) -> None:
    """ValueError where images belong to no series or study, LabelError where two may share a
    placeholder for a name: whole series are read, and these would be put together wrongly.

    images: rows of an index.
    """
    for uid in ("StudyInstanceUID", "SeriesInstanceUID"):
        nameless = images.filter(pl.col(uid).is_null())
        if nameless.height:
            raise ValueError(
                f"{nameless['path'][0]}: no {uid} ({nameless.height} such images); whole series "
                "are read here. Restore it, or leave these files out"
            )
    refuse_placeholders(exams_of_archive(images))


EXAM_COLUMNS = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "path"]


def exams_of_archive(images: pl.DataFrame) -> pl.DataFrame:
    """Which image is of which series and study, and where it lies; images: EXAM_COLUMNS."""
    return images.select(
        image="SOPInstanceUID",
        series="SeriesInstanceUID",
        study="StudyInstanceUID",
        source=pl.col("path").map_elements(_folder_of, pl.String()),
    )


def _folder_of(path: str) -> str:
    """The archive a file of it lies in, or the folder of a file on its own."""
    file = Path(path)
    return path if file.suffix.lower() in (*ZIP_SUFFIXES, *TAR_SUFFIXES) else str(file.parent)
