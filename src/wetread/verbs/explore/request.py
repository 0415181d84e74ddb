"""verbs/explore/request.py: explore's inputs, opened and checked before the first long step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wetread.archive.executor.workers import Workers
from wetread.archive.types import StrPath
from wetread.inputs.archive import require_sources
from wetread.inputs.patients import asks_for_study
from wetread.inputs.progress import Report
from wetread.labels.patients_csv import read_patients


@dataclass(frozen=True, eq=False)
class ExploreRequest:
    """A request to explore an archive, labels or both.

    sources, against: folders, zips and files, or one index; against: of the second archive.
    labels:   files, read by `task`; None: by the first that does, or one that is drafted.
    patients: a file of patients, "study", or None for the headers.
    pixels:   images whose pixels are compared, drawn by seed where there are more; 0: none.
    """

    sources: tuple[Path, ...]
    against: tuple[Path, ...]
    labels: tuple[Path, ...]
    task: StrPath | None
    columns: Mapping[str, str] | None
    patients: str | None
    pixels: int
    seed: int
    workers: Workers
    report: Report


def check_request(request: ExploreRequest) -> None:
    """Raise ValueError for what needs an archive and has none, FileNotFoundError for a source that
    does not exist, LabelError for patients that cannot be read. No image is read."""
    if request.pixels < 0:
        raise ValueError(f"`pixels` is {request.pixels}; give a number of images, 0 for none")
    if request.against and not request.sources:
        raise ValueError("`against` is held against an archive; give its files or its index")
    require_sources(request.sources)
    require_sources(request.against)
    if request.patients is not None and not asks_for_study(request.patients):
        read_patients(request.patients)
