"""prediction/readers.py: an ensemble becomes what reads its stores; the one place that chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from wetread.archive.types import JsonObject, Progress
from wetread.prediction.answers import Answers
from wetread.prediction.members import Ensemble
from wetread.prediction.series import SeriesReader
from wetread.prediction.slices import SliceReader
from wetread.store.store import Store
from wetread.study.series_choice import SeriesScore
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.spec import SliceSpec


class Reader(Protocol):
    """The networks of an ensemble, ready to read packed studies."""

    @property
    def ensemble(self) -> Ensemble:
        """The networks and the runs they are of."""

    @property
    def averaging(self) -> JsonObject:
        """How probabilities were averaged, for a reading's provenance."""

    def read(
        self,
        stores: Sequence[Store],
        *,
        ranked: Mapping[str, Sequence[SeriesScore]],
        progress: Progress,
    ) -> Answers:
        """Answer about every slice and study of stores that hold the same series, a crop each.

        ranked: studies of several series, best first.
        """


def make_reader(ensemble: Ensemble, spec: SliceSpec | SeriesSpec, cache: Path) -> Reader:
    """Make the reader of a task's ensemble. cache: a folder in which it may keep features."""
    match spec:
        case SliceSpec():
            return SliceReader(ensemble, spec)
        case SeriesSpec():
            return SeriesReader(ensemble, spec, cache)
